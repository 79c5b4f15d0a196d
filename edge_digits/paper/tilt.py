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
FEWEST_LINES: Final = 3
"""One long stroke is a large 7, two are the edges of a sheet."""
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
    gathered = np.array([max(float(np.square(counts).sum()) for counts in _projections(points, angle)) for angle in angles])
    best = int(gathered.argmax())
    if abs(angles[best]) < SMALLEST_DEG or gathered[best] < CLEAR_PEAK * gathered[len(angles) // 2]:
        return 0.0
    lines = max(_lines(counts, least / step) for counts in _projections(points, angles[best]))
    return float(angles[best]) if lines >= FEWEST_LINES else 0.0


def _projections(points: NDArray[np.float64], angle_deg: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """How many of the points lie on each row, and on each column, of a page turned by this angle."""
    x, y = points
    sine, cosine = np.sin(np.deg2rad(angle_deg)), np.cos(np.deg2rad(angle_deg))
    across, along = y * cosine - x * sine, x * cosine + y * sine
    return np.bincount((across - across.min()).astype(np.intp)), np.bincount((along - along.min()).astype(np.intp))


def _lines(counts: NDArray[np.intp], least: float) -> int:
    """Rows that hold at least so many points, neighbours counted once."""
    full = np.convolve(counts, np.ones(3, np.intp), mode="same") >= least
    return int(np.count_nonzero(full[1:] & ~full[:-1])) + int(full[0])


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
