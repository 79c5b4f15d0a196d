"""Where one connected piece of ink may be two digits: cuts through thin places, never decided here.

Each cut is a nearly vertical path of least ink through the piece (a seam, by dynamic programming), so that a slanted
or curved neighbour is not sliced. Method: S. Avidan, A. Shamir, "Seam carving", 2007, used as cutting path.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import stroke_width

Grey = NDArray[np.uint8]

SEAM_HEIGHT_PX: Final = 36
SIDEWAYS_COST: Final = 0.12
"""What a step to the next column costs, in pixels of ink: keeps cuts upright where nothing is gained by bending."""
NARROWEST_PART: Final = 0.18
"""Parts are at least this share of the typical height wide: a 1 is."""
WIDE_PIECE: Final = 0.85
"""Pieces narrower than this share of their height are one digit; others may be two."""
CUTS_PER_HEIGHT: Final = 2.6
DEAREST_CUT_STROKES: Final = 3.2
"""A cut through more ink than this many stroke widths goes along a stroke, not across a joint."""


def split_touching(shape: Grey, height: float) -> list[tuple[int, int, Grey]]:
    """Cut a piece of ink at every place where two digits may touch.

    shape : uint8 (h, w), above 0 on ink. height : typical glyph height in pixels.
    Returns (x, y, part) for each part, left to right, x and y of the part's corner within the piece;
    the piece itself when no cut is worth trying.
    """
    cuts = find_cuts(shape, height)
    if not cuts:
        return [(0, 0, shape)]
    rows = np.arange(shape.shape[0])[:, None]
    columns = np.arange(shape.shape[1])[None, :]
    bounds = [np.full(len(rows), -1), *cuts, np.full(len(rows), shape.shape[1])]
    parts = []
    for left, right in pairwise(bounds):
        part = np.where((columns > left[:, None]) & (columns <= right[:, None]), shape, np.uint8(0))
        filled_rows, filled_columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        if filled_rows.size:
            y, x = int(filled_rows[0]), int(filled_columns[0])
            parts.append((x, y, np.ascontiguousarray(part[y : filled_rows[-1] + 1, x : filled_columns[-1] + 1])))
    return parts


def find_cuts(shape: Grey, height: float) -> list[NDArray[np.intp]]:
    """Cutting paths, left to right: for each, the last column of the left part in every row."""
    h, w = shape.shape
    if w < WIDE_PIECE * min(h, 1.2 * height) or h < 0.4 * height:
        return []
    # Seams are sought at low resolution: a cut that is a pixel off does no harm, and rows cost time.
    scale = min(1.0, SEAM_HEIGHT_PX / h)
    mask = np.asarray(cv2.threshold(shape, 0, 255, cv2.THRESH_BINARY)[1], np.uint8)
    if scale < 1.0:
        mask = np.asarray(cv2.resize(mask, (max(2, round(w * scale)), SEAM_HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8)
    stroke = max(1.0, stroke_width(mask))
    margin = max(2, round(NARROWEST_PART * min(height, h) * scale))
    paths, costs = _seams(mask.astype(np.float64) / 255.0)
    most = max(1, round(CUTS_PER_HEIGHT * w / max(1.0, min(h, height))))
    chosen: list[int] = []
    for x in np.argsort(costs, kind="stable"):
        if costs[x] > DEAREST_CUT_STROKES * stroke or len(chosen) >= most:
            break
        if margin <= x < mask.shape[1] - margin and all(abs(int(x) - c) >= margin for c in chosen):
            chosen.append(int(x))
    rows = np.minimum((np.arange(h) * (mask.shape[0] / h)).astype(np.intp), mask.shape[0] - 1)
    ordered: list[NDArray[np.intp]] = []
    for x in sorted(chosen):
        path = np.minimum(((paths[rows, x] + 0.5) * (w / mask.shape[1])).astype(np.intp), w - 1)
        ordered.append(np.maximum(path, ordered[-1]) if ordered else path)
    return ordered


def _seams(ink: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each column, the cheapest path that passes the middle row there.

    Returns columns (h, w): where the path of column x lies in each row, and its ink in pixels, float64 (w,).
    """
    h, w = ink.shape
    middle = h // 2
    # Both halves at once, from the middle row outwards; an empty row behind the shorter one costs nothing.
    halves = np.zeros((2, middle + 1, w))
    halves[0], halves[1, : h - middle] = ink[middle::-1], ink[middle:]
    (up, down), (up_from, down_from) = _spread(halves)
    paths = np.empty((h, w), np.intp)
    paths[middle::-1] = up_from
    paths[middle:] = down_from[: h - middle]
    return paths, up + down - ink[middle]


def _spread(ink: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Cheapest paths from row 0 column x to the last row, one column sideways a row at most; in several pictures (n, rows, w) at once.

    Returns the cost for each start column (n, w) and the column in each row (n, rows, w).
    """
    count, rows, w = ink.shape
    cost = np.full((count, w + 2), np.inf)
    left, here, right = cost[:, :-2], cost[:, 1:-1], cost[:, 2:]
    here[:] = ink[:, -1]
    step = np.zeros((rows, count, w), np.intp)
    for row in range(rows - 2, -1, -1):
        aside = np.minimum(left, right) + SIDEWAYS_COST
        step[row] = np.where(aside < here, np.where(right < left, 1, -1), 0)
        here[:] = np.minimum(aside, here) + ink[:, row]
    steps = step.reshape(rows, count * w)
    paths = np.empty((rows, count * w), np.intp)
    paths[0] = np.arange(count * w)
    for row in range(1, rows):
        paths[row] = paths[row - 1] + steps[row - 1][paths[row - 1]]
    columns = paths.reshape(rows, count, w) - np.arange(count)[:, None] * w
    return here, columns.transpose(1, 0, 2)
