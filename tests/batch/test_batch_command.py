"""`edge-digits batch` with the real reader on drawn pages and bad files, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import ExitCode
from edge_digits.reader import Reader
from tests.command_line import Run, program
from tests.document_files import TiffPage, pdf, tiff
from tests.picture_files import encode
from tests.strokes import draw_page

NUMBERS = ["407 1892", "35", "18", "2046", "77 53"]


@pytest.fixture(scope="session")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve files: five pages, two documents, five that are bad."""
    folder = tmp_path_factory.mktemp("pile") / "in"
    (folder / "deep").mkdir(parents=True)
    sheets = [draw_page([line], width=600, height=220) for line in NUMBERS]
    for index, sheet in enumerate(sheets):
        (folder / f"page{index + 6}.png").write_bytes(encode("PNG", sheet))
    blank = np.full_like(sheets[0], 230)
    (folder / "deep" / "three pages.tif").write_bytes(tiff([TiffPage(sheets[0]), TiffPage(blank), TiffPage(sheets[3], {274: 3})]))
    (folder / "deep" / "scan.pdf").write_bytes(pdf([sheets[1]], size_pt=(216, 79.2)))
    (folder / "bad empty.jpg").touch()
    (folder / "bad text.jpg").write_bytes(b"no picture, but 42 words\n" * 9)
    whole = encode("JPEG", sheets[0])
    (folder / "bad truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "bad.pdf").write_bytes(pdf([sheets[0]], encrypted=True))
    (folder / "bad.tif").write_bytes(tiff([TiffPage(sheets[2]), TiffPage(sheets[3])])[:-30])
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def texts(rows: Sequence[dict[str, str]], name: str) -> list[tuple[str, str]]:
    return [(row["page"], row["text"]) for row in rows if row["source"].endswith(name)]


def test_a_pile_becomes_a_table_the_same_with_one_worker_and_three(run: Run, pile: Path, tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    outcomes = [run("batch", pile, "--out", tmp_path / f"{count}.csv", "--workers", count) for count in (1, 3)]
    assert [outcome.code for outcome in outcomes] == [ExitCode.SOME_INPUTS_FAILED] * 2
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "3.csv").read_bytes()
    rows = table(tmp_path / "3.csv")
    order = list(dict.fromkeys(Path(row["source"]).name for row in rows))
    assert order == [
        *("bad empty.jpg", "bad text.jpg", "bad truncated.jpg", "bad.pdf", "bad.tif", "scan.pdf", "three pages.tif"),
        *(f"page{index}.png" for index in range(6, 11)),
    ]
    assert texts(rows, "page6.png") == [("1", "407"), ("1", "1892")]
    assert texts(rows, "three pages.tif")[:3] == [("1", "407"), ("1", "1892"), ("2", "")]
    assert texts(rows, "bad.tif") == [("1", "18"), ("2", "")]
    errors = {Path(row["source"]).name: row["error"].partition(":")[0] for row in rows if row["error"]}
    assert errors == dict.fromkeys(order[:5], "InputDecodeError")
    *told, summary = outcomes[1].complaints
    assert sorted(told) == sorted(row["error"].partition(": ")[2] for row in rows if row["error"])
    assert outcomes[1].out == ""
    assert "12 files, 10 pages" in summary
    assert "5 failed" in summary
    assert summary.endswith(f"table: {tmp_path / '3.csv'}")


def test_json_lines_equal_what_a_reader_says(run: Run, pile: Path, tmp_path: Path) -> None:
    files = [pile / "page10.png", pile / "page6.png"]
    out = tmp_path / "t.jsonl"
    assert run("batch", *files, "--out", out).code == ExitCode.OK
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    reader = Reader(threads=1)
    expected = [reader.read(file).to_dict() for file in files]
    for entry in expected:
        entry.pop("elapsed_ms")
    assert found == expected


def test_annotated_pictures_of_every_page(run: Run, pile: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(pile / "deep", folder / "a")
    shutil.copytree(pile / "deep", folder / "b")
    (folder / "a" / "scan.pdf").unlink()
    (folder / "b" / "scan.pdf").unlink()
    drawn = folder / "drawn"
    for mode in ("--redo", "--redo"):
        assert run("batch", folder, "--out", tmp_path / "t.csv", "--annotate", drawn, mode).code == ExitCode.OK
    names = [f"three pages{end}-read.png" for end in ("", "-2", "-2-page2", "-2-page3", "-page2", "-page3")]
    assert {path.name for path in drawn.iterdir()} == set(names)
    picture = cv2.imread(str(drawn / names[0]))
    assert picture is not None
    assert picture.shape == (220, 600, 3)
    assert len({row["source"] for row in table(tmp_path / "t.csv")}) == 2


def test_a_pdf_without_its_extra_is_a_row(run: Run, pile: Path, tmp_path: Path) -> None:
    # The worker is a new process: what hides the package must reach it.
    (tmp_path / "hidden" / "pypdfium2").mkdir(parents=True)
    (tmp_path / "hidden" / "pypdfium2" / "__init__.py").write_text("raise ImportError('hidden')\n", encoding="utf-8")
    sys.path.insert(0, str(tmp_path / "hidden"))
    try:
        outcome = run("batch", pile / "deep" / "scan.pdf", pile / "page7.png", "--out", tmp_path / "t.csv")
    finally:
        sys.path.remove(str(tmp_path / "hidden"))
    assert outcome.code == ExitCode.SOME_INPUTS_FAILED
    rows = table(tmp_path / "t.csv")
    assert rows[0]["error"].startswith("InputNeedsExtraError: ")
    assert 'pip install "edge-digits[documents]"' in rows[0]["error"]
    assert rows[1]["text"] == "35"


def test_as_a_program_with_names_beyond_ascii(pile: Path, tmp_path: Path) -> None:
    folder = tmp_path / "zażółć 数字"
    folder.mkdir()
    shutil.copy(pile / "page7.png", folder / "=1+1 é.png")
    done = program("batch", ".", "--out", "../t.csv", cwd=folder)
    assert done.returncode == ExitCode.OK, done.stderr
    assert done.stdout == b""
    assert [(row["source"], row["text"]) for row in table(tmp_path / "t.csv")] == [("./=1+1 é.png", "35")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{empty}", "--out", "{tmp}/t.csv"], "nothing to read"),
        (["{missing}", "--out", "{tmp}/t.csv"], "nothing to read"),
        (["{pile}", "--out", "{tmp}/no/t.csv"], "there is no folder"),
        (["{pile}", "--out", "{empty}", "--format", "csv"], "is a folder; name a file"),
        (["{pile}", "--out", "/dev/null", "--format", "csv"], "no ordinary file"),
        (["{pile}", "--out", "{tmp}/t.doc"], "no table format"),
        (["{pile}", "--out", "{tmp}/old.csv"], "exists, and has no journal"),
        (["{pile}", "--out", "{tmp}/t.csv", "--workers", "-1"], "workers is -1"),
        (["{pile}", "--out", "{tmp}/t.csv", "--timeout", "0"], "timeout is 0.0"),
        (["{pile}", "--out", "{tmp}/t.csv", "--timeout", "nan"], "timeout is nan"),
        (["{pile}", "--out", "{tmp}/t.csv", "--annotate", "{tmp}/old.csv"], "cannot be made"),
        (["{pile}", "--out", "{tmp}/t.csv", "--dpi", "1"], "dpi is 1"),
    ],
)
def test_wrong_usage_is_told_before_any_work(run: Run, pile: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "old.csv").write_text("old", encoding="utf-8")
    places = {"empty": tmp_path / "empty", "missing": tmp_path / "missing.png", "pile": pile, "tmp": tmp_path}
    outcome = run("batch", *(argument.format(**places) for argument in arguments))
    assert outcome.code == ExitCode.USAGE
    (line,) = outcome.complaints
    assert says in line
    assert (tmp_path / "old.csv").read_text(encoding="utf-8") == "old"
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--model", "missing.onnx"], ExitCode.MODEL),
        (["--provider", "none"], ExitCode.USAGE),
        (["--redo", "--only-failed"], ExitCode.USAGE),
    ],
)
def test_exit_codes_of_the_reader_pass_through(run: Run, pile: Path, tmp_path: Path, arguments: list[str], code: ExitCode) -> None:
    outcome = run("batch", pile, "--out", tmp_path / "t.csv", *arguments)
    assert outcome.code == code
    assert not (tmp_path / "t.csv").exists()
    assert "Traceback" not in outcome.err
