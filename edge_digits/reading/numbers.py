"""Numbers: which digits of a row belong together, with the signs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.page import Page
from edge_digits.reading.reading import Box, Digit, Number, Sign
from edge_digits.reading.signs import NUMBER_GAP, Mark
from edge_digits.recognition.decode import Candidate
from edge_digits.recognition.weights import NOT_ONE_DIGIT

WALL_SHARE: Final = 0.8
"""A rule that covers this share of the height that two digits have in common stands between them."""
FIELD_DIGITS: Final = 3
"""So many digits and more, each in a box of its own and close together, are one number."""
LIKELY_KINDS: Final = 2
"""A number holds at most so many kinds of points, commas and colons; more are specks."""


@dataclass(frozen=True, slots=True)
class Group:
    """Glyphs of one number, left to right, and its signs; `before` of each counts from the group's first digit."""

    digits: tuple[Candidate, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height around the digits, in page pixels."""
        # A few boxes: plain numbers are quicker than arrays.
        boxes = [d.box for d in self.digits]
        left, top = min(x for x, _, _, _ in boxes), min(y for _, y, _, _ in boxes)
        return left, top, max(x + w for x, _, w, _ in boxes) - left, max(y + h for _, y, _, h in boxes) - top


def group_digits(row: list[Candidate], marks: list[Mark], rules: NDArray[np.uint8]) -> list[Group]:
    """Numbers of a row of digits, left to right.

    marks : the signs of the row. rules : uint8 (h, w), 255 on ruled lines; numbers do not reach from one box into the next.
    """
    starts = {m.before for m in marks if m.starts}
    joined = {m.before for m in marks if not m.starts}
    apart = {i for i in range(1, len(row)) if i in starts or (i not in joined and gap_between(row[i - 1], row[i]) > NUMBER_GAP)}
    apart |= _walls(row, sorted(apart), rules) - joined
    bounds = [0, *sorted(apart), len(row)]
    groups = []
    for first, end in pairwise(bounds):
        own = [Mark(m.mark, m.before - first, m.box, m.starts) for m in marks if first <= m.before < end and (m.before > first or m.starts)]
        groups.append(Group(tuple(row[first:end]), tuple(_likely(own))))
    return groups


def _walls(row: list[Candidate], bounds: list[int], rules: NDArray[np.uint8]) -> set[int]:
    """Digits with an upright rule between them and the one before. One box a digit is a form's field, no table."""
    found: set[int] = set()
    for first, end in pairwise([0, *bounds, len(row)]):
        walls = {i for i in range(first + 1, end) if _is_wall(row[i - 1].box, row[i].box, rules)}
        if end - first < FIELD_DIGITS or len(walls) < end - first - 1:
            found |= walls
    return found


def _is_wall(left: Box, right: Box, rules: NDArray[np.uint8]) -> bool:
    top, foot = max(left[1], right[1]), min(left[1] + left[3], right[1] + right[3])
    window = rules[max(0, top) : max(0, foot), max(0, left[0] + left[2] // 2) : max(0, right[0] + right[2] // 2)]
    return bool(window.size and window.any() and ((window > 0).mean(axis=0) >= WALL_SHARE).any())


def gap_between(left: Candidate, right: Candidate) -> float:
    """Free space between two glyphs, in their mean height; negative where they overlap."""
    return (right.box[0] - left.box[0] - left.box[2]) / max(1.0, 0.5 * (left.box[3] + right.box[3]))


def to_numbers(groups: Sequence[Group], page: Page, min_confidence: float) -> list[Number]:
    """Numbers in pixels of the Frame. min_confidence : digits below it are "?"."""
    ours = [box for group in groups for box in (*(c.box for c in group.digits), *(m.box for m in group.marks))]
    boxes = iter(to_frame_boxes(ours, page))
    guesses = iter(_guesses([c for group in groups for c in group.digits]))
    return [
        Number(
            tuple(_digit(next(guesses), next(boxes), min_confidence) for _ in group.digits),
            tuple(Sign(m.mark, m.before, next(boxes)) for m in group.marks),
        )
        for group in groups
    ]


def _likely(marks: list[Mark]) -> list[Mark]:
    """The signs, without points, commas and colons where they are of too many kinds to be meant."""
    small = {m.mark for m in marks if m.mark in ".,:"}
    return marks if len(small) <= LIKELY_KINDS else [m for m in marks if m.mark not in small]


def _guesses(digits: Sequence[Candidate]) -> list[tuple[tuple[int, float], ...]]:
    """For each glyph all ten digits with their probabilities, best first."""
    rows = np.array([c.probabilities[:NOT_ONE_DIGIT] for c in digits], np.float32).reshape(-1, NOT_ONE_DIGIT)
    ranked = np.argsort(rows, axis=1)[:, ::-1]
    values = np.take_along_axis(rows, ranked, axis=1)
    return [tuple(zip(*pair, strict=True)) for pair in zip(ranked.tolist(), values.tolist(), strict=True)]


def _digit(guesses: tuple[tuple[int, float], ...], box: Box, min_confidence: float) -> Digit:
    digit, confidence = guesses[0]
    return Digit(digit if confidence >= min_confidence else None, confidence, box, guesses)


def to_frame_box(box: tuple[int, int, int, int], page: Page) -> Box:
    """A box of page pixels as the upright box around it in pixels of the Frame, cut at its edges."""
    return to_frame_boxes([box], page)[0]


def to_frame_boxes(boxes: Sequence[tuple[int, int, int, int]], page: Page) -> list[Box]:
    """Boxes of page pixels as the upright boxes around them in pixels of the Frame, cut at its edges."""
    x, y, w, h = np.array(boxes, np.float64).reshape(-1, 4).T
    corners = np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1).reshape(1, -1, 2)
    if not corners.size:
        return []
    there = np.asarray(cv2.perspectiveTransform(corners, page.to_frame), np.float64).reshape(-1, 4, 2)
    width, height = page.frame_size
    first = np.clip(np.floor(there.min(axis=1)), 0, [width - 1, height - 1]).astype(int)
    end = np.clip(np.ceil(there.max(axis=1)), 1, [width, height]).astype(int)
    sizes = np.maximum(1, end - first)
    return [(left, top, wide, high) for (left, top), (wide, high) in zip(first.tolist(), sizes.tolist(), strict=True)]
