"""The MNIST rule: how any glyph becomes a 28x28 tile. The single copy; training, calibration and runtime call it.

Source of the rule: Y. LeCun, C. Cortes, C. Burges, "The MNIST database": size-normalised to fit a 20x20 box with the
aspect ratio kept, grey by anti-aliasing, centred in 28x28 by the centre of mass. Added here: hairlines from
high-resolution pictures are thickened first (a stroke of 1 px in a glyph of 200 px would vanish at 20 px),
paper is exactly 0 and the darkest ink exactly 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

TILE_SIDE_PX: Final = 28
BOX_SIDE_PX: Final = 20

THINNEST_STROKE_PX: Final = 1.8
"""Strokes thinner than this at tile scale are thickened to it: MNIST strokes are 2 to 4 px wide, and a classifier
trained on them loses 1.3 points at 1 px thinner, 33 points at 2 px."""

PAPER_LEVEL: Final = 16
"""Ink levels below this (of 255) count as paper; anti-aliased rims stay, sensor noise goes."""

Glyph = NDArray[np.uint8]


def make_tile(glyph: Glyph) -> NDArray[np.uint8]:
    """Bring one glyph to the MNIST form.

    glyph : uint8 (h, w), ink 255, paper 0, any size from 1x1; the box may be wider than the ink.
    Returns uint8 (28, 28), ink up to 255, paper 0. A glyph without ink gives an all-zero tile.
    Raises ValueError for another dtype or shape.
    """
    if glyph.dtype != np.uint8 or glyph.ndim != 2:
        raise ValueError(f"glyph has dtype {glyph.dtype} and shape {glyph.shape}; give uint8 (h, w)")
    tile = np.zeros((TILE_SIDE_PX, TILE_SIDE_PX), np.uint8)
    ink = _crop_to_ink(glyph)
    if ink is None:
        return tile
    small = _resize_to_box(_thicken_hairlines(ink))
    if not small.any():
        return tile
    small = _to_full_contrast(small)
    y, x = _place_by_mass(small)
    h, w = small.shape
    tile[y : y + h, x : x + w] = small
    return tile


def make_tiles(glyphs: Sequence[Glyph]) -> NDArray[np.float32]:
    """Tiles of many glyphs as the model takes them.

    Returns float32 (n, 1, 28, 28), ink 1.0, paper 0.0; n may be 0.
    """
    tiles = np.zeros((len(glyphs), 1, TILE_SIDE_PX, TILE_SIDE_PX), np.uint8)
    for index, glyph in enumerate(glyphs):
        tiles[index, 0] = make_tile(glyph)
    return as_model_input(tiles)


def as_model_input(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (n, 28, 28) or (n, 1, 28, 28), 0..255, to float32 (n, 1, 28, 28), 0..1."""
    shape = (len(tiles), 1, TILE_SIDE_PX, TILE_SIDE_PX)
    return np.multiply(tiles.reshape(shape), np.float32(1 / 255), dtype=np.float32)


def stroke_width(ink: Glyph) -> float:
    """Mean stroke width in pixels: twice the ink's area over the length of its outline.

    ink : uint8 (h, w), ink at 128 and above. Returns 0.0 without ink.
    The outline is counted in pixel edges, which is 4/pi times its length on average over directions.
    """
    mask = cv2.copyMakeBorder(cv2.threshold(ink, 127, 255, cv2.THRESH_BINARY)[1], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    area = cv2.countNonZero(mask)
    if area == 0:
        return 0.0
    edges = cv2.countNonZero(cv2.bitwise_xor(mask[1:], mask[:-1])) + cv2.countNonZero(cv2.bitwise_xor(mask[:, 1:], mask[:, :-1]))
    return 2.0 * area / (edges * np.pi / 4.0)


def _crop_to_ink(glyph: Glyph) -> Glyph | None:
    ink = cv2.threshold(glyph, PAPER_LEVEL - 1, 0, cv2.THRESH_TOZERO)[1]
    x, y, width, height = cv2.boundingRect(ink)
    return ink[y : y + height, x : x + width] if width else None  # type: ignore[return-value]


def _to_full_contrast(ink: Glyph) -> Glyph:
    darkest = int(ink.max())
    return ink if darkest == 255 else np.asarray(cv2.convertScaleAbs(ink, alpha=255.0 / darkest), np.uint8)


def _thicken_hairlines(ink: Glyph) -> Glyph:
    scale = BOX_SIDE_PX / max(ink.shape)
    if scale >= 1.0:
        return ink
    # Measured at half of its own darkest level: faint ink is not thin ink.
    growth_px = int((THINNEST_STROKE_PX / scale) - stroke_width(_to_full_contrast(ink)))
    if growth_px < 1:
        return ink
    kernel = np.ones((growth_px + 1, growth_px + 1), np.uint8)
    half = growth_px // 2 + 1
    return cv2.dilate(cv2.copyMakeBorder(ink, half, half, half, half, cv2.BORDER_CONSTANT, value=0), kernel)  # type: ignore[return-value]


def _resize_to_box(ink: Glyph) -> Glyph:
    scale = BOX_SIDE_PX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    # Area averaging is the anti-aliasing of MNIST; enlarging has nothing to average.
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    return ink if scale == 1.0 else cv2.resize(ink, (width, height), interpolation=how)  # type: ignore[return-value]


def _place_by_mass(small: Glyph) -> tuple[int, int]:
    """Top left corner (y, x) that brings the centre of mass nearest pixel 14, kept inside the tile.

    MNIST counts from pixel centres: the mass of its tiles lies at index 14.0, half a pixel off the geometric middle.
    """
    moments = cv2.moments(small)
    centres = moments["m01"] / moments["m00"], moments["m10"] / moments["m00"]
    y, x = (min(max(round(TILE_SIDE_PX / 2 - c), 0), TILE_SIDE_PX - side) for c, side in zip(centres, small.shape, strict=True))
    return y, x
