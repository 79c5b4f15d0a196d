"""A glyph together with what stands around it, small: what tells the l of a word from a 1, a cut 8 from a 3.

The tile of a glyph (tiles.py) shows its ink alone, at a size at which every stroke counts. Here the same glyph is seen from
further away: one channel shows the paper around it, the other which of the ink is meant. The single copy of this rule;
training and runtime call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Hypothesis
from edge_digits.paper.ink import Ink

PATCH_SHAPE: Final = (48, 64)
"""Height and width in pixels: about three and a half glyphs high, four and a half wide."""
GLYPH_SIDE_PX: Final = 14
"""The longer side of the glyph in the patch."""
LEAST_SIZE_SHARE: Final = 0.6
"""A glyph smaller than this share of the page's typical height counts as that high: a point must stay small."""
FULL_CONTRAST: Final = 0.8
"""The mean ink of the glyph comes out at this share of black; darker ink nearby is cut off at black."""


def make_surroundings(ink: Ink, hypotheses: Sequence[Hypothesis], typical_height: float) -> NDArray[np.uint8]:
    """Patches of many glyphs.

    ink : the Ink in which the hypotheses were found. typical_height : of the page's glyphs, in page pixels.
    Returns uint8 (n, 2, 48, 64), the glyph's box in the middle: channel 0 the darkness of the page, 0 paper, 255 as dark
    as the glyph and darker; channel 1 the ink of the glyph alone. Beyond the page's edge is paper. n may be 0.
    """
    patches = np.zeros((len(hypotheses), 2, *PATCH_SHAPE), np.uint8)
    levels = [ink.darkness]
    for patch, hypothesis in zip(patches, hypotheses, strict=True):
        _, _, width, height = hypothesis.box
        scale = GLYPH_SIDE_PX / max(width, height, LEAST_SIZE_SHARE * typical_height)
        _draw_page(patch[0], hypothesis, scale, levels)
        _draw_glyph(patch[1], hypothesis.picture, scale)
    return patches


def _draw_page(patch: NDArray[np.uint8], hypothesis: Hypothesis, scale: float, levels: list[NDArray[np.uint8]]) -> None:
    """The page around the glyph; levels : the page's darkness halved again and again, longer after the call where needed."""
    x, y, w, h = hypothesis.box
    mean = cv2.mean(levels[0][y : y + h, x : x + w], mask=hypothesis.picture)[0]
    # Shrinking further than to a half in one step would lose thin strokes: the nearest halved page is taken.
    halvings = max(0, int(np.floor(np.log2(1 / scale))))
    while len(levels) <= halvings and min(levels[-1].shape) > 1:
        levels.append(np.asarray(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))
    level = levels[min(halvings, len(levels) - 1)]
    shrunk = level.shape[1] / levels[0].shape[1]
    step = scale / shrunk
    offset = [side / 2 - step * middle * shrunk for side, middle in zip(PATCH_SHAPE[::-1], (x + w / 2, y + h / 2), strict=True)]
    # Pixel centres lie at halves: without the shift the page would slide by half a pixel of its level.
    shift = 0.5 * step - 0.5
    warp = np.array([[step, 0, offset[0] + shift], [0, step, offset[1] + shift]], np.float64)
    seen = cv2.warpAffine(level, warp, PATCH_SHAPE[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    cv2.convertScaleAbs(seen, dst=patch, alpha=255.0 * FULL_CONTRAST / max(1.0, mean))


def _draw_glyph(patch: NDArray[np.uint8], picture: NDArray[np.uint8], scale: float) -> None:
    size = tuple(max(1, round(side * scale)) for side in picture.shape[::-1])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (PATCH_SHAPE[0] - small.shape[0]) // 2, (PATCH_SHAPE[1] - small.shape[1]) // 2
    patch[top : top + small.shape[0], left : left + small.shape[1]] = small
