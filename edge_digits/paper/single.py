"""One glyph from a picture that is known to hold one digit: a stored sample, a box of a form, a drawing on a canvas.

Nothing is searched for here. The border of the picture tells what is paper, so pen on paper, chalk on a board and
white strokes on a black canvas give the same glyph.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.ink import FAINTEST_INK
from edge_digits.paper.tiles import Glyph

LARGEST_SIDE_PX: Final = 512
"""Larger pictures are brought down to this first: tiles need 28 px, strokes keep 10 px and more."""
SMALL_SIDE_PX: Final = 64
"""Up to this side strokes are two or three pixels wide and half of their ink lies in the soft rims, which are kept."""
BORDER_SHARE: Final = 1 / 12
SPECK_SHARE: Final = 0.03
"""Pieces with less than this share of the largest piece's area are dust; the detached bar of a 5 has 10 % and more."""
EDGE_SHARE: Final = 0.25
"""Ink is what is darker than this share of the full level. Lower than on a page, where print-through must be kept out:
a dry marker leaves parts of its strokes at a third, and a 6 without them is read as something else."""
FULL_LEVEL: Final = 0.8
"""The quantile of a stroke's darkness that becomes 255."""


def find_single_glyph(picture: NDArray[np.uint8]) -> Glyph:
    """The glyph in a picture of one digit.

    picture : uint8 (h, w) grey or (h, w, 3) BGR, any polarity, size and even slope of light; its border is paper.
    Returns uint8 (h', w'), ink up to 255, paper 0, at most 512 px a side; all zero when there is no ink.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture, np.uint8)
    scale = LARGEST_SIDE_PX / max(grey.shape)
    if scale < 1.0:
        size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    darkness = _darkness(_dark_on_light(grey))
    threshold, _ = cv2.threshold(darkness, 0, 255, cv2.THRESH_OTSU)
    strong = darkness[darkness > max(float(threshold), FAINTEST_INK)]
    if strong.size == 0:
        return np.zeros_like(darkness)
    level = float(np.quantile(strong, FULL_LEVEL))
    mask = _written(darkness > max(EDGE_SHARE * level, FAINTEST_INK))
    if max(darkness.shape) <= SMALL_SIDE_PX:
        mask = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
    return np.where(mask > 0, cv2.convertScaleAbs(darkness, alpha=255.0 / level), np.uint8(0)).astype(np.uint8)


def _border(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    depth = max(1, round(min(grey.shape) * BORDER_SHARE))
    ring = np.ones(grey.shape, bool)
    ring[depth:-depth, depth:-depth] = False
    return ring


def _dark_on_light(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink lies on the side on which the picture leaves its border's level farthest; chalk is inverted."""
    paper = float(np.median(grey[_border(grey)]))
    darkest, brightest = np.percentile(grey, (2.0, 98.0))
    return np.asarray(cv2.bitwise_not(grey), np.uint8) if brightest - paper > paper - darkest else grey


def _darkness(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 * (1 - grey / paper), the paper's brightness being a plane through the border, strokes at the border left out."""
    ring = _border(grey)
    rows, columns = np.nonzero(ring)
    values = grey[ring].astype(np.float64)
    basis = np.column_stack([np.ones(len(rows)), rows, columns])
    keep = values >= np.median(values) - FAINTEST_INK
    plane = np.linalg.lstsq(basis[keep], values[keep], rcond=None)[0]
    y, x = np.indices(grey.shape)
    paper = np.clip(plane[0] + plane[1] * y + plane[2] * x, 0.0, 255.0)
    # One level is added to both, so that plain black is paper too.
    return np.asarray(np.clip(255.0 * (1.0 - (grey + 1.0) / (paper + 1.0)), 0.0, 255.0), np.uint8)


def _written(ink: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Strokes without dust and without what reaches in from outside: 255 where kept."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    if count <= 1:
        return np.zeros(ink.shape, np.uint8)
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    at_edge = (left == 0) | (top == 0) | (right == ink.shape[1]) | (bottom == ink.shape[0])
    # What crosses the border is a neighbour, unless the crop is so tight that everything does.
    inner = area * ~at_edge
    largest = int(inner.argmax()) if inner.max() >= SPECK_SHARE * area.max() else int(area.argmax())
    keep = (area >= SPECK_SHARE * area[largest]) & ~at_edge
    keep[largest] = True
    keep[0] = False
    return np.asarray(np.where(keep, 255, 0).astype(np.uint8)[labels], np.uint8)
