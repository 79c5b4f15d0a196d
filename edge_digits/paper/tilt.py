"""Levels a Page whose ruled lines slope: rules.py knows lines by lying along the rows and columns of pixels.

Digits without lines need none of it, they are read at a slope as well. Method: the angle at which the projection of
the long pieces of ink is most uneven (W. Postl, "Detection of linear oblique structures and skew scan in digitized
documents", ICPR 1986), over both directions of a grid at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.paper.scaling import halve

HALVINGS: Final = 2
LONG_SHARE: Final = 0.3
"""Pieces of ink that reach over this share of the page's long side are lines, or what hangs on them."""
STEEPEST_DEG: Final = 20.0
STEP_DEG: Final = 0.5
SMALLEST_DEG: Final = 1.5
"""Lines that slope less are found as they are."""
MOST_POINTS: Final = 6000
CLEAR_PEAK: Final = 1.5
"""The best angle must gather the ink this many times better than the page as it lies."""


def find_tilt(ink: Ink) -> float:
    """Degrees by which the page's long lines slope, clockwise positive; 0.0 where none are left in the ink or none slope."""
    small = np.asarray(cv2.threshold(halve(ink.strokes, HALVINGS), 0, 255, cv2.THRESH_BINARY)[1], np.uint8)
    pieces, _ = cv2.findContours(small, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    least = LONG_SHARE * max(small.shape)
    long_ones = [piece for piece in pieces if max(cv2.boundingRect(piece)[2:]) >= least]
    if not long_ones:
        return 0.0
    mask = np.zeros_like(small)
    cv2.drawContours(mask, long_ones, -1, 255, cv2.FILLED)
    y, x = np.nonzero(mask & small)
    step = -(-len(x) // MOST_POINTS)
    points = np.stack([x[::step], y[::step]]).astype(np.float64)
    angles = np.arange(-STEEPEST_DEG, STEEPEST_DEG + STEP_DEG, STEP_DEG)
    gathered = np.array([_gathered(points, float(np.deg2rad(angle))) for angle in angles])
    best = int(gathered.argmax())
    level = gathered[len(angles) // 2]
    return float(angles[best]) if abs(angles[best]) >= SMALLEST_DEG and gathered[best] >= CLEAR_PEAK * level else 0.0


def _gathered(points: NDArray[np.float64], angle: float) -> float:
    """How much of the ink lies on few rows, or few columns, of a page turned by this angle: mean of squared counts."""
    x, y = points
    across, along = y * np.cos(angle) - x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)
    return max(float(np.square(np.bincount((axis - axis.min()).astype(np.intp))).sum()) for axis in (across, along))


def level_page(page: Page, tilt_deg: float) -> Page:
    """The page turned back by a tilt, large enough to lose no corner; its pixels still map to the same pixels of the Frame."""
    height, width = page.grey.shape
    there = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), tilt_deg, 1.0), [0.0, 0.0, 1.0]])
    corners = cv2.perspectiveTransform(np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64), there)[0]
    left, top = corners.min(axis=0)
    there = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]]) @ there
    size = tuple(int(side) for side in np.ceil(corners.max(axis=0) - corners.min(axis=0)))
    grey = cv2.warpAffine(page.grey, there[:2], size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    grey.flags.writeable = False
    return replace(page, grey=np.asarray(grey, np.uint8), to_frame=page.to_frame @ np.linalg.inv(there))
