"""The settled page: the numbers that voting agreed on, arranged as they stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edge_digits.live.tracking import Homography, moved_box
from edge_digits.reading.reading import Box, Digit, Line, Number, Reading


@dataclass(frozen=True, slots=True)
class SettledNumber:
    """A number that stood still and agreed with itself.

    identity : stays with it while it is in sight. number : the most confident of the agreeing votes.
    votes : how many of the last `frames` frames agreed.
    """

    identity: int
    number: Number
    votes: int
    frames: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: that of the number, and "id", "votes", "frames"."""
        return {"id": self.identity, **self.number.to_dict(), "votes": self.votes, "frames": self.frames}


@dataclass(frozen=True, slots=True)
class SettledPage:
    """The settled numbers of a frame. reading : with these numbers only. lines : the same, line by line."""

    reading: Reading
    lines: tuple[tuple[SettledNumber, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of the reading, in which each number has "id", "votes" and "frames" too."""
        entry = self.reading.to_dict()
        for line, settled in zip(entry["lines"], self.lines, strict=True):
            line["numbers"] = [number.to_dict() for number in settled]
        return entry


def settled_page(reading: Reading, settled: list[tuple[SettledNumber, Box]]) -> SettledPage:
    """Arrange settled numbers by the lines of the reading of the same frame.

    settled : each with the box where it was seen last. A number that this one frame missed joins the line at its height.
    """
    lines: list[list[SettledNumber]] = [[] for _ in reading.lines]
    spans = [(line.box[1], line.box[1] + line.box[3]) for line in reading.lines]
    for number, box in settled:
        at = _line_of(reading, box)
        if at is None:
            at = _nearest(spans, box)
        if at is None:
            at = len(lines)
            lines.append([])
            spans.append((box[1], box[1] + box[3]))
        lines[at].append(_moved(number, box))
    order = sorted((i for i, line in enumerate(lines) if line), key=lambda i: sum(spans[i]))
    rows = tuple(tuple(sorted(lines[i], key=lambda n: n.number.box[0])) for i in order)
    return SettledPage(replace(reading, lines=tuple(Line(tuple(n.number for n in row)) for row in rows)), rows)


def moved_page(page: SettledPage, homography: Homography) -> SettledPage:
    """The same page where a homography, float64 (3, 3), moves it; the lines keep their numbers."""
    if np.allclose(homography, np.eye(3), atol=1e-3):
        return page
    rows = tuple(tuple(replace(n, number=_carried(n.number, homography)) for n in row) for row in page.lines)
    return SettledPage(replace(page.reading, lines=tuple(Line(tuple(n.number for n in row)) for row in rows)), rows)


def _carried(number: Number, homography: Homography) -> Number:
    digits = tuple(replace(d, box=moved_box(d.box, homography)) for d in number.digits)
    return replace(number, digits=digits, signs=tuple(replace(s, box=moved_box(s.box, homography)) for s in number.signs))


def _line_of(reading: Reading, box: Box) -> int | None:
    return next((i for i, line in enumerate(reading.lines) if any(n.box == box for n in line.numbers)), None)


def _nearest(spans: list[tuple[int, int]], box: Box) -> int | None:
    """The line that shares at least half of the box's height."""
    shared = [min(bottom, box[1] + box[3]) - max(top, box[1]) for top, bottom in spans]
    best = max(range(len(spans)), key=lambda i: shared[i], default=None)
    return best if best is not None and shared[best] * 2 >= box[3] else None


def _moved(settled: SettledNumber, box: Box) -> SettledNumber:
    """The number where it was seen last; the vote it was taken from may be some pixels off."""
    old = settled.number.box
    dx, dy = box[0] + box[2] // 2 - old[0] - old[2] // 2, box[1] + box[3] // 2 - old[1] - old[3] // 2
    if not (dx or dy):
        return settled
    digits = tuple(_moved_digit(d, dx, dy) for d in settled.number.digits)
    signs = tuple(replace(s, box=(s.box[0] + dx, s.box[1] + dy, *s.box[2:])) for s in settled.number.signs)
    return replace(settled, number=replace(settled.number, digits=digits, signs=signs))


def _moved_digit(digit: Digit, dx: int, dy: int) -> Digit:
    x, y, w, h = digit.box
    return replace(digit, box=(x + dx, y + dy, w, h))
