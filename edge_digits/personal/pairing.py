"""Pairs the digits found on a photographed page with what the writer says stands there, and cuts them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import UsageError
from edge_digits.personal.crops import Crop, cut_out
from edge_digits.reading.reading import Digit, Reading
from edge_digits.sources.frame import Frame

CELL_PX: Final = 96
CAPTION_PX: Final = 22
CELLS_A_ROW: Final = 12
SURE_OTHERWISE: Final = (30, 30, 200)
AGREES: Final = (0, 110, 0)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One digit found on a page and its label. label : 0..9. crop : from the frame."""

    digit: Digit
    label: int
    crop: Crop


def parse_labels(text: str) -> list[str]:
    """The labels of each line; lines are separated by blanks. Raises UsageError for anything but digits and blanks."""
    lines = text.split()
    if not lines:
        raise UsageError("--labels is empty; give the digits on the page, a blank between lines: --labels '0123456789 0123456789'")
    for line in lines:
        if not (line.isascii() and line.isdigit()):
            raise UsageError(f"--labels has '{line}'; give digits 0 to 9, one group a line of the page, and blanks between lines")
    return lines


def pair_labels(reading: Reading, frame: Frame, labels: Sequence[str]) -> list[Labelled]:
    """Pair digits in reading order with labels, line by line.

    Raises UsageError naming each line whose count differs, and what was read there.
    """
    found = [[digit for number in line.numbers for digit in number.digits] for line in reading.lines]
    if len(found) != len(labels):
        seen = " / ".join(line.text for line in reading.lines) or "nothing"
        raise UsageError(f"{reading.source}: {len(found)} lines found ({seen}), {len(labels)} lines of labels given; nothing was stored")
    wrong = [
        f"line {number}: {len(digits)} digits found ('{reading.lines[number - 1].text}'), {len(line)} labels given ('{line}')"
        for number, (digits, line) in enumerate(zip(found, labels, strict=True), start=1)
        if len(digits) != len(line)
    ]
    if wrong:
        raise UsageError(f"{reading.source}: {'; '.join(wrong)}; nothing was stored")
    return [
        Labelled(digit, int(label), cut_out(frame, digit.box, digit.digit))
        for digits, line in zip(found, labels, strict=True)
        for digit, label in zip(digits, line, strict=True)
    ]


def contact_sheet(labelled: Sequence[Labelled]) -> NDArray[np.uint8]:
    """All crops with their labels, in rows of twelve; red where the reader saw another digit.

    labelled : at least one. Returns uint8 (h, w, 3) BGR.
    """
    rows = []
    for start in range(0, len(labelled), CELLS_A_ROW):
        cells = [_cell(item) for item in labelled[start : start + CELLS_A_ROW]]
        blank = np.full_like(cells[0], 255)
        cells += [blank] * (min(CELLS_A_ROW, len(labelled)) - len(cells))
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def _cell(item: Labelled) -> NDArray[np.uint8]:
    cell = np.full((CELL_PX + CAPTION_PX, CELL_PX, 3), 255, np.uint8)
    picture = item.crop.picture
    crop = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
    scale = (CELL_PX - 4) / max(crop.shape[:2])
    size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (CELL_PX - size[0]) // 2, (CELL_PX - size[1]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    agrees = item.digit.digit in (None, item.label)
    caption = str(item.label) if agrees else f"{item.label} (read {item.digit.text})"
    cv2.putText(cell, caption, (4, CELL_PX + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, AGREES if agrees else SURE_OTHERWISE, 1, cv2.LINE_AA)
    return cell
