"""The JSON of generated pages agrees with what `read` prints and with what the scorer reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_digits.bench.truth import load_truth
from export.pages.contact_sheet import CELL_PX, COLUMNS, contact_sheet, marked
from export.pages.sheet import Clutter, WrittenDigit
from export.pages.truth import page_object, truth_entry
from export.pages.view import Photograph

DIGITS = (
    WrittenDigit(1, (10.5, 20.2, 5.0, 9.9), 0, 0),
    WrittenDigit(2, (17.0, 20.0, 6.0, 10.0), 0, 0),
    WrittenDigit(3, (40.0, 21.0, 6.0, 10.0), 0, 1),
    WrittenDigit(7, (11.0, 60.0, 6.0, 10.0), 1, 0),
)
CLUTTER = (Clutter("word", (50.0, 50.0, 20.0, 10.0)), Clutter("stain", (1.0, 1.0, 3.0, 3.0)))


def photo(digits: tuple[WrittenDigit, ...] = DIGITS, lines: tuple[str, ...] = ("1.2-3", "7"), rotate: int = 0) -> Photograph:
    return Photograph(np.full((100, 90, 3), 250, np.uint8), digits, CLUTTER, "ruled", "desk", lines, rotate)


def test_the_object_of_a_page() -> None:
    page = json.loads(json.dumps(page_object(photo(), "pages/000000.jpg")))
    assert (page["source"], page["width"], page["height"]) == ("pages/000000.jpg", 90, 100)
    assert [line["text"] for line in page["lines"]] == ["12 3", "7"]
    assert [[number["text"] for number in line["numbers"]] for line in page["lines"]] == [["12", "3"], ["7"]]
    first = page["lines"][0]["numbers"][0]
    assert first["digits"][0] == {"digit": 1, "confidence": 1.0, "box": [10, 20, 6, 11]}
    assert first["box"] == [10, 20, 13, 11]
    assert page["clutter"][0] == {"kind": "word", "box": [50, 50, 20, 10]}
    assert (page["rotate"], page["written"], page["kind"], page["setting"]) == (0, ["1.2-3", "7"], "ruled", "desk")


@pytest.mark.parametrize("rotate", [0, 270])
def test_the_entry_for_a_scorer(rotate: int) -> None:
    entry = truth_entry(page_object(photo(rotate=rotate), "0.jpg"))
    assert entry["lines"] == ["12 3", "7"]
    assert entry["lines_full"] == ["1.2-3", "7"]
    assert entry["digits_total"] == 4
    assert entry["other_marks"] == "stain, word"
    assert entry.get("rotate_ccw", 0) == rotate


def test_a_page_without_digits_is_negative() -> None:
    entry = truth_entry(page_object(photo((), ()), "0.jpg"))
    assert (entry["lines"], entry["kind"], entry["digits_total"]) == ([], "negative", 0)


def test_the_scorer_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"0.jpg": truth_entry(page_object(photo(), "0.jpg"))}))
    (page,) = load_truth(path)
    assert (page.name, page.lines, page.kind, page.layout, page.grouping_clear) == ("0.jpg", ("12 3", "7"), "ruled", "lines", True)


def test_marks_are_drawn_at_the_boxes() -> None:
    plain = photo()
    drawn = marked(plain.picture, page_object(plain, "0.jpg"))
    assert (plain.picture == 250).all()
    changed = (drawn != plain.picture).any(axis=2)
    assert changed[20, 10]
    assert changed[50, 50]
    assert not changed[90:, :].any()


@pytest.mark.parametrize("count", [1, 6, 7])
def test_a_contact_sheet_holds_all_pictures(count: int) -> None:
    pictures = [np.full((50, 80) if index % 2 else (300, 200, 3), 255, np.uint8) for index in range(count)]
    sheet = contact_sheet(pictures)
    columns, rows = min(COLUMNS, count), -(-count // COLUMNS)
    assert sheet.shape == (rows * CELL_PX[1], columns * CELL_PX[0], 3)
    for index in range(count):
        assert (sheet[index // COLUMNS * CELL_PX[1] + 5, index % COLUMNS * CELL_PX[0] + 5] == 255).all()
