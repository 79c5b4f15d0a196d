"""What of a sheet can be seen in a picture of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from export.pages.geometry import Pose
from export.pages.sheet import Box, Clutter, Sheet, WrittenDigit

LEAST_SEEN: Final = 0.75
"""Share of a digit's box that must lie in the picture; of less nobody can tell what it is."""


def visible(sheet: Sheet, pose: Pose) -> tuple[tuple[WrittenDigit, ...], tuple[Clutter, ...], tuple[str, ...]]:
    """What of a sheet lies in a picture of it: digits and clutter with boxes in its pixels, and the lines' text.

    Digits that the picture's edge cuts off are clutter, "cut digit". Lines and numbers are counted again, so that each has a digit.
    """
    digits: list[WrittenDigit | None] = []
    clutter: list[Clutter] = []
    for digit in sheet.digits:
        share, box = _clipped(pose.box_in_picture(digit.box), pose.width, pose.height)
        digits.append(replace(digit, box=box) if share >= LEAST_SEEN else None)
        if 0 < share < LEAST_SEEN:
            clutter.append(Clutter("cut digit", box))
    for each in sheet.clutter:
        share, box = _clipped(pose.box_in_picture(each.box), pose.width, pose.height)
        if share > 0:
            clutter.append(Clutter(each.kind, box))
    texts = _texts(sheet, digits)
    return _counted([digit for digit in digits if digit is not None]), tuple(clutter), texts


def _texts(sheet: Sheet, seen: list[WrittenDigit | None]) -> tuple[str, ...]:
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
