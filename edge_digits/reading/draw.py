"""Draws a Reading over its picture, so that a person sees in a second what was read and how sure it is."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.canonical import GAP
from edge_digits.reading.reading import Digit, Reading
from edge_digits.sources.frame import Frame

SURE: Final = (60, 160, 40)
DOUBTFUL: Final = (0, 140, 255)
UNSURE: Final = (40, 40, 220)
SIGN: Final = (200, 120, 0)
SURE_CONFIDENCE: Final = 0.95


def annotate(frame: Frame, reading: Reading) -> NDArray[np.uint8]:
    """The picture with each digit boxed and named: green when sure, orange when doubtful, red "?" when unsure.

    Signs within numbers have a blue box.

    Returns uint8 (h, w, 3) BGR of the frame's size.
    """
    is_grey = frame.picture.ndim == 2
    picture = np.array(cv2.cvtColor(frame.picture, cv2.COLOR_GRAY2BGR) if is_grey else frame.picture, np.uint8)
    thickness = max(1, round(max(picture.shape[:2]) / 800))
    for digit in reading.digits:
        _draw_digit(picture, digit, thickness)
    for number in reading.numbers:
        for x, y, w, h in (sign.box for sign in number.signs if sign.mark != GAP):
            cv2.rectangle(picture, (x, y), (x + w, y + h), SIGN, thickness)
    return picture


def colour_of(digit: Digit) -> tuple[int, int, int]:
    """BGR colour that tells how sure a digit is."""
    if digit.digit is None:
        return UNSURE
    return SURE if digit.confidence >= SURE_CONFIDENCE else DOUBTFUL


def _draw_digit(picture: NDArray[np.uint8], digit: Digit, thickness: int) -> None:
    x, y, w, h = digit.box
    colour = colour_of(digit)
    cv2.rectangle(picture, (x, y), (x + w, y + h), colour, thickness)
    scale = max(0.4, min(4.0, h / 60))
    (text_width, text_height), _ = cv2.getTextSize(digit.text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness + 1)
    left = min(max(0, x + (w - text_width) // 2), max(0, picture.shape[1] - text_width))
    above = y - thickness - 2
    base = above if above - text_height >= 0 else min(picture.shape[0] - 1, y + h + text_height + thickness + 2)
    cv2.putText(picture, digit.text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness + 1, cv2.LINE_AA)
