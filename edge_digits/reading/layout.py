"""Lines and numbers: which digits stand together, in the order a person reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.page import Page
from edge_digits.reading.context import adapt_to_page
from edge_digits.reading.reading import Box, Digit, Line, Number
from edge_digits.reading.words import drop_words, is_letter
from edge_digits.recognition.decode import Candidate, Chosen
from edge_digits.recognition.weights import NOT_ONE_DIGIT

SMALLEST_DIGIT: Final = 0.33
"""Digits lower than this share of the page's median digit are points, commas or dust."""
LARGEST_DIGIT: Final = 3.0
SURE: Final = 0.8
NUMBER_GAP: Final = 0.75
"""Digits further apart than this share of their height belong to different numbers."""
SAME_LINE: Final = 0.7
"""Centres of neighbours on one line differ by at most this many heights."""
LEAST_OVERLAP: Final = 0.2
"""Share of the smaller one's height that neighbours on one line have in common."""
CANDIDATES_KEPT: Final = 3


def arrange(chosen: Chosen, min_confidence: float) -> tuple[Line, ...]:
    """Lines of a page, top to bottom, numbers left to right.

    min_confidence : digits below it are "?". Boxes come out in pixels of the Frame.
    """
    kept = _plausible(chosen)
    page = chosen.glyphs.ink.page
    lines = [_numbers(row, page, min_confidence) for row in _rows(kept)]
    return tuple(Line(tuple(numbers)) for numbers in lines if numbers)


def _plausible(chosen: Chosen) -> list[Candidate]:
    """Candidates that are digits by their own looks, by their size among the others, and by their neighbours."""
    digits = [c for c in chosen.candidates if not is_letter(c)]
    sure = [c for c in digits if c.digit_probability > SURE and c.digit != 1] or digits
    if not sure:
        return []
    height = float(np.median([max(c.box[3], c.box[2]) for c in sure]))
    large = [c for c in chosen.candidates if max(c.box[2], c.box[3]) >= SMALLEST_DIGIT * height]
    return [c for c in drop_words(adapt_to_page(large, height), height) if max(c.box[2], c.box[3]) <= LARGEST_DIGIT * height]


def _rows(digits: list[Candidate]) -> list[list[Candidate]]:
    """Digits grouped to lines: chains of nearest neighbours to the right, chains that continue each other joined."""
    rows = [[c] for c in digits]
    follower = {i: _nearest(digits[i], digits, forward=True) for i in range(len(digits))}
    leader = {i: _nearest(digits[i], digits, forward=False) for i in range(len(digits))}
    row_of = list(range(len(digits)))
    pairs = [(i, j) for i, j in follower.items() if j is not None and leader[j] == i]
    for i, j in sorted(pairs, key=lambda pair: _step(digits[pair[0]], digits[pair[1]])):
        _merge(rows, row_of, row_of[i], row_of[j], digits)
    for i, j in sorted(follower.items(), key=lambda item: digits[item[0]].box[0]):
        if j is not None and row_of[i] != row_of[j] and _disjoint(rows[row_of[i]], rows[row_of[j]]):
            _merge(rows, row_of, row_of[i], row_of[j], digits)
    kept = [sorted(row, key=lambda c: c.box[0] + c.box[2] / 2) for row in rows if row]
    return sorted(kept, key=lambda row: float(np.median([c.box[1] + c.box[3] / 2 for c in row])))


def _merge(rows: list[list[Candidate]], row_of: list[int], into: int, other: int, digits: list[Candidate]) -> None:
    if into == other:
        return
    rows[into].extend(rows[other])
    rows[other] = []
    for index in range(len(digits)):
        if row_of[index] == other:
            row_of[index] = into


def _disjoint(a: list[Candidate], b: list[Candidate]) -> bool:
    """Whether one row ends before the other begins."""
    a_left, a_right = min(c.box[0] for c in a), max(c.box[0] + c.box[2] for c in a)
    b_left, b_right = min(c.box[0] for c in b), max(c.box[0] + c.box[2] for c in b)
    shorter = min(a_right - a_left, b_right - b_left)
    return min(a_right, b_right) - max(a_left, b_left) < 0.3 * shorter


def _nearest(digit: Candidate, digits: list[Candidate], *, forward: bool) -> int | None:
    """Index of the neighbour on the same line: to the right (forward) or to the left."""
    best, best_step = None, np.inf
    for index, other in enumerate(digits):
        left, right = (digit, other) if forward else (other, digit)
        if other is not digit and _centre(right)[0] > _centre(left)[0]:
            step = _step(left, right)
            if step < best_step:
                best, best_step = index, step
    return best


def _centre(c: Candidate) -> tuple[float, float]:
    return c.box[0] + c.box[2] / 2, c.box[1] + c.box[3] / 2


def _step(left: Candidate, right: Candidate) -> float:
    """How far the eye travels from one digit to the next, in heights; infinite when they are not on one line."""
    height = max(left.box[3], right.box[3], 1)
    across = max(0.0, (right.box[0] - left.box[0] - left.box[2]) / height)
    down = abs(_centre(left)[1] - _centre(right)[1]) / height
    overlap = min(left.box[1] + left.box[3], right.box[1] + right.box[3]) - max(left.box[1], right.box[1])
    if down > SAME_LINE or overlap < LEAST_OVERLAP * min(left.box[3], right.box[3]):
        return np.inf
    return across + 2.0 * down


def _numbers(row: list[Candidate], page: Page, min_confidence: float) -> list[Number]:
    numbers: list[list[Candidate]] = []
    for digit in row:
        if numbers and _gap(numbers[-1][-1], digit) <= NUMBER_GAP:
            numbers[-1].append(digit)
        else:
            numbers.append([digit])
    return [Number(tuple(_digit(c, page, min_confidence) for c in group)) for group in numbers]


def _gap(left: Candidate, right: Candidate) -> float:
    return (right.box[0] - left.box[0] - left.box[2]) / max(1.0, 0.5 * (left.box[3] + right.box[3]))


def _digit(candidate: Candidate, page: Page, min_confidence: float) -> Digit:
    ranked = np.argsort(candidate.probabilities[:NOT_ONE_DIGIT])[::-1][:CANDIDATES_KEPT]
    guesses = tuple((int(d), float(candidate.probabilities[d])) for d in ranked)
    digit, confidence = guesses[0]
    return Digit(digit if confidence >= min_confidence else None, confidence, to_frame_box(candidate.box, page), guesses)


def to_frame_box(box: tuple[int, int, int, int], page: Page) -> Box:
    """A box of page pixels as the upright box around it in pixels of the Frame, cut at its edges."""
    x, y, w, h = box
    corners = np.array([[[x, y], [x + w, y], [x + w, y + h], [x, y + h]]], np.float64)
    there: NDArray[np.float64] = cv2.perspectiveTransform(corners, page.to_frame)[0]
    width, height = page.frame_size
    left, top = np.clip(np.floor(there.min(axis=0)), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(there.max(axis=0)), 1, [width, height]).astype(int)
    return int(left), int(top), int(max(1, right - left)), int(max(1, bottom - top))
