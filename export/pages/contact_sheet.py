"""One picture of many pages, for a person to look at.

Are they hard to tell from photographs, and do the boxes fit?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

CELL_PX: Final = (360, 330)
"""Width and height that a page gets."""

COLUMNS: Final = 6

BACKGROUND: Final = 90
DIGIT_COLOUR: Final = (0, 0, 230)
CLUTTER_COLOUR: Final = (220, 140, 0)

Picture = NDArray[np.uint8]


def contact_sheet(pictures: Sequence[Picture]) -> Picture:
    """All pictures, uint8 (h, w) or (h, w, 3), made small, in rows of six; uint8 (h, w, 3) BGR. At least one picture."""
    cells = [_cell(picture) for picture in pictures]
    columns = min(COLUMNS, len(cells))
    blank = np.full_like(cells[0], BACKGROUND)
    cells += [blank] * (-len(cells) % columns)
    return np.vstack([np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)])


def marked(picture: Picture, page: dict[str, Any]) -> Picture:
    """A page with a red box and its name at each digit, and a blue box around all else that stands there; uint8 (h, w, 3).

    page : its JSON object, `truth.page_object`.
    """
    drawn = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture.copy()
    width = max(1, round(max(drawn.shape) / 700))
    for each in page["clutter"]:
        _outline(drawn, each["box"], CLUTTER_COLOUR, width)
    for digit in (digit for line in page["lines"] for number in line["numbers"] for digit in number["digits"]):
        _outline(drawn, digit["box"], DIGIT_COLOUR, width)
        x, y, _, h = digit["box"]
        size = max(0.35, h / 60)
        cv2.putText(drawn, str(digit["digit"]), (x, max(8, y - 2)), cv2.FONT_HERSHEY_SIMPLEX, size, DIGIT_COLOUR, width, cv2.LINE_AA)
    return drawn  # type: ignore[return-value]


def _outline(picture: Any, box: list[int], colour: tuple[int, int, int], width: int) -> None:
    x, y, w, h = box
    cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), colour, width)


def _cell(picture: Picture) -> Picture:
    cell = np.full((CELL_PX[1], CELL_PX[0], 3), BACKGROUND, np.uint8)
    h, w = picture.shape[:2]
    scale = min((CELL_PX[0] - 4) / w, (CELL_PX[1] - 4) / h)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    cell[: size[1], : size[0]] = small if small.ndim == 3 else small[:, :, None]
    return cell
