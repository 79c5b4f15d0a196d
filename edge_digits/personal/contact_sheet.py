"""Shows labelled crops side by side, and asks a person which of them to keep: a wrong label teaches a wrong digit."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import UsageError
from edge_digits.personal.crops import Crop
from edge_digits.personal.samples import Split
from edge_digits.personal.window import NAME, has_display, is_closed, open_window

CELL_PX: Final = 96
CAPTION_PX: Final = 22
CELLS_A_ROW: Final = 15
AGREES: Final = (0, 110, 0)
READ_OTHERWISE: Final = (30, 30, 200)
LEFT_OUT: Final = (60, 60, 230)
KEEP_KEYS: Final = (13, 10, 32)
END_KEYS: Final = (27, ord("q"))
WAIT_MS: Final = 30
QUESTION: Final = "Enter keeps all; numbers of those to leave out, or q to keep none: "


@dataclass(frozen=True, slots=True)
class Labelled:
    """One digit and its label. label : 0..9. crop : as it was seen. split : where it is to be stored, None where not yet told."""

    label: int
    crop: Crop
    split: Split | None = None

    @property
    def read_otherwise(self) -> bool:
        """Whether the reader was sure of another digit."""
        return self.crop.origin.read not in (None, self.label)


def contact_sheet(labelled: Sequence[Labelled], left_out: Collection[int] = ()) -> NDArray[np.uint8]:
    """All crops with their number and label, in rows of fifteen; red where the reader saw another digit, struck out where left out.

    labelled : at least one. left_out : numbers from 1. Returns uint8 (h, w, 3) BGR.
    """
    rows = []
    for start in range(0, len(labelled), CELLS_A_ROW):
        row = list(enumerate(labelled[start : start + CELLS_A_ROW], start=start + 1))
        cells = [_cell(item, number, struck=number in left_out) for number, item in row]
        blank = np.full_like(cells[0], 255)
        cells += [blank] * (min(CELLS_A_ROW, len(labelled)) - len(cells))
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def number_at(x: int, y: int, count: int) -> int | None:
    """Number of the crop at a place of a contact sheet of so many; None beside them."""
    column, row = x // CELL_PX, y // (CELL_PX + CAPTION_PX)
    number = row * CELLS_A_ROW + column + 1
    return number if 0 <= column < CELLS_A_ROW and y >= 0 and number <= count else None


def _cell(item: Labelled, number: int, *, struck: bool) -> NDArray[np.uint8]:
    cell = np.full((CELL_PX + CAPTION_PX, CELL_PX, 3), 255, np.uint8)
    picture = item.crop.picture
    crop = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
    scale = (CELL_PX - 4) / max(crop.shape[:2])
    size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (CELL_PX - size[0]) // 2, (CELL_PX - size[1]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    caption = f"{item.label} (read {item.crop.origin.read})" if item.read_otherwise else str(item.label)
    colour = READ_OTHERWISE if item.read_otherwise else AGREES
    cv2.putText(cell, f"{number}", (4, CELL_PX + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.32, (150, 150, 150), 1, cv2.LINE_AA)
    cv2.putText(cell, caption, (28, CELL_PX + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    if struck:
        cv2.line(cell, (6, 6), (CELL_PX - 6, CELL_PX - 6), LEFT_OUT, 3, cv2.LINE_AA)
        cv2.line(cell, (6, CELL_PX - 6), (CELL_PX - 6, 6), LEFT_OUT, 3, cv2.LINE_AA)
    return cell


def confirm(labelled: Sequence[Labelled], sheet: Path, answers: TextIO | None = None) -> list[Labelled]:
    """Which of the labelled digits a person keeps; [] for none. Asks in a window, else on the terminal.

    sheet : where the contact sheet was written. answers : what is typed, by default standard input.
    Raises UsageError where there is nobody to ask.
    """
    answers = answers or sys.stdin
    if has_display():
        return _without(labelled, _ask_in_window(labelled))
    if not answers.isatty():
        raise UsageError(f"nothing was stored, for nobody is here to confirm; look at {sheet}, then run it again with --yes or --leave-out")
    while True:
        print(f"edge-digits: {sheet} shows them. {QUESTION}", end="", file=sys.stderr, flush=True)
        line = answers.readline()
        if not line or line.strip().lower() == "q":
            return []
        try:
            return _without(labelled, parse_numbers(line.split(), len(labelled)))
        except UsageError as error:
            print(f"edge-digits: {error}", file=sys.stderr)


def parse_numbers(words: Sequence[str], count: int) -> set[int]:
    """Numbers of crops on a contact sheet of so many. Raises UsageError for anything else."""
    for word in words:
        if not (word.isascii() and word.isdigit() and 1 <= int(word) <= count):
            raise UsageError(f"'{word}' is no number on the contact sheet; it has 1 to {count}")
    return {int(word) for word in words}


def _without(labelled: Sequence[Labelled], left_out: set[int] | None) -> list[Labelled]:
    return [] if left_out is None else [item for number, item in enumerate(labelled, start=1) if number not in left_out]


def _ask_in_window(labelled: Sequence[Labelled]) -> set[int] | None:
    """Numbers that were clicked away; None when nothing is to be kept."""
    left_out: set[int] = set()

    def click(event: int, x: int, y: int, flags: int, parameter: Any) -> None:
        del flags, parameter
        number = number_at(x, y, len(labelled)) if event == cv2.EVENT_LBUTTONDOWN else None
        if number is not None:
            left_out.symmetric_difference_update({number})

    open_window(click, "confirming", "run it again with --yes")
    print("edge-digits: click what is wrong; Enter or space keeps the others, Q keeps none", file=sys.stderr)
    try:
        while True:
            cv2.imshow(NAME, contact_sheet(labelled, left_out))
            key = cv2.waitKey(WAIT_MS) & 0xFF
            if key in KEEP_KEYS:
                return left_out
            if key in END_KEYS or is_closed():
                return None
    finally:
        cv2.destroyAllWindows()
