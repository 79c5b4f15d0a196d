"""Rows and columns are told where numbers fill them, and nowhere else; boxes where they are printed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits import Reader
from edge_digits.reading.reading import Digit, Number, Place
from edge_digits.reading.tables import find_fields, find_places
from tests.strokes import draw_digit

Box = tuple[int, int, int, int]


def grid(
    rows: int, columns: int, missing: set[tuple[int, int]] = frozenset(), slope: float = 0.0, lean: float = 0.0
) -> dict[tuple[int, int], Box]:
    """Boxes of numbers 60 by 40 px, 160 px and 90 px apart, of a table that may be tilted."""
    found = {}
    for row in range(rows):
        for column in range(columns):
            if (row, column) not in missing:
                x, y = 100 + 160 * column, 100 + 90 * row
                found[row, column] = (round(x + lean * y), round(y + slope * x), 60, 40)
    return found


@pytest.mark.parametrize(("slope", "lean"), [(0.0, 0.0), (0.06, 0.0), (-0.05, 0.08), (0.1, -0.1)])
def test_a_table_however_it_lies(slope: float, lean: float) -> None:
    cells = grid(4, 3, {(1, 1), (3, 0)}, slope, lean)
    places = find_places(list(cells.values()))
    assert places == [Place(row + 1, column + 1) for row, column in cells]


def test_the_order_of_numbers_does_not_matter() -> None:
    cells = list(grid(4, 3).items())
    order = np.random.default_rng(1).permutation(len(cells))
    places = find_places([cells[i][1] for i in order])
    assert places == [Place(cells[i][0][0] + 1, cells[i][0][1] + 1) for i in order]


def test_a_heading_and_a_total_are_none_of_it() -> None:
    cells = grid(4, 3)
    heading, total = (120, 10, 330, 40), (190, 470, 300, 40)
    places = find_places([heading, *cells.values(), total])
    assert places[0] is None
    assert places[-1] is None
    assert places[1:-1] == [Place(row + 1, column + 1) for row, column in cells]


def test_sums_set_flush_right_are_a_column() -> None:
    sums = [(400 - width, 100 + 60 * row, width, 40) for row, width in enumerate((60, 150, 90, 210))]
    assert find_places(sums) == [Place(row, 1) for row in range(1, 5)]


def test_a_list_set_flush_left_is_no_table() -> None:
    assert find_places([(100, 100 + 60 * row, width, 40) for row, width in enumerate((60, 150, 90, 210))]) == [None] * 4


def test_scattered_numbers_and_two_lines_are_no_table() -> None:
    scattered = [(100, 100, 60, 40), (430, 170, 90, 40), (220, 260, 60, 40), (600, 300, 120, 40), (90, 390, 60, 40), (480, 460, 60, 40)]
    assert find_places(scattered) == [None] * 6
    assert find_places(list(grid(2, 4).values())) == [None] * 8
    assert find_places([]) == []


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 300), st.integers(1, 200)), max_size=30))
def test_no_two_numbers_share_a_place(boxes: list[Box]) -> None:
    places = [place for place in find_places(boxes) if place is not None]
    assert len(set(places)) == len(places)
    assert all(place.row >= 1 and place.column >= 1 for place in places)


def test_printed_boxes() -> None:
    rules = np.zeros((600, 900), np.uint8)
    cv2.rectangle(rules, (200, 100), (400, 200), 255, 3)
    inside, outside = (250, 130, 60, 40), (600, 400, 60, 40)
    field, none = find_fields([inside, outside], rules)
    assert none is None
    assert field is not None
    assert field == pytest.approx((200, 100, 200, 100), abs=20)
    assert find_fields([inside], np.zeros_like(rules)) == [None]
    assert find_fields([], rules) == []


def test_a_box_that_is_open_or_as_large_as_the_page_is_none() -> None:
    rules = np.zeros((1600, 1600), np.uint8)
    cv2.line(rules, (200, 100), (400, 100), 255, 3)
    cv2.line(rules, (200, 100), (200, 200), 255, 3)
    cv2.rectangle(rules, (20, 300), (1500, 1580), 255, 3)
    assert find_fields([(250, 130, 60, 40), (700, 900, 60, 40)], rules) == [None, None]


def draw_table(numbers: list[list[str]]) -> np.ndarray:
    """A ruled table of drawn numbers that nearly touch the lines between them; uint8 (h, w)."""
    rows, columns = len(numbers), len(numbers[0])
    page = np.full((140 * rows + 120, 170 * columns + 120), 235, np.uint8)
    for row, line in enumerate(numbers):
        for column, text in enumerate(line):
            x, y = 60 + 170 * column + 24, 60 + 140 * row + 30
            for character in text:
                glyph = draw_digit(int(character), 80, 7)
                window = page[y : y + glyph.shape[0], x : x + glyph.shape[1]]
                np.minimum(window, 235 - (glyph * 0.8).astype(np.uint8), out=window)
                x += glyph.shape[1] + 10
    for row in range(rows + 1):
        cv2.line(page, (60, 60 + 140 * row), (60 + 170 * columns, 60 + 140 * row), 90, 2)
    for column in range(columns + 1):
        cv2.line(page, (60 + 170 * column, 60), (60 + 170 * column, 60 + 140 * rows), 90, 2)
    return page


def test_a_drawn_table_end_to_end() -> None:
    numbers = [["20", "34", "56"], ["78", "90", "23"], ["45", "62", "30"], ["82", "53", "46"]]
    reading = Reader(threads=1).read(draw_table(numbers))
    assert [line.text.split() for line in reading.lines] == numbers
    entries = [number.to_dict() for number in reading.numbers]
    assert [(entry["row"], entry["column"]) for entry in entries] == [(row, column) for row in range(1, 5) for column in range(1, 4)]
    x, y, w, h = entries[4]["field"]
    assert (x, y, w, h) == pytest.approx((230, 200, 170, 140), abs=20)


def test_the_place_stands_in_the_json_only_where_there_is_one() -> None:
    number = Number((Digit(4, 0.9, (1, 2, 3, 4)),))
    assert not {"row", "column", "field", "rule", "signs"} & set(number.to_dict())
    placed = Number(number.digits, place=Place(2, 3), field=(0, 0, 9, 9))
    assert {key: placed.to_dict()[key] for key in ("row", "column", "field")} == {"row": 2, "column": 3, "field": [0, 0, 9, 9]}
