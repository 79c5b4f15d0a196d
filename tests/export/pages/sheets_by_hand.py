"""Sheets whose every pixel is known: black discs on white paper stand for digits."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from export.pages.camera import Noise
from export.pages.scenes import Surroundings
from export.pages.sheet import Clutter, Sheet, WrittenDigit
from export.pages.view import Sources

RADIUS = 18

NO_SOURCES = Sources(None, Surroundings((), ()), Noise())  # type: ignore[arg-type]
"""Enough for `photograph`, which takes no digit from anywhere."""


def discs(lines: tuple[str, ...] = ("123 45", "6", "78.90"), kind: str = "plain", size: tuple[int, int] = (900, 700)) -> Sheet:
    """A sheet of (width, height) pixels with a disc for each digit of the lines; a blank starts a new number."""
    picture = np.full((size[1], size[0], 3), 240, np.uint8)
    digits = []
    for row, text in enumerate(lines):
        for column, character in enumerate(text):
            if character.isdigit():
                x, y = 150 + 70 * column, 150 + 120 * row
                cv2.circle(picture, (x, y), RADIUS, (20, 20, 20), -1)
                box = float(x - RADIUS), float(y - RADIUS), 2.0 * RADIUS + 1, 2.0 * RADIUS + 1
                digits.append(WrittenDigit(int(character), box, row, text[:column].count(" ")))
    clutter = (Clutter("word", (100.0, size[1] - 90.0, 300.0, 40.0)),)
    return Sheet(picture, tuple(digits), clutter, kind, lines)


def read_picture(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None, path
    return picture
