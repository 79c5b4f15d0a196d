"""Lines and numbers: which digits stand together, in the order a person reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.page import Page
from edge_digits.reading.reading import Box, Digit, Line, Number
from edge_digits.recognition.decode import Candidate, Chosen
from edge_digits.recognition.weights import NOT_ONE_DIGIT

SMALLEST_DIGIT: Final = 0.33
"""Digits lower than this share of the page's median digit are points, commas or dust."""
LARGEST_DIGIT: Final = 3.0
GARBAGE_LIMIT: Final = 0.5
NUMBER_GAP: Final = 0.75
"""Digits further apart than this share of their height belong to different numbers."""
LINE_GAP: Final = 4.0
"""Digits further apart than this many heights are chained to a line only by the whole line's slope."""
STEEPEST_LINE: Final = 0.5
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
    """Candidates that are digits by their own looks and by their size among the others."""
    digits = [c for c in chosen.candidates if c.garbage_probability < GARBAGE_LIMIT]
    sure = [c for c in digits if c.digit_probability > 0.8] or digits
    if not sure:
        return []
    height = float(np.median([max(c.box[3], c.box[2]) for c in sure]))
    return [c for c in digits if SMALLEST_DIGIT * height <= max(c.box[2], c.box[3]) <= LARGEST_DIGIT * height]


def _rows(digits: list[Candidate]) -> list[list[Candidate]]:
    """Digits grouped to lines: each joins the line whose last digits it continues."""
    rows: list[list[Candidate]] = []
    for digit in sorted(digits, key=lambda c: c.box[0]):
        best, best_miss = None, 0.55
        for row in rows:
            miss = _vertical_miss(row, digit)
            if miss < best_miss:
                best, best_miss = row, miss
        if best is None:
            rows.append([digit])
        else:
            best.append(digit)
    return sorted(rows, key=lambda row: float(np.median([c.box[1] + c.box[3] / 2 for c in row])))


def _vertical_miss(row: list[Candidate], digit: Candidate) -> float:
    """How far a digit lies off the line continued to it, in digit heights."""
    last = row[-4:]
    centres = np.array([[c.box[0] + c.box[2] / 2, c.box[1] + c.box[3] / 2] for c in last])
    x, y = digit.box[0] + digit.box[2] / 2, digit.box[1] + digit.box[3] / 2
    height = max(float(np.median([c.box[3] for c in last])), digit.box[3] * 0.7)
    slope = 0.0
    if len(last) > 1 and np.ptp(centres[:, 0]) > 0.8 * height:
        slope = float(np.clip(np.polyfit(centres[:, 0], centres[:, 1], 1)[0], -STEEPEST_LINE, STEEPEST_LINE))
    reach = x - centres[-1, 0]
    if reach > LINE_GAP * height:
        slope *= LINE_GAP * height / reach
    expected = centres[:, 1].mean() + slope * (x - centres[:, 0].mean())
    return abs(y - expected) / height


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
