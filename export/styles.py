"""Written forms that the training sets lack: the barred 7, the 1 with flag and foot, the slashed 0.

MNIST and USPS are American: a plain 7, a bare stroke for 1. Elsewhere a 7 is barred and a 1 has an upstroke and often a
foot; readers trained without them take the one for a 4 or no digit and the other for a 2 or 7.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import stroke_width

Glyph = NDArray[np.uint8]

DRAWING_SIDE_PX: Final = 56
RIM_PX: Final = 14
STYLE_SHARE: Final = {0: 0.04, 1: 0.35, 7: 0.35}
"""How often a glyph of each label is redrawn; others never are."""


def foreign_form(glyph: Glyph, label: int, rng: np.random.Generator) -> Glyph:
    """A glyph of label 0, 1 or 7, sometimes with the strokes that other countries add; others unchanged.

    glyph : uint8 (h, w), ink up to 255, paper 0. Returns uint8 (h', w').
    """
    if rng.random() >= STYLE_SHARE.get(label, 0.0):
        return glyph
    scale = DRAWING_SIDE_PX / max(glyph.shape)
    size = max(1, round(glyph.shape[1] * scale)), max(1, round(glyph.shape[0] * scale))
    ink = cv2.copyMakeBorder(cv2.resize(glyph, size, interpolation=cv2.INTER_LINEAR), *[RIM_PX] * 4, cv2.BORDER_CONSTANT, value=0)
    rows = np.flatnonzero((ink > 127).any(axis=1))
    if rows.size < DRAWING_SIDE_PX // 4:
        return glyph
    pen = max(1, round(stroke_width(np.asarray(ink, np.uint8)) * rng.uniform(0.7, 1.1)))
    draw = {0: _slash_zero, 1: _flag_one, 7: _bar_seven}[label]
    draw(np.asarray(ink), int(rows[0]), int(rows[-1]), pen, rng)
    return np.asarray(ink, np.uint8)


def _middle(ink: Glyph, row: int) -> int | None:
    columns = np.flatnonzero(ink[min(max(row, 0), ink.shape[0] - 1)] > 127)
    return int(columns.mean()) if columns.size else None


def _line(ink: Glyph, start: tuple[float, float], end: tuple[float, float], pen: int) -> None:
    cv2.line(ink, (round(start[0]), round(start[1])), (round(end[0]), round(end[1])), 255, pen, cv2.LINE_AA)


def _bar_seven(ink: Glyph, top: int, bottom: int, pen: int, rng: np.random.Generator) -> None:
    height = bottom - top
    row = top + round(height * rng.uniform(0.42, 0.62))
    x = _middle(ink, row)
    if x is None:
        return
    left, right = height * rng.uniform(0.13, 0.32), height * rng.uniform(0.13, 0.32)
    tilt = height * rng.uniform(-0.06, 0.1)
    _line(ink, (x - left, row + tilt), (x + right, row - tilt), pen)


def _flag_one(ink: Glyph, top: int, bottom: int, pen: int, rng: np.random.Generator) -> None:
    height = bottom - top
    head, foot = _middle(ink, top + pen // 2), _middle(ink, bottom - pen // 2)
    columns = np.flatnonzero((ink > 127).any(axis=0))
    # A 1 that is wide has its flag or foot already.
    if head is None or foot is None or columns[-1] - columns[0] > 0.55 * height:
        return
    kind = rng.random()
    if kind < 0.85:
        reach, drop = height * rng.uniform(0.12, 0.36), height * rng.uniform(0.1, 0.42)
        _line(ink, (head, top + pen / 2), (head - reach, top + drop), pen)
    if kind > 0.45:
        left, right = height * rng.uniform(0.12, 0.36), height * rng.uniform(0.12, 0.36)
        tilt = height * rng.uniform(-0.05, 0.05)
        _line(ink, (foot - left, bottom - pen / 2 + tilt), (foot + right, bottom - pen / 2 - tilt), pen)


def _slash_zero(ink: Glyph, top: int, bottom: int, pen: int, rng: np.random.Generator) -> None:
    columns = np.flatnonzero((ink > 127).any(axis=0))
    over = (bottom - top) * rng.uniform(-0.15, 0.08)
    _line(ink, (columns[0] - over, bottom + over), (columns[-1] + over, top - over), max(1, pen - 1))
