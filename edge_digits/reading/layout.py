"""Lines and numbers: which digits stand together, in the order a person reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.context import adapt_to_page
from edge_digits.reading.expect import Expectation
from edge_digits.reading.expected_numbers import expected_numbers
from edge_digits.reading.numbers import Group, group_digits, to_frame_box, to_numbers
from edge_digits.reading.reading import Line, Number
from edge_digits.reading.signs import SignFinder, without_commas
from edge_digits.reading.tables import find_fields, find_places
from edge_digits.reading.words import drop_words, is_letter, restore_ones
from edge_digits.recognition.decode import Candidate, Chosen

SMALLEST_DIGIT: Final = 0.33
"""Digits lower than this share of the page's median digit are points, commas or dust."""
LARGEST_DIGIT: Final = 3.0
SURE: Final = 0.8
SAME_LINE: Final = 0.8
"""Centres of neighbours on one line differ by at most this many heights."""
LEAST_OVERLAP: Final = 0.2
"""Share of the smaller one's height that neighbours on one line have in common."""


def arrange(chosen: Chosen, min_confidence: float, expectation: Expectation | None = None) -> tuple[Line, ...]:
    """Lines of a page, top to bottom, numbers left to right.

    min_confidence : digits below it are "?". expectation : what numbers are. Boxes come out in pixels of the Frame.
    """
    kept = _plausible(chosen)
    page = chosen.glyphs.ink.page
    rows = _rows(without_commas(kept))
    signs = SignFinder(chosen.glyphs, rows)
    lines = [group_digits(*signs.find(row), chosen.glyphs.ink.rules) for row in rows]
    if expectation is None:
        numbers = iter(to_numbers([group for groups in lines for group in groups], page, min_confidence))
        found = [[(group, next(numbers)) for group in groups] for groups in lines]
    else:
        found = [expected_numbers(groups, expectation, page, min_confidence) for groups in lines]
    return _with_places(found, chosen)


def _with_places(lines: list[list[tuple[Group, Number]]], chosen: Chosen) -> tuple[Line, ...]:
    """The lines with each number's place in a table and the printed box around it."""
    boxes = [group.box for line in lines for group, _ in line]
    ink = chosen.glyphs.ink
    places = iter(zip(find_places(boxes), find_fields(boxes, ink.rules), strict=True))
    placed = []
    for line in lines:
        numbers = []
        for _, number in line:
            place, field = next(places)
            if place is not None or field is not None:
                number = replace(number, place=place, field=None if field is None else to_frame_box(field, ink.page))  # noqa: PLW2901
            numbers.append(number)
        placed.append(Line(tuple(numbers)))
    return tuple(placed)


def _plausible(chosen: Chosen) -> list[Candidate]:
    """Candidates that are digits by their own looks, by their size among the others, and by their neighbours."""
    digits = [c for c in chosen.candidates if not is_letter(c)]
    sure = [c for c in digits if c.digit_probability > SURE and c.digit != 1] or digits
    if not sure:
        return []
    height = float(np.median([max(c.box[3], c.box[2]) for c in sure]))
    large = [c for c in chosen.candidates if max(c.box[2], c.box[3]) >= SMALLEST_DIGIT * height]
    adapted = adapt_to_page(large, height, chosen.not_one_digit_share)
    kept = restore_ones(drop_words(adapted, height), adapted, height)
    return [c for c in kept if max(c.box[2], c.box[3]) <= LARGEST_DIGIT * height]


def _rows(digits: list[Candidate]) -> list[list[Candidate]]:
    """Digits grouped to lines: chains of nearest neighbours to the right, chains that continue each other joined."""
    if not digits:
        return []
    boxes = np.array([c.box for c in digits], np.float64)
    steps = _steps(boxes)
    follower, leader = steps.argmin(axis=1), steps.argmin(axis=0)
    reachable = np.isfinite(steps.min(axis=1))
    row_of = np.arange(len(digits))
    linked = [(i, int(j)) for i, j in enumerate(follower) if reachable[i]]
    mutual = [(i, j) for i, j in linked if leader[j] == i]
    for i, j in sorted(mutual, key=lambda pair: float(steps[pair])):
        row_of[row_of == row_of[j]] = row_of[i]
    for i, j in sorted(linked, key=lambda pair: float(boxes[pair[0], 0])):
        if row_of[i] != row_of[j] and _disjoint(boxes[row_of == row_of[i]], boxes[row_of == row_of[j]]):
            row_of[row_of == row_of[j]] = row_of[i]
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    rows = [sorted(np.flatnonzero(row_of == row), key=lambda i: float(middle[i, 0])) for row in np.unique(row_of)]
    rows.sort(key=lambda row: float(np.median(middle[row, 1])))
    return [[digits[i] for i in row] for row in rows]


def _steps(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the eye travels from each digit (row) to each other one (column) on its right, in digit heights;
    infinite where they are not on one line."""
    left, top, width, height = boxes.T
    x, y = left + width / 2, top + height / 2
    tallest = np.maximum(np.maximum(height[:, None], height[None]), 1.0)
    across = np.maximum(0.0, left[None] - left[:, None] - width[:, None]) / tallest
    down = np.abs(y[None] - y[:, None]) / tallest
    bottom = top + height
    shared = np.minimum(bottom[:, None], bottom[None]) - np.maximum(top[:, None], top[None])
    on_line = (down <= SAME_LINE) & (shared >= LEAST_OVERLAP * np.minimum(height[:, None], height[None])) & (x[None] > x[:, None])
    return np.where(on_line, across + 2.0 * down, np.inf)


def _disjoint(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether one row of boxes ends before the other begins."""
    a_left, a_right = a[:, 0].min(), (a[:, 0] + a[:, 2]).max()
    b_left, b_right = b[:, 0].min(), (b[:, 0] + b[:, 2]).max()
    shorter = min(a_right - a_left, b_right - b_left)
    return bool(min(a_right, b_right) - max(a_left, b_left) < 0.3 * shorter)
