"""Tables: the row and column of each number, told by how numbers stand under and beside each other, and printed boxes.

Ruled lines alone make no table (every exercise book has them) and many tables have none: what counts is that numbers
fill rows and columns. A single column counts when it is set flush right, as sums are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.reading import Place

Boxes = NDArray[np.float64]
PageBox = tuple[int, int, int, int]

FEWEST_ROWS: Final = 3
FEWEST_COLUMNS: Final = 2
FILLED: Final = 0.6
"""Share of a table's places that hold a number."""
FLUSH: Final = 0.4
"""Numbers of a column differ at most so much (standard deviation, in digit heights) at their left edges, middles or right
edges, whichever differ least."""
FLUSH_COLUMNS: Final = 0.75
"""Share of the columns that do."""
FLUSH_RIGHT: Final = 0.25
"""A single column is flush right within this, and its numbers are of different widths."""
ROW_STEP: Final = 0.55
"""Numbers whose middles differ by more than this, in digit heights, stand on different rows."""
COLUMN_SHRINK: Final = 0.15
MOST_STRAY_ROWS: Final = 3
"""Rows above and below a table that are none of it: a heading, a total."""
CELL_SHRINK: Final = 4
CELL_HEIGHTS: Final = (0.9, 12.0)
"""Height of a printed box, in digit heights; its width may be four times the larger one."""
CELL_FILL: Final = 0.7
"""A printed box is a rectangle: its inside fills this share of the upright box around it."""


def find_places(boxes: Sequence[PageBox]) -> list[Place | None]:
    """The row and column of each number, None for those outside of a table.

    boxes : x, y, width, height of each number in page pixels.
    """
    places: list[Place | None] = [None] * len(boxes)
    if len(boxes) < FEWEST_ROWS:
        return places
    upright, height = _straightened(np.array(boxes, np.float64))
    rows = _steps(upright[:, 1] + upright[:, 3] / 2, ROW_STEP * height)
    last = int(rows.max())
    ways = sorted(product(range(MOST_STRAY_ROWS + 1), repeat=2), key=sum)
    for above, below in ways:
        inside = np.flatnonzero((rows >= above) & (rows <= last - below))
        if last + 1 - above - below < FEWEST_ROWS or len(inside) < FEWEST_ROWS:
            continue
        columns = _columns(upright[inside], height)
        if _is_table(upright[inside], rows[inside] - above, columns, height):
            for index, column in zip(inside, columns, strict=True):
                places[index] = Place(int(rows[index]) - above + 1, int(column) + 1)
            break
    return places


def find_fields(boxes: Sequence[PageBox], rules: NDArray[np.uint8]) -> list[PageBox | None]:
    """The printed box around each number in page pixels, None where there is none.

    boxes : of the numbers. rules : uint8 (h, w), 255 on ruled lines.
    """
    fields: list[PageBox | None] = [None] * len(boxes)
    if not boxes or min(rules.shape) < CELL_SHRINK or not cv2.countNonZero(rules):
        return fields
    small = cv2.resize(rules, None, fx=1 / CELL_SHRINK, fy=1 / CELL_SHRINK, interpolation=cv2.INTER_AREA)
    # Rules have gaps where strokes crossed them: closed, so that no box runs out.
    walls = cv2.dilate(np.asarray(cv2.threshold(small, 16, 255, cv2.THRESH_BINARY)[1], np.uint8), np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(walls), connectivity=4)
    height = float(np.median([box[3] for box in boxes]))
    for index, (x, y, w, h) in enumerate(boxes):
        row = min(labels.shape[0] - 1, (y + h // 2) // CELL_SHRINK)
        column = min(labels.shape[1] - 1, (x + w // 2) // CELL_SHRINK)
        label = int(labels[row, column])
        left, top, wide, high, area = (int(v) for v in stats[label])
        clear = left > 0 and top > 0 and left + wide < labels.shape[1] and top + high < labels.shape[0]
        fitting = CELL_HEIGHTS[0] * height <= CELL_SHRINK * high <= CELL_HEIGHTS[1] * height
        if label and clear and fitting and wide <= 4 * CELL_HEIGHTS[1] * height / CELL_SHRINK and area >= CELL_FILL * wide * high:
            fields[index] = (CELL_SHRINK * left, CELL_SHRINK * top, CELL_SHRINK * wide, CELL_SHRINK * high)
    return fields


def _straightened(boxes: Boxes) -> tuple[Boxes, float]:
    """The boxes with the tilt of rows and columns taken out, and their median height."""
    height = max(1.0, float(np.median(boxes[:, 3])))
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    across, down = middle[None, :, 0] - middle[:, None, 0], middle[None, :, 1] - middle[:, None, 1]
    beside = (across > 0.5 * height) & (across < 8 * height) & (np.abs(down) < 0.5 * height)
    under = (down > 0.8 * height) & (down < 4 * height) & (np.abs(across) < 0.8 * height)
    slope = float(np.median(down[beside] / across[beside])) if beside.any() else 0.0
    lean = float(np.median(across[under] / down[under])) if under.any() else 0.0
    straight = boxes.copy()
    straight[:, 1] -= slope * middle[:, 0]
    straight[:, 0] -= lean * middle[:, 1]
    return straight, height


def _steps(values: NDArray[np.float64], step: float) -> NDArray[np.intp]:
    """Ranks of values, those that lie closer than a step to the next counted as one."""
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values), np.intp)
    ranks[order] = np.concatenate([[0], np.cumsum(np.diff(values[order]) > step)])
    return ranks


def _columns(boxes: Boxes, height: float) -> NDArray[np.intp]:
    """Numbers that overlap from above are of one column; left to right."""
    left = boxes[:, 0] + COLUMN_SHRINK * height
    right = np.maximum(left + 1.0, boxes[:, 0] + boxes[:, 2] - COLUMN_SHRINK * height)
    order = np.argsort(left, kind="stable")
    reach = np.maximum.accumulate(right[order])
    starts = np.concatenate([[False], left[order][1:] > reach[:-1]])
    columns = np.empty(len(boxes), np.intp)
    columns[order] = np.cumsum(starts)
    return columns


def _is_table(boxes: Boxes, rows: NDArray[np.intp], columns: NDArray[np.intp], height: float) -> bool:
    across, down = int(columns.max()) + 1, int(rows.max()) + 1
    if len(set(zip(rows.tolist(), columns.tolist(), strict=True))) < len(boxes):
        return False
    if across < FEWEST_COLUMNS:
        right, width = boxes[:, 0] + boxes[:, 2], boxes[:, 2]
        return bool(right.std() <= FLUSH_RIGHT * height and width.std() > FLUSH_RIGHT * height)
    if len(boxes) < FILLED * across * down:
        return False
    flush = [_is_flush(boxes[columns == column], height) for column in range(across)]
    return sum(flush) >= FLUSH_COLUMNS * across


def _is_flush(boxes: Boxes, height: float) -> bool:
    """Whether the numbers of a column stand in line."""
    left, width = boxes[:, 0], boxes[:, 2]
    return bool(min(left.std(), (left + width / 2).std(), (left + width).std()) <= FLUSH * height)
