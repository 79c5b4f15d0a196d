"""Signs between drawn digits are read as they were written, and nothing else is read as a sign."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_digits import Reader
from edge_digits.paper.glyphs import Glyphs
from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.reading.signs import Mark, SignFinder
from edge_digits.recognition.decode import Candidate
from tests.strokes import draw_digit

HEIGHT = 80
PEN = 8
BASE = 160
"""Pixel row of the digits' foot."""

STROKES = {
    ".": ([((0, -3), (1, -3))], 14),
    ",": ([((6, -3), (0, 22))], 14),
    "-": ([((0, -38), (30, -39))], 34),
    "/": ([((0, 6), (34, -92))], 36),
    ":": ([((0, -10), (1, -10)), ((0, -52), (1, -52))], 14),
    "+": ([((0, -38), (36, -38)), ((18, -58), (18, -18))], 40),
    "=": ([((0, -30), (36, -30)), ((0, -50), (36, -50))], 40),
    "x": ([((0, 0), (40, -50)), ((40, 0), (0, -50))], 46),
}
"""Strokes of each sign as lines from the foot of the gap, and its width."""


def draw(text: str, ruled: bool = False) -> np.ndarray:
    """One line of digits and signs; a space is a wide gap. uint8 (h, w), dark ink on light paper."""
    ink, x = np.zeros((300, 1400), np.uint8), 120
    for character in text:
        if character == " ":
            x += 110
        elif character.isdecimal():
            glyph = draw_digit(int(character), HEIGHT, PEN)
            top = BASE - HEIGHT
            view = ink[top : top + glyph.shape[0], x : x + glyph.shape[1]]
            np.maximum(view, glyph, out=view)
            x += glyph.shape[1] + 16
        else:
            lines, width = STROKES[character]
            for (x0, y0), (x1, y1) in lines:
                cv2.line(ink, (x + 6 + x0, BASE + y0), (x + 6 + x1, BASE + y1), 255, PEN, cv2.LINE_AA)
            x += width + 22
    grey = 235.0 - 0.8 * ink.astype(np.float32) + np.random.default_rng(3).normal(0, 2, ink.shape)
    if ruled:
        for row in range(40, 300, 100):
            grey[row : row + 2] -= 60
    return np.clip(grey, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.mark.parametrize("text", ["12.50", "3,75", "404-2000", "03/04/2026", "14:35", "-72", "05.08.2023", "2,4 -6", "20 34"])
def test_signs_are_read_as_written(reader: Reader, text: str) -> None:
    assert reader.read(draw(text)).text == text


@pytest.mark.parametrize("text", ["12.50", "404-2000"])
def test_rules_on_the_paper_do_no_harm(reader: Reader, text: str) -> None:
    assert reader.read(draw(text, ruled=True)).text == text


@pytest.mark.parametrize(("text", "read"), [("2+4", "2 4"), ("2=4", "2 4"), ("24.", "24"), ("24, 36", "24 36"), ("24 ,36", "24 36")])
def test_what_is_no_sign_within_a_number_is_none(reader: Reader, text: str, read: str) -> None:
    found = reader.read(draw(text))
    assert not any(sign for number in found.numbers for sign in number.signs)
    assert found.text.replace(" ", "") == read.replace(" ", "")


def test_a_sign_tells_where_it_stands(reader: Reader) -> None:
    (number,) = reader.read(draw("12.50")).numbers
    (sign,) = number.signs
    entry = number.to_dict()
    assert entry["signs"] == [{"sign": ".", "before": 2, "box": list(sign.box)}]
    assert (number.text, number.value) == ("12.50", "12.50")
    x, y, w, h = sign.box
    assert number.digits[1].box[0] < x < x + w < number.digits[2].box[0] + number.digits[2].box[2]
    assert abs(y + h - BASE) < 12


def test_without_signs_the_json_is_as_before(reader: Reader) -> None:
    (number,) = reader.read(draw("2034")).numbers
    assert set(number.to_dict()) == {"text", "value", "confidence", "box", "digits"}


def row_of(*places: int) -> list[Candidate]:
    probabilities = np.zeros(11, np.float32)
    probabilities[3] = 1.0
    return [Candidate((x, 100, 24, 40), probabilities) for x in places]


def finder(pieces: list[tuple[int, int, int, int]], row: list[Candidate], rules: np.ndarray | None = None) -> SignFinder:
    """Digits and pieces as filled boxes."""
    strokes = np.zeros((300, 900), np.uint8)
    for x, y, w, h in [*(d.box for d in row), *pieces]:
        strokes[y : y + h, x : x + w] = 255
    for digit in row:  # A ring, so that the pen's width is that of a pen.
        x, y, w, h = digit.box
        strokes[y + 5 : y + h - 5, x + 5 : x + w - 5] = 0
    found = np.array([(x, y, w, h, w * h) for x, y, w, h in [*(d.box for d in row), *pieces]], np.int32)
    page = Page(strokes, np.eye(3), (900, 300), False)
    ink = Ink(strokes, strokes, np.zeros_like(strokes) if rules is None else rules, 1.0, page)
    return SignFinder(Glyphs((), (), 40.0, ink, found), [row])


POINT = (131, 134, 6, 6)
DASH = (127, 118, 16, 5)


def test_a_point_and_a_dash_between_two_digits() -> None:
    row = row_of(100, 145)
    assert finder([POINT], row).find(row)[1] == [Mark(".", 1, POINT)]
    assert finder([DASH], row).find(row)[1] == [Mark("-", 1, DASH)]


def test_on_a_page_full_of_specks_a_point_is_dirt() -> None:
    row = row_of(100, 145)
    specks = [(x, y, 6, 6) for x in range(10, 890, 20) for y in [10, 30, 50, 210, 230, 250, 270]]
    assert finder([POINT, *specks], row).find(row)[1] == []


def test_two_points_side_by_side_are_none() -> None:
    row = row_of(100, 160)
    assert finder([(131, 134, 6, 6), (145, 134, 6, 6)], row).find(row)[1] == []


def test_a_dash_that_goes_on_as_a_rule_is_none() -> None:
    row = row_of(100, 145)
    rules = np.zeros((300, 900), np.uint8)
    rules[119:122, 143:300] = 255
    assert finder([DASH], row, rules).find(row)[1] == []


def test_a_faint_point_is_dirt() -> None:
    row = row_of(100, 145)
    found = finder([POINT], row)
    x, y, w, h = POINT
    darkness = found._ink.darkness.copy()
    darkness[y : y + h, x : x + w] = 60
    object.__setattr__(found._ink, "darkness", darkness)
    assert found.find(row)[1] == []


def test_a_minus_stands_alone_before_its_digit() -> None:
    row = row_of(300, 330)
    minus = (270, 118, 16, 5)
    assert finder([minus], row).find(row)[1] == [Mark("-", 0, minus, starts=True)]
    letter = (235, 105, 25, 35)
    assert finder([minus, letter], row).find(row)[1] == []


def test_without_ink_there_is_nothing() -> None:
    row = row_of(100)
    assert finder([], row).find(row) == (row, [])
