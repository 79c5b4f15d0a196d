"""Digits drawn with a pen of any width: pictures for tests that owe nothing to a data set or a font."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

SUBPIXEL_BITS: Final = 4


def _arc(cx: float, cy: float, rx: float, ry: float, start_deg: float, end_deg: float) -> list[tuple[float, float]]:
    steps = max(2, int(abs(end_deg - start_deg) / 8))
    angles = [math.radians(start_deg + (end_deg - start_deg) * i / steps) for i in range(steps + 1)]
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


# Strokes in a box 0.6 wide and 1 high, x to the right, y down, as the pen goes.
STROKES: Final[dict[int, list[list[tuple[float, float]]]]] = {
    0: [_arc(0.30, 0.50, 0.27, 0.48, -90, 270)],
    1: [[(0.34, 0.02), (0.26, 0.98)]],
    2: [[*_arc(0.30, 0.27, 0.24, 0.25, 195, 395), (0.05, 0.95), (0.58, 0.93)]],
    3: [[*_arc(0.27, 0.26, 0.24, 0.24, 200, 450), *_arc(0.27, 0.73, 0.28, 0.25, -85, 160)]],
    4: [[(0.14, 0.04), (0.06, 0.60), (0.58, 0.56)], [(0.46, 0.10), (0.42, 0.98)]],
    5: [[(0.52, 0.03), (0.14, 0.05), (0.11, 0.44), *_arc(0.24, 0.69, 0.28, 0.27, -95, 150)]],
    6: [[(0.46, 0.03), (0.20, 0.30), *_arc(0.29, 0.70, 0.24, 0.27, 195, 555)]],
    7: [[(0.04, 0.06), (0.55, 0.04), (0.22, 0.98)]],
    8: [[(0.30, 0.46), *_arc(0.30, 0.25, 0.21, 0.22, 90, 430), *_arc(0.30, 0.72, 0.25, 0.26, -80, 265)]],
    9: [[*_arc(0.28, 0.28, 0.23, 0.26, 0, -360), (0.50, 0.30), (0.40, 0.98)]],
}


def draw_digit(digit: int, height_px: int = 80, pen_px: float = 7.0) -> Picture:
    """One digit as ink: uint8 (h, w), ink 255, paper 0, with half a pen's width around it."""
    pen = max(1, round(pen_px))
    margin = pen / 2 + 1
    scale = height_px - pen
    ink = np.zeros((math.ceil(scale + 2 * margin), math.ceil(0.62 * scale + 2 * margin)), np.uint8)
    for stroke in STROKES[digit]:
        points = (np.array(stroke) * scale + margin) * 2**SUBPIXEL_BITS
        cv2.polylines(ink, [np.rint(points).astype(np.int32)], False, 255, pen, cv2.LINE_AA, SUBPIXEL_BITS)
    return ink


def draw_page(
    lines: Sequence[str], *, width: int = 1000, height: int = 700, digit_px: int = 80, pen_px: float = 8.0, paper: int = 235, ink: int = 40
) -> Picture:
    """A white sheet with numbers written on it: uint8 (height, width), a space parts numbers.

    Slightly uneven by a fixed seed: light falls off to one side, the paper has grain, the digits wander.
    """
    chance = np.random.default_rng(7)
    sheet = np.full((height, width), 0.0, np.float32)
    for row, line in enumerate(lines):
        x, y = width // 12, round((row + 0.6) * height / (len(lines) + 0.4)) - digit_px // 2
        for character in line:
            if character != " ":
                glyph = draw_digit(int(character), round(digit_px * chance.uniform(0.92, 1.08)), pen_px)
                top = y + round(chance.uniform(-0.06, 0.06) * digit_px)
                sheet[top : top + glyph.shape[0], x : x + glyph.shape[1]] = np.maximum(
                    sheet[top : top + glyph.shape[0], x : x + glyph.shape[1]], glyph
                )
            x += round(digit_px * 0.85)
    light = np.linspace(1.0, 0.93, width, dtype=np.float32)[None, :]
    grey = (paper - (paper - ink) * sheet / 255.0) * light + chance.normal(0.0, 2.0, sheet.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)
