"""Other systems beside ours: doubles stand for them, since none is needed; the real ones are run where they are installed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.bench import peers
from edge_digits.bench.peers import PeerFailedError, RapidOcr, Tesseract, lines_of_boxes, load_peers
from edge_digits.cli import main
from edge_digits.errors import ExitCode, MissingExtraError
from tests.picture_files import encode
from tests.strokes import draw_page

pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")

PAGE = np.full((60, 200, 3), 235, np.uint8)


class RapidDouble:
    """Says what it was told to; keeps what it was asked."""

    result: Any = SimpleNamespace(txts=None, boxes=None)
    params: dict[str, Any] = {}  # noqa: RUF012 - one call sets it, one test reads it
    calls = 0

    def __init__(self, params: dict[str, Any]) -> None:
        RapidDouble.params, RapidDouble.calls = params, 0

    def __call__(self, picture: Any) -> Any:
        RapidDouble.calls += 1
        if isinstance(self.result, Exception):
            raise self.result
        assert picture.flags.writeable
        return self.result


@pytest.fixture
def rapid(monkeypatch: pytest.MonkeyPatch) -> type[RapidDouble]:
    monkeypatch.setitem(sys.modules, "rapidocr", SimpleNamespace(RapidOCR=RapidDouble))
    monkeypatch.setattr(peers, "version", lambda name: "0.0-double")
    return RapidDouble


def box(x: float, y: float, w: float = 40, h: float = 20) -> list[list[float]]:
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


def say(rapid: type[RapidDouble], monkeypatch: pytest.MonkeyPatch, texts: dict[str, list[list[float]]]) -> None:
    result = SimpleNamespace(txts=tuple(texts), boxes=np.array(list(texts.values()), np.float32))
    monkeypatch.setattr(rapid, "result", result)


def test_boxes_side_by_side_are_one_line() -> None:
    texts = ["9", "12", "34", "x"]
    boxes = np.array([box(0, 100), box(60, 4), box(0, 0), box(200, 96)])
    assert lines_of_boxes(boxes, texts) == ["34 12", "9 x"]
    assert lines_of_boxes(np.zeros((0, 4, 2)), []) == []


def test_rapidocr_on_one_thread(rapid: type[RapidDouble], monkeypatch: pytest.MonkeyPatch) -> None:
    say(rapid, monkeypatch, {"a12": box(0, 0), "7": box(80, 2), "3": box(0, 50)})
    peer = RapidOcr(1)
    assert peer.read(PAGE) == ["a12 7", "3"]
    assert {value for name, value in rapid.params.items() if name.endswith("num_threads")} == {1}
    assert "1 thread" in peer.settings
    RapidOcr(0)
    assert {value for name, value in rapid.params.items() if name.endswith("num_threads")} == {-1}


def test_rapidocr_finds_nothing(rapid: type[RapidDouble]) -> None:
    assert RapidOcr(1).read(PAGE) == []


def test_rapidocr_fails(rapid: type[RapidDouble], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rapid, "result", RuntimeError("no memory"))
    with pytest.raises(PeerFailedError, match="rapidocr: RuntimeError: no memory"):
        RapidOcr(1).read(PAGE)


TESSERACT_DOUBLE = """#!/bin/sh
if [ "$1" = --version ]; then echo "tesseract 0.0-double"; exit 0; fi
cat > "$(dirname "$0")/handed.ppm"
echo "$@" "OMP_THREAD_LIMIT=$OMP_THREAD_LIMIT" > "$(dirname "$0")/asked"
printf '12 3\\n\\n  \\n45\\n'
"""


def put_program(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    program = folder / "tesseract"
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(sys.platform == "win32", reason="the double is a shell script")
def test_tesseract_is_held_to_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_program(tmp_path / "bin", TESSERACT_DOUBLE, monkeypatch)
    peer = Tesseract(1)
    assert peer.version == "0.0-double"
    assert peer.read(PAGE) == ["12 3", "45"]
    asked = (tmp_path / "bin" / "asked").read_text()
    assert "tessedit_char_whitelist=0123456789" in asked
    assert "OMP_THREAD_LIMIT=1" in asked
    handed = cv2.imread(str(tmp_path / "bin" / "handed.ppm"))
    assert handed is not None
    assert np.array_equal(handed, PAGE)
    assert peer.read(PAGE[:, :, 0]) == ["12 3", "45"]


@pytest.mark.skipif(sys.platform == "win32", reason="the double is a shell script")
def test_tesseract_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_program(tmp_path / "bin", '#!/bin/sh\n[ "$1" = --version ] && echo tesseract 1 && exit 0\necho bad page >&2\nexit 3\n', monkeypatch)
    with pytest.raises(PeerFailedError, match="tesseract: bad page"):
        Tesseract(0).read(PAGE)


@pytest.mark.parametrize(("name", "command"), [("rapidocr", "pip install rapidocr"), ("tesseract", "apt-get install tesseract-ocr")])
def test_a_peer_that_is_not_installed(
    name: str, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match=command):
        load_peers([name], 1)
    pages = write_pages(tmp_path)
    assert main(["evaluate", str(pages), "--peer", name]) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert command in printed.err
    assert len(printed.err.splitlines()) == 1


def test_a_peer_named_twice_runs_once(rapid: type[RapidDouble]) -> None:
    assert [peer.name for peer in load_peers(["rapidocr", "rapidocr"], 1)] == ["rapidocr"]
    assert load_peers([], 1) == []


def write_pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.png").write_bytes(encode("PNG", draw_page(["407"], width=400, height=200)))
    (folder / "blank.png").write_bytes(encode("PNG", draw_page([], width=400, height=200)))
    truth = {"a.png": {"lines": ["407"], "kind": "plain"}, "blank.png": {"lines": [], "kind": "negative"}}
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def evaluated(pages: Path, capsys: pytest.CaptureFixture[str], *more: str, code: ExitCode = ExitCode.OK) -> dict[str, Any]:
    assert main(["evaluate", str(pages), "--format", "json", *more]) == code
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_figures_beside_ours(
    rapid: type[RapidDouble], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say(rapid, monkeypatch, {"4?7": box(0, 0)})
    pages = write_pages(tmp_path)
    result = evaluated(pages, capsys, "--peer", "rapidocr")
    theirs = result["peers"]["rapidocr"]
    assert result["threads"] == 1, "times are compared on one thread unless another number is asked for"
    assert theirs["version"] == "0.0-double"
    assert set(theirs["figures"]) == set(result["figures"])
    assert (theirs["figures"]["kind:plain"]["cer"], theirs["figures"]["kind:plain"]["named_cer"]) == (pytest.approx(1 / 3), 0)
    assert theirs["figures"]["kind:negative"]["false_per_negative"] == 2
    assert theirs["ms"]["count"] == 2
    assert set(theirs["times_ours"]) == {"medians", "means", "median_page"}
    assert rapid.calls == 3, "one reading before the first that is timed"
    assert [page["peers"]["rapidocr"]["errors"] for page in result["pages"]] == [1, 3]
    assert main(["evaluate", str(pages), "--peer", "rapidocr", "--threads", "2"]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert printed.count("  rapidocr") == len(result["figures"])
    assert "times ours" in printed
    assert "2 threads" in printed


def test_a_peer_that_fails_on_every_page_counts_as_empty(
    rapid: type[RapidDouble], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rapid, "result", ValueError("not today"))
    pages = write_pages(tmp_path)
    assert main(["evaluate", str(pages), "--peer", "rapidocr"]) == ExitCode.OK
    printed = capsys.readouterr()
    assert "a.png: rapidocr: ValueError: not today" in printed.err
    assert "read no page" in printed.out
    theirs = evaluated(pages, capsys, "--peer", "rapidocr")["peers"]["rapidocr"]
    assert (theirs["ms"], theirs["times_ours"]) == (None, None)
    assert theirs["figures"]["kind:plain"]["cer"] == 1


def test_a_page_that_cannot_be_opened_is_empty_for_all(
    rapid: type[RapidDouble], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = write_pages(tmp_path)
    (pages / "a.png").unlink()
    result = evaluated(pages, capsys, "--peer", "rapidocr", code=ExitCode.SOME_INPUTS_FAILED)
    assert result["pages"][0]["peers"]["rapidocr"] == {"errors": 3, "ms": None}
    assert result["peers"]["rapidocr"]["ms"]["count"] == 1


@pytest.mark.hardware
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_the_real_tesseract_reads_print() -> None:
    picture = np.full((120, 500, 3), 255, np.uint8)
    cv2.putText(picture, "20417", (60, 85), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (0, 0, 0), 6, cv2.LINE_AA)
    assert "".join(Tesseract(1).read(picture)).replace(" ", "").isdigit()
