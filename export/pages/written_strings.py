"""Puts a number that somebody wrote on a cheque onto a sheet, with another pen."""

from __future__ import annotations

import numpy as np

from export.pages.canvas import Canvas, WrittenNumber
from export.pages.pens import Pen
from export.pages.sheet import Box
from export.pages.string_source import WrittenString


def write_string(canvas: Canvas, pen: Pen, string: WrittenString, box: Box, row: int | None, rng: np.random.Generator) -> None:
    """Writes a whole string into a box, as large as it fits, a little stretched, sheared and turned.

    Signs in it (points, dashes) come along unnoted: nobody labelled them.
    """
    x, y, w, h = box
    source_h, source_w = string.ink.shape
    tallest = max(digit[3] for _, digit in string.digits)
    scale = min(w / source_w, h / tallest) * float(rng.uniform(0.8, 1.0))
    stretch, shear, turn = float(np.exp(rng.normal(0, 0.08))), float(rng.normal(0, 0.12)), float(rng.normal(0, 0.02))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = scale * np.array([[cos * stretch, -sin - shear], [sin * stretch, cos]])
    centre = np.array([source_w / 2, source_h / 2])
    at = np.array([x + w / 2, y + h / 2]) + rng.normal(0, h * 0.03, 2)
    corners = np.array([[0, 0], [source_w, 0], [0, source_h]], np.float64)
    placed = (corners - centre) @ matrix.T + at
    drawn = canvas.layer(pen).draw_bitmap(string.ink, np.column_stack([placed, np.ones(3)]).astype(np.float32))
    if drawn is None:
        return
    digits = []
    for value, (left, top, wide, high) in string.digits:
        rim = np.array([[left, top], [left + wide, top], [left, top + high], [left + wide, top + high]])
        mapped = (rim - centre) @ matrix.T + at
        low, high_corner = mapped.min(axis=0), mapped.max(axis=0)
        # A shear widens the box around the corners by more than the ink.
        slack = abs(shear) * scale * high * 0.35
        clipped, share = canvas.clip(
            (float(low[0]) + slack, float(low[1]), float(high_corner[0] - low[0]) - 2 * slack, float(high_corner[1] - low[1]))
        )
        if clipped is not None and share > 0.8:
            digits.append((value, clipped))
    if digits:
        canvas.add_number(WrittenNumber("".join(str(value) for value, _ in digits), tuple(digits), row))
    canvas.take(drawn)
