"""Photographs of sheets that nobody wrote: real handwritten digits laid on a photograph of paper, seen at an angle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

SHEET_PX: Final = (900, 1200)
DIGIT_PX: Final = 56
STEP_PX: Final = 84
INK_LEFT: Final = 0.2
"""Share of the paper's light that full ink leaves."""
PAPER_LIGHT: Final = 190.0
SHADING: Final = 0.3
"""The photographs of crumpled paper are stretched from black to white; a sheet on a table has a part of that."""


def write_sheet(lines: Sequence[str], digits: dict[int, list[Picture]], paper: Picture, seed: int = 5) -> Picture:
    """The lines written on paper: uint8 (900, 1200, 3).

    digits : pictures of each digit, uint8 (28, 28) with ink 255, taken in turn. paper : uint8 (h, w, 3), a photograph.
    """
    rng = np.random.default_rng(seed)
    ink = np.zeros(SHEET_PX, np.uint8)
    taken = dict.fromkeys(digits, 0)
    for row, line in enumerate(lines):
        top = 60 + row * (SHEET_PX[0] - 120) // len(lines)
        for place, character in enumerate(line):
            stock = digits[int(character)]
            glyph = stock[taken[int(character)] % len(stock)]
            taken[int(character)] += 1
            side = DIGIT_PX + int(rng.integers(-3, 4))
            drawn = cv2.resize(glyph, (side, side), interpolation=cv2.INTER_CUBIC)
            y, x = top + int(rng.integers(0, 6)), 80 + place * STEP_PX + int(rng.integers(0, 6))
            ink[y : y + side, x : x + side] = np.maximum(ink[y : y + side, x : x + side], drawn)
    folds = cv2.resize(paper, (SHEET_PX[1], SHEET_PX[0]), interpolation=cv2.INTER_AREA).astype(np.float32)
    ground = PAPER_LIGHT + SHADING * (folds - folds.mean())
    written = ground * (1.0 - (1.0 - INK_LEFT) * ink[:, :, None] / 255.0)
    return _tilted(np.asarray(written + rng.normal(0.0, 2.0, written.shape), np.float32))


def _tilted(sheet: NDArray[np.float32]) -> Picture:
    """Seen a little from the side; what lies around is paper as well."""
    height, width = sheet.shape[:2]
    there = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    here = np.array([[12, 20], [width - 6, 4], [width - 18, height - 8], [6, height - 2]], np.float32)
    seen = cv2.warpPerspective(sheet, cv2.getPerspectiveTransform(there, here), (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(seen, 0, 255).astype(np.uint8)
