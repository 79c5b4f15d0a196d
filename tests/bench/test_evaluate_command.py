"""`edge-digits evaluate`: a folder of pages made from golden digits, whose truth is known."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge_digits.bench.sample import encode_jpeg, golden_digits, make_sheet
from edge_digits.cli import main
from edge_digits.errors import ExitCode

pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Two sheets with one golden digit each, the truth of the second a wrong one; a white page; all of them readable."""
    folder = tmp_path / "pages"
    folder.mkdir()
    truth: dict[str, Any] = {}
    for name, digit in (("first.jpg", 0), ("second.jpg", 1)):
        sheet = make_sheet(golden_digits()[digit:], 400, 300, 1)
        (folder / name).write_bytes(encode_jpeg(sheet))
        truth[name] = {"lines": [""], "kind": "plain", "difficulty": "easy", "half": "tune"}
    (folder / "blank.png").write_bytes(cv2.imencode(".png", make_sheet(golden_digits(), 400, 300, 0))[1].tobytes())
    truth["blank.png"] = {"lines": [], "kind": "negative", "difficulty": "easy", "half": "check"}
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def set_truth(pages: Path, name: str, lines: list[str]) -> None:
    path = pages / "truth.json"
    truth = json.loads(path.read_text())
    truth.setdefault(name, {"kind": "plain", "difficulty": "easy", "half": "tune"})["lines"] = lines
    path.write_text(json.dumps(truth))


def read_lines(pages: Path, name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["read", str(pages / name), "--format", "json"]) == ExitCode.OK
    return [line["text"] for line in json.loads(capsys.readouterr().out)["lines"]]


def evaluated(words: list[str], capsys: pytest.CaptureFixture[str], code: ExitCode = ExitCode.OK) -> dict[str, Any]:
    assert main(["evaluate", *words, "--format", "json"]) == code
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_pages_read_right_are_perfect(pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("first.jpg", "second.jpg"):
        lines = read_lines(pages, name, capsys)
        assert lines, "a golden digit on white paper is read"
        set_truth(pages, name, lines)
    out, predictions = tmp_path / "results.json", tmp_path / "read.jsonl"
    result = evaluated([str(pages), "--threads", "1", "--out", str(out), "--predictions", str(predictions)], capsys)
    assert json.loads(out.read_text()) == result
    assert set(result["figures"]) == {
        "all", "set:pages", "kind:plain", "kind:negative", "difficulty:easy", "half:tune", "half:check",
    }  # fmt: skip
    assert result["figures"]["kind:plain"]["perfect"] == 1
    assert result["figures"]["kind:plain"]["mean_cer"] == 0
    assert result["figures"]["kind:negative"]["false_per_negative"] == 0
    assert result["ms"]["page"]["count"] == 3
    assert result["threads"] == 1
    assert len(result["model"]["sha256"]) == 64
    rows = [json.loads(line) for line in predictions.read_text().splitlines()]
    assert [Path(row["source"]).name for row in rows] == ["blank.png", "first.jpg", "second.jpg"]
    assert all("lines" in row and "elapsed_ms" in row for row in rows)


def test_table_is_the_only_thing_on_stdout(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(pages), "--half", "check"]) == ExitCode.OK
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "kind:negative" in printed.out
    assert "kind:plain" not in printed.out
    assert "ms a page: p50" in printed.out


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.images += [value or "" for name, value in attrs if tag == "img" and name == "src"]
        self.scripts += tag == "script"


def test_failures_show_the_wrong_pages_worst_first(pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_truth(pages, "first.jpg", ["<script>1</script>"])
    set_truth(pages, "second.jpg", ["12345678901234567890"])
    folder = tmp_path / "wrong"
    evaluated([str(pages), "--failures", str(folder)], capsys)
    text = (folder / "index.html").read_text()
    page = Page()
    page.feed(text)
    assert page.images == ["second.jpg.small.jpg", "first.jpg.small.jpg", "second.jpg.read.jpg", "first.jpg.read.jpg"]
    assert "2 of 3 pages read wrongly" in text
    assert page.scripts == 0
    for name in page.images:
        assert cv2.imread(str(folder / name)) is not None
    assert "blank.png" not in text


def test_a_page_that_cannot_be_read_counts_as_empty(pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_truth(pages, "lost.jpg", ["123"])
    predictions, folder = tmp_path / "read.jsonl", tmp_path / "wrong"
    words = [str(pages), "--predictions", str(predictions), "--failures", str(folder)]
    result = evaluated(words, capsys, ExitCode.SOME_INPUTS_FAILED)
    entry = next(page for page in result["pages"] if page["page"] == "lost.jpg")
    assert (entry["errors"], entry["error"], entry["ms"]) == (3, "InputNotFoundError", None)
    row = next(row for line in predictions.read_text().splitlines() if "error" in (row := json.loads(line)))
    assert row["error"]["type"] == "InputNotFoundError"
    assert "lost.jpg" in (folder / "index.html").read_text()
    assert result["ms"]["page"]["count"] == 3


def test_figures_are_those_of_an_independent_scorer_on_the_written_predictions(
    pages: Path, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_truth(pages, "second.jpg", ["12"])
    set_truth(pages, "lost.jpg", ["123"])
    predictions, theirs = tmp_path / "read.jsonl", tmp_path / "theirs.json"
    ours = evaluated([str(pages), "--predictions", str(predictions)], capsys, ExitCode.SOME_INPUTS_FAILED)
    scorer = [sys.executable, str(shared / "tools" / "score_pages.py"), str(pages), str(predictions), "--json", str(theirs)]
    done = subprocess.run(scorer, check=True, capture_output=True, text=True)
    entries = {entry["page"]: entry for entry in json.loads(theirs.read_text())}
    assert {page["page"]: (page["errors"], page["named_errors"], page["digits"]) for page in ours["pages"]} == {
        name: (entry["errors"], entry["named_errors"], entry["digits"]) for name, entry in entries.items()
    }
    heading, *rows = [line.split() for line in done.stdout.splitlines()]
    assert {row[0] for row in rows} == set(ours["figures"])
    for key, *cells in rows:
        assert float(cells[heading.index("mean")]) == pytest.approx(ours["figures"][key]["mean_cer"], abs=5.1e-5)
        assert float(cells[heading.index("perfect")]) == pytest.approx(ours["figures"][key]["perfect"], abs=5.1e-4)


def test_mistakes_are_counted_by_cause(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = read_lines(pages, "first.jpg", capsys)
    set_truth(pages, "first.jpg", [lines[0] + "7"])
    result = evaluated([str(pages), "--kind", "plain"], capsys)
    # The other page's truth holds nothing, and one digit is read there.
    assert result["mistakes"] == {"missing": 1, "extra": 1, "confused": 0, "unsure": 0}
    assert sum(result["mistakes"].values()) == sum(page["errors"] for page in result["pages"])
    assert main(["evaluate", str(pages), "--kind", "plain"]) == ExitCode.OK
    assert "mistakes: 1 missing, 1 extra, 0 confused, 0 unsure" in capsys.readouterr().out


def test_pages_of_one_difficulty(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluated([str(pages), "--difficulty", "easy"], capsys)["figures"]["all"]["pages"] == 3
    assert main(["evaluate", str(pages), "--difficulty", "absurd"]) == ExitCode.USAGE
    assert "difficulties: easy" in capsys.readouterr().err


def test_no_page_at_all_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "truth.json").write_text(json.dumps({"a.jpg": {"lines": ["1"]}}))
    assert main(["evaluate", str(tmp_path)]) == ExitCode.SOME_INPUTS_FAILED
    printed = capsys.readouterr()
    assert "set:pages" in printed.out
    assert "a.jpg" in printed.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--half", "third"], ExitCode.USAGE, "halves: check, tune"),
        (["--truth", "none.json"], ExitCode.USAGE, "none.json"),
        (["--out", "/nowhere/at/all/r.json"], ExitCode.USAGE, "/nowhere/at/all/r.json"),
        (["--failures", "/dev/null/x"], ExitCode.USAGE, "/dev/null/x"),
        (["--model", "nobody"], ExitCode.MODEL, "no model 'nobody'"),
    ],
)
def test_mistakes(pages: Path, words: list[str], code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(pages), *words]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1


def test_a_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path / "none")]) == ExitCode.SOME_INPUTS_FAILED
    assert "no such folder" in capsys.readouterr().err
