"""The whole page at one size for all writing, whatever its own: what the finder network sees.

The single copy of this rule; training and runtime call it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Fragment, Glyphs, enclosing

GLYPH_HEIGHT_PX: Final = 18.0
"""The typical glyph of the page comes out this high: strokes are then about two pixels wide."""
LARGEST_ENLARGEMENT: Final = 2.0
MOST_PIXELS: Final = 600_000
"""Larger overviews are made smaller, so that time stays bounded."""
STROKE_LEVEL: Final = 160.0
"""The mean stroke of the page comes out this dark (of 255)."""
LARGEST_GAIN: Final = 6.0
LEAST_DENSITY: Final = 0.12
"""Pieces that fill less of their box than this are frames and long lines, and say nothing about the height of the writing."""
MULTIPLE: Final = 16
"""Height and width are multiples of this: the network halves them four times."""


@dataclass(frozen=True, slots=True)
class Overview:
    """picture : uint8 (h, w), paper 0, ink up to 255, sides multiples of 16, padded with paper at the right and at the bottom.

    scale : pixels of the overview that a page pixel takes.
    """

    picture: NDArray[np.uint8]
    scale: float


def make_overview(glyphs: Glyphs, height_px: float) -> Overview:
    """The page's darkness at the finder's scale. height_px : of the page's writing, in page pixels, above 0."""
    ink = glyphs.ink
    height, width = ink.darkness.shape
    scale = min(GLYPH_HEIGHT_PX / height_px, LARGEST_ENLARGEMENT, (MOST_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    mean = float(cv2.mean(ink.darkness, ink.strokes)[0])
    gain = min(LARGEST_GAIN, STROKE_LEVEL / mean) if mean > 0 else 1.0
    small = cv2.resize(ink.darkness, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    picture = np.zeros((-(-size[1] // MULTIPLE) * MULTIPLE, -(-size[0] // MULTIPLE) * MULTIPLE), np.uint8)
    cv2.convertScaleAbs(small, dst=picture[: size[1], : size[0]], alpha=gain)
    return Overview(picture, scale)


def writing_height(glyphs: Glyphs, *, lying: bool = False) -> float:
    """Height of the page's writing in page pixels, at least 1: the median over pieces of ink, each counted by its height.

    Unlike the glyphs' typical height it is not misled by digits that hang on a line or a frame. lying : the page lies on a side.
    """
    pieces: dict[int, list[Fragment]] = {}
    for cluster in glyphs.clusters:
        for fragment in cluster:
            pieces.setdefault(fragment.piece, []).append(fragment)
    boxes = np.array([enclosing(piece) for piece in pieces.values()], np.float64).reshape(-1, 4)
    inked = np.array([sum(cv2.countNonZero(f.shape) for f in piece) for piece in pieces.values()], np.float64)
    heights = np.sort(boxes[inked >= LEAST_DENSITY * boxes[:, 2] * boxes[:, 3], 2 if lying else 3])
    if not heights.size:
        return max(1.0, glyphs.typical_height)
    reached = np.cumsum(heights)
    return float(heights[np.searchsorted(reached, reached[-1] / 2)])
