"""What of a sheet can be seen in a picture of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.geometry import Pose
from export.pages.sheet import Box, Clutter, Sheet, WrittenDigit

LEAST_SEEN: Final = 0.75
"""Share of a digit's box that must lie in the picture; of less nobody can tell what it is."""
LEAST_CONTRAST: Final = 10.0
"""Grey levels by which a digit must differ from its paper for a person to read it."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What of a sheet lies in a picture of it.

    written : the sheet's digits with boxes in pixels of the picture, None where the picture's edge cuts too much off.
    clutter : what else is there, cut digits among it.
    """

    sheet: Sheet
    written: tuple[WrittenDigit | None, ...]
    clutter: tuple[Clutter, ...]

    @property
    def digits(self) -> tuple[WrittenDigit, ...]:
        """The digits that can be seen; lines and numbers counted anew, so that each has a digit."""
        return _counted([digit for digit in self.written if digit is not None])

    @property
    def lines(self) -> tuple[str, ...]:
        """The text of each line that holds a visible digit, without the digits that cannot be seen."""
        return _texts(self.sheet, self.written)

    def legible(self, picture: NDArray[np.uint8]) -> Sighting:
        """The same without the digits that hardly differ from their paper in the picture, uint8 (h, w[, 3]); they become clutter."""
        faint = [digit is not None and contrast(picture, digit.box) < LEAST_CONTRAST for digit in self.written]
        lost = [Clutter("faint digit", digit.box) for digit, is_lost in zip(self.written, faint, strict=True) if is_lost and digit]
        kept = tuple(None if is_lost else digit for digit, is_lost in zip(self.written, faint, strict=True))
        return Sighting(self.sheet, kept, (*self.clutter, *lost))


def sight(sheet: Sheet, pose: Pose) -> Sighting:
    """What of a sheet the picture's edges leave, with boxes in its pixels."""
    digits: list[WrittenDigit | None] = []
    clutter: list[Clutter] = []
    boxes = iter(pose.boxes_in_picture([each.box for each in (*sheet.digits, *sheet.clutter)]))
    for digit in sheet.digits:
        share, box = _clipped(next(boxes), pose.width, pose.height)
        digits.append(replace(digit, box=box) if share >= LEAST_SEEN else None)
        if 0 < share < LEAST_SEEN:
            clutter.append(Clutter("cut digit", box))
    for each in sheet.clutter:
        share, box = _clipped(next(boxes), pose.width, pose.height)
        if share > 0:
            clutter.append(Clutter(each.kind, box))
    return Sighting(sheet, tuple(digits), tuple(clutter))


def contrast(picture: NDArray[np.uint8], box: Box) -> float:
    """Grey levels between the paper in a box and its darkest or brightest tenth, single pixels evened out."""
    left, top = int(box[0]), int(box[1])
    part = picture[top : top + max(2, round(box[3])), left : left + max(2, round(box[2]))]
    side = max(4, min(24, part.shape[0] // 2))
    small = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
    grey = np.sort((small.mean(axis=2) if small.ndim == 3 else small.astype(np.float64)).ravel())
    tenth = len(grey) // 10
    middle = grey[len(grey) // 2]
    return float(max(middle - grey[:tenth].mean(), grey[-tenth:].mean() - middle))


def _texts(sheet: Sheet, seen: tuple[WrittenDigit | None, ...]) -> tuple[str, ...]:
    """The text of each line that holds a visible digit, without the digits that cannot be seen."""
    by_line: dict[int, list[WrittenDigit | None]] = {}
    for written, digit in zip(sheet.digits, seen, strict=True):
        by_line.setdefault(written.line, []).append(digit)
    texts = []
    for line in sorted(by_line):
        digits = by_line[line]
        if all(digit is None for digit in digits):
            continue
        texts.append(sheet.lines[line] if None not in digits else _without_lost(sheet.lines[line], digits))
    return tuple(texts)


def _without_lost(text: str, digits: list[WrittenDigit | None]) -> str:
    """The text of a line without its digits that are None; signs at the ends go with them."""
    left = iter(digits)
    kept = [character for character in text if not character.isdigit() or next(left, None) is not None]
    first = 0 if digits[0] is not None else next(i for i, character in enumerate(kept) if character.isdigit())
    last = len(kept) if digits[-1] is not None else max(i for i, character in enumerate(kept) if character.isdigit()) + 1
    return "".join(kept[first:last])


def _counted(digits: list[WrittenDigit]) -> tuple[WrittenDigit, ...]:
    """The digits with lines, and numbers within each line, counted from 0 without gaps."""
    lines = {line: index for index, line in enumerate(sorted({digit.line for digit in digits}))}
    numbers: dict[int, list[int]] = {}
    for digit in digits:
        of_line = numbers.setdefault(digit.line, [])
        if digit.number not in of_line:
            of_line.append(digit.number)
    return tuple(replace(digit, line=lines[digit.line], number=sorted(numbers[digit.line]).index(digit.number)) for digit in digits)


def _clipped(box: Box, width: int, height: int) -> tuple[float, Box]:
    """The share of a box that lies in the picture, and that part of it."""
    left, top, right, bottom = max(0.0, box[0]), max(0.0, box[1]), min(width, box[0] + box[2]), min(height, box[1] + box[3])
    inside = max(0.0, right - left) * max(0.0, bottom - top)
    return inside / max(1e-9, box[2] * box[3]), (left, top, right - left, bottom - top)
