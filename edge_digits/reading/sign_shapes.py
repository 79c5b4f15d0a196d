"""What a small piece of ink between digits looks like: a point, a comma, a dash, two points of a colon.

Lengths are in heights of the digits beside it, thickness in their stroke widths.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from edge_digits.recognition.decode import Candidate

Piece = tuple[int, int, int, int, int]
"""x, y, width, height and pixels of a connected piece of ink."""

LARGEST_POINT: Final = 0.32
"""Longest side of a point, in digit heights; so are all sizes and distances below."""
LONGEST_COMMA: Final = 0.6
SHORTEST_DASH: Final = 0.18
LONGEST_DASH: Final = 1.2
STEEPEST_DASH: Final = 0.7
"""Rise of a slanting dash over its length."""
SLANTING_FILL: Final = 0.58
LOWEST_LEVEL: Final = 0.72
"""A point lies at least so far down, from 0 at the top of the digits to 1 at their foot."""
FINEST: Final = 0.45
THICKEST: Final = 2.4
"""Bounds of a sign's stroke, in stroke widths of the digits beside it."""


class Gap:
    """The space between two digits, or before the first of a row; lengths in page pixels."""

    def __init__(self, left: Candidate | None, right: Candidate, height: float) -> None:
        x, y, w, h = right.box
        self.height = height
        self.end = x + 0.5 * w
        self._right_edge = float(x)
        if left is None:
            self.start, self._left_edge = x - 2 * height, -np.inf
            self.top, self.foot = float(y), float(y + h)
        else:
            lx, ly, lw, lh = left.box
            self.start, self._left_edge = lx + 0.5 * lw, float(lx + lw)
            self.top, self.foot = (y + ly) / 2, (y + h + ly + lh) / 2

    def level(self, y: float) -> float:
        """Height of a pixel row on the digits: 0 at their top, 1 at their foot."""
        return (y - self.top) / max(1.0, self.foot - self.top)

    def distances(self, piece: Piece) -> tuple[float, float]:
        """From a piece to the digit on its left and on its right, in digit heights; negative where they overlap."""
        return (piece[0] - self._left_edge) / self.height, (self._right_edge - piece[0] - piece[2]) / self.height


def is_dash(piece: Piece, size: float, width: float) -> bool:
    """Whether a piece is a short level stroke. size : digit height, width : of the pen's stroke, both in pixels."""
    _, _, w, h, area = piece
    # A slanting dash fills little of its box, a blob much.
    slanting = h <= STEEPEST_DASH * w and area <= SLANTING_FILL * w * h
    flat = 2.2 * h <= w or (1.6 * h <= w and h <= 1.9 * width)
    return (flat or slanting) and SHORTEST_DASH * size <= w <= LONGEST_DASH * size and FINEST * width <= area / w <= THICKEST * width


def name_small(piece: Piece, gap: Gap) -> str:
    """A piece as a point, a comma or a part of a colon, "" as none of them."""
    _, y, w, h, _ = piece
    size = gap.height
    below = y + h - gap.foot
    hangs = 0.1 * size <= below <= 0.55 * size and h >= 1.25 * w
    if hangs and h <= LONGEST_COMMA * size and w <= 0.45 * size and y > gap.foot - 0.35 * size:
        return ","
    if max(w, h) > LARGEST_POINT * size or 2.2 * min(w, h) < max(w, h):
        return ""
    middle = gap.level(y + h / 2)
    if LOWEST_LEVEL <= middle <= 1.25:
        return "."
    return "^" if 0.1 <= middle < LOWEST_LEVEL else ""


def join_colon(found: list[tuple[str, Piece]], gap: Gap) -> tuple[str, Piece] | None:
    """Two points above each other as one sign."""
    if len(found) != 2 or any(mark not in "^." for mark, _ in found):
        return None
    (ux, uy, uw, uh, ua), (lx, ly, lw, lh, la) = sorted((piece for _, piece in found), key=lambda piece: piece[1])
    apart = (ly + lh / 2 - uy - uh / 2) / gap.height
    if abs(ux + uw / 2 - lx - lw / 2) > 0.25 * gap.height or not 0.2 <= apart <= 0.85 or max(ua, la) > 3.5 * min(ua, la):
        return None
    left, right = min(ux, lx), max(ux + uw, lx + lw)
    return ":", (left, uy, right - left, ly + lh - uy, ua + la)
