"""Reviewing a table: each answer goes into the table and the samples, and can be taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.batch.corrections import Correction, corrected, load_corrections
from edge_digits.batch.review import Review
from edge_digits.batch.review_command import as_text
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
    write_table(table, "csv", entries)
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


def test_the_command_from_batch_to_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from edge_digits.batch import review_command

    picture = np.full((300, 500), 230, np.uint8)
    cv2.line(picture, (200, 80), (200, 220), 30, 12)  # A lone stroke: nobody is sure that it is a 1.
    cv2.ellipse(picture, (300, 150), (40, 70), 0, 0, 330, 30, 12)
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    table = tmp_path / "t.csv"
    assert main(["batch", str(tmp_path / "page.png"), "--out", str(table), "--workers", "1", "--min-confidence", "0.9999"]) == 0
    before = table.read_text(encoding="utf-8")
    assert "?" in before
    keys = iter("x1u10q")
    monkeypatch.setattr(review_command, "read_key", lambda: next(keys))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
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
