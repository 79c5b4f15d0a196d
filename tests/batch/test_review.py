"""Reviewing a table: each answer goes into the table and the samples, and can be taken back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.batch import review_command
from edge_digits.batch.batch import Tally
from edge_digits.batch.corrections import Correction, corrected, load_corrections
from edge_digits.batch.journal import Journal
from edge_digits.batch.options import TableFormat
from edge_digits.batch.review import Review
from edge_digits.batch.review_command import as_text
from edge_digits.batch.schedule import FileState
from edge_digits.batch.table import Table
from edge_digits.batch.tables import write_table
from edge_digits.cli import main
from edge_digits.errors import UsageError
from edge_digits.personal.samples import find_samples
from tests.batch.test_picture_tables import FORM, page
from tests.doubles.pages import number, reading


@pytest.fixture
def entries(tmp_path: Path) -> list[dict[str, Any]]:
    return [page(tmp_path)]


def test_answers_reach_table_and_samples_and_can_be_undone(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    table = tmp_path / "t.csv"
    write_table(table, "csv", entries)
    review = Review(table, entries, tmp_path / "samples")
    assert [(q.number["text"], q.place) for q in review.questions] == [("1?", 1)]
    review.answer(7)
    assert review.question is None
    assert [(s.label, s.split) for s in find_samples(tmp_path / "samples")] == [(7, "train")]
    assert review.undo()
    assert not review.undo()
    assert find_samples(tmp_path / "samples") == []
    assert load_corrections(table) == []
    review.answer(4)
    write_table(table, "csv", corrected(entries, load_corrections(table)))
    assert ",14,14,1.0000," in table.read_text(encoding="utf-8")
    assert Review(table, entries, None).questions == []  # nobody is asked twice


def test_what_is_no_digit_leaves_the_number(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    review = Review(tmp_path / "t.csv", entries, tmp_path / "samples")
    review.answer(None)
    (found,) = corrected(entries, review.corrections)
    assert found["lines"][0]["text"] == "05 1"
    assert found["lines"][0]["numbers"][1]["value"] == "1"
    assert not (tmp_path / "samples").exists()
    assert entries[0]["lines"][0]["text"] == "05 1?"  # what was read stays what was read


def test_a_skipped_digit_is_asked_for_again_next_time(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    review = Review(tmp_path / "t.csv", entries, None)
    review.skip()
    assert review.question is None
    assert review.answered == 0
    assert len(Review(tmp_path / "t.csv", entries, None).questions) == 1


def test_corrections_hold_for_the_reading_they_were_made_of(entries: list[dict[str, Any]]) -> None:
    other = Correction(entries[0]["source"], 1, (100, 21, 60, 40), 1, 4)
    assert list(corrected(entries, [other])) == entries


def test_a_field_of_a_form_is_corrected_too(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    form = json.loads(json.dumps({**entries[0], "form": FORM}))
    form["lines"][0]["numbers"][1] |= {"name": "total", "rule": {"name": "digits:2", "was": "1?", "fits": False}}
    del form["lines"][0]["numbers"][0]
    box = tuple(form["lines"][0]["numbers"][0]["box"])
    (found,) = corrected([form], [Correction(form["source"], 1, box, 1, 3)])
    assert found["form"]["fields"][1] == {"name": "total", "text": "13", "value": "13", "doubtful": False, "reasons": []}


def test_damaged_corrections_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv.corrections").write_text('{"source": "a"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="corrections cannot be read"):
        load_corrections(tmp_path / "t.csv")


def test_a_page_that_is_gone_can_still_be_answered(tmp_path: Path) -> None:
    gone = reading([number("1?", (1, 2, 30, 40), 0.5)], source=str(tmp_path / "gone.png")).to_dict()
    review = Review(tmp_path / "t.csv", [gone], tmp_path / "samples")
    assert review.question is not None
    assert review.crop(review.question) is None
    review.answer(3)
    assert load_corrections(tmp_path / "t.csv")[0].digit == 3


def press(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """Answers that a review will get, one after the other."""
    waiting = iter(keys)
    monkeypatch.setattr(review_command, "read_key", lambda: next(waiting))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)


def journaled(folder: Path, out: Path, form: TableFormat) -> list[Path]:
    """A table of three pages with a doubtful number each, and its journal, in which they came in another order."""
    paths = [folder / f"{name}.png" for name in "abc"]
    with Journal(out.with_name(out.name + ".journal")) as journal:
        journal.use({})
        for path in (paths[2], paths[0], paths[1]):
            journal.add_file(str(path), FileState(1, 1), path.name)
            journal.add_content(path.name, 1)
            journal.add_page(path.name, 1, page(folder, path.name), None, str(path))
        Table(out, form).write(journal, [(str(path), None) for path in paths], Tally())
    return paths


def test_a_table_of_any_format_is_written_with_the_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openpyxl, documents = pytest.importorskip("openpyxl"), pytest.importorskip("pypdfium2")
    for needed in ("xlsxwriter", "reportlab"):
        pytest.importorskip(needed)
    for form in ("xlsx", "pdf", "jsonl"):
        journaled(tmp_path, tmp_path / f"t.{form}", form)
        press(monkeypatch, "4s7")
        assert main(["review", str(tmp_path / f"t.{form}"), "--no-samples"]) == 0
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    rows = list(book["numbers"].iter_rows(min_row=2, values_only=True))
    book.close()
    assert [(Path(str(row[0])).stem, row[4], row[5]) for row in rows[1::2]] == [("a", "14", "14"), ("b", "1?", None), ("c", "17", "17")]
    document = documents.PdfDocument(tmp_path / "t.pdf")
    texts = [document[index].get_textpage().get_text_bounded().split() for index in range(len(document))]
    document.close()
    assert texts == [["05", "14"], ["05", "1?"], ["05", "17"]]
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["lines"][0]["text"] for entry in lines] == ["05 14", "05 1?", "05 17"]


def test_answers_that_never_reached_the_table_do_so_at_the_next_review(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "t.jsonl"
    paths = journaled(tmp_path, out, "jsonl")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    press(monkeypatch, "4q")
    with monkeypatch.context() as patch:
        patch.setattr(Table, "rewrite", interrupted)
        assert main(["review", str(out), "--no-samples"]) == 130
    assert "the answers are kept" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8").count("1?") == 6
    corrections = load_corrections(out)
    assert [(each.source, each.digit) for each in corrections] == [(str(paths[0]), 4)]
    os.utime(out, (1, 1))
    press(monkeypatch, "q")
    assert main(["review", str(out), "--no-samples"]) == 0
    assert out.read_text(encoding="utf-8").count("1?") == 4
    written = out.stat().st_mtime_ns
    press(monkeypatch, "sq")
    assert main(["review", str(out), "--no-samples"]) == 0
    assert out.stat().st_mtime_ns == written  # nothing was said: it is left alone


def test_the_command_from_batch_to_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    picture = np.full((300, 500), 230, np.uint8)
    cv2.line(picture, (200, 80), (200, 220), 30, 12)  # A lone stroke: nobody is sure that it is a 1.
    cv2.ellipse(picture, (300, 150), (40, 70), 0, 0, 330, 30, 12)
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    table = tmp_path / "t.csv"
    assert main(["batch", str(tmp_path / "page.png"), "--out", str(table), "--workers", "1", "--min-confidence", "0.9999"]) == 0
    before = table.read_text(encoding="utf-8")
    assert "?" in before
    press(monkeypatch, "x1u10q")
    assert main(["review", str(table), "--samples", str(tmp_path / "samples")]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "digits answered" in told.err
    after = table.read_text(encoding="utf-8")
    assert after != before
    assert len(find_samples(tmp_path / "samples")) == 2
    assert main(["batch", str(tmp_path / "page.png"), "--out", str(table), "--workers", "1", "--min-confidence", "0.9999"]) == 0
    assert table.read_text(encoding="utf-8") == after


def test_a_table_without_a_journal_and_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("source\n", encoding="utf-8")
    assert main(["review", str(tmp_path / "t.csv")]) == 2
    assert main(["review", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_the_crop_in_a_terminal() -> None:
    lines = list(as_text(np.full((4000, 20, 3), 200, np.uint8), (0, 20)))
    assert len(lines) <= 21
    assert lines[-1].strip("^ ") == ""
    assert all(line.endswith("\x1b[0m") for line in lines[:-1])
