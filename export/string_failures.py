"""Draws small pictures with a line of text under each on one sheet, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import UsageError

CELL_PX: Final = (230, 100)
CAPTION_PX: Final = 22
COLUMNS: Final = 8
MOST: Final = 300
"""More would make a picture that no viewer opens."""

AROUND: Final = 90


def draw_failures(path: Path, strings: Sequence[tuple[NDArray[np.uint8], str]]) -> None:
    """Write the sheet. strings : uint8 (h, w) and its caption; the first MOST are drawn. Raises UsageError."""
    cells = [_cell(picture, caption) for picture, caption in strings[:MOST]] or [_cell(np.full((1, 1), AROUND, np.uint8), "none is wrong")]
    blank = np.full_like(cells[0], AROUND)
    columns = min(COLUMNS, len(cells))
    cells += [blank] * (-len(cells) % columns)
    sheet = np.vstack([np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)])
    if not cv2.imwrite(str(path), sheet):
        raise UsageError(f"{path}: picture cannot be written; check the folder's permissions and space")


def _cell(picture: NDArray[np.uint8], caption: str) -> NDArray[np.uint8]:
    cell = np.full((CELL_PX[1], CELL_PX[0]), AROUND, np.uint8)
    room = CELL_PX[0] - 4, CELL_PX[1] - CAPTION_PX - 2
    scale = min(room[0] / picture.shape[1], room[1] / picture.shape[0], 2.0)
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    cell[2 : 2 + size[1], 2 : 2 + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    cv2.putText(cell, caption, (4, CELL_PX[1] - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA)
    return cell
