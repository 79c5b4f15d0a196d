"""The strip rule: how a run of ink that may hold several digits becomes a strip of fixed height, as wide as it is long.

What tiles.py is for one digit, for strings that touch. The single copy; training and runtime call it.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import stroke_width

STRIP_HEIGHT_PX: Final = 32
INK_HEIGHT_PX: Final = 28
"""The ink fills the strip but for two pixels above and below."""
MARGIN_PX: Final = 4
"""Paper left and right of the ink."""
WIDTH_STEP_PX: Final = 16
"""Strips are filled up with paper to a multiple of this, so that many of one width can be judged together."""
LONGEST_PX: Final = 256
"""Longer strips are scribbles, words or lines; they are pressed together to this."""
THINNEST_STROKE_PX: Final = 2.0
FULL_INK: Final = 255


def make_strip(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a run of ink to the form of a strip.

    picture : uint8 (h, w), ink 255, paper 0, cut to its ink. Returns uint8 (32, k * 16), ink up to 255, paper 0.
    Raises ValueError for other arrays.
    """
    if picture.dtype != np.uint8 or picture.ndim != 2 or not picture.size:
        raise ValueError(f"picture has dtype {picture.dtype} and shape {picture.shape}; give uint8 (h, w), ink 255, paper 0")
    height, width = picture.shape
    scale = INK_HEIGHT_PX / height
    ink = picture
    if scale < 1.0:
        # Hairlines of large pictures would fade when they are shrunk.
        growth_px = int(THINNEST_STROKE_PX / scale - stroke_width(picture))
        if growth_px >= 1:
            ink = np.asarray(cv2.dilate(picture, np.ones((growth_px + 1, growth_px + 1), np.uint8)), np.uint8)
    long = min(max(1, round(width * scale)), LONGEST_PX - 2 * MARGIN_PX)
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(ink, (long, INK_HEIGHT_PX), interpolation=how), np.uint8)
    darkest = int(small.max())
    if 0 < darkest < FULL_INK:
        small = np.asarray(cv2.convertScaleAbs(small, alpha=FULL_INK / darkest), np.uint8)
    filled = -(-(long + 2 * MARGIN_PX) // WIDTH_STEP_PX) * WIDTH_STEP_PX
    strip = np.zeros((STRIP_HEIGHT_PX, filled), np.uint8)
    top = (STRIP_HEIGHT_PX - INK_HEIGHT_PX) // 2
    strip[top : top + INK_HEIGHT_PX, MARGIN_PX : MARGIN_PX + long] = small
    return strip
