"""A sheet while it is being written: paper, one layer of ink a pen, and the truth of what stands where."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from export.pages.pens import InkLayer, Pen, lay_ink
from export.pages.sheet import Box, Clutter, Sheet, WrittenDigit

_CELL_PX = 8


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number as it was set down. text : signs included. digits : value and box of each. row : numbers of one row share one line."""

    text: str
    digits: tuple[tuple[int, Box], ...]
    row: int | None


def around(boxes: list[Box]) -> Box:
    """The box around boxes (one at least)."""
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    return left, top, right - left, bottom - top


@dataclass(slots=True)
class Canvas:
    """picture : uint8 (h, w, 3) BGR, the paper, print included. taken : where something stands, in cells of 8 px."""

    picture: NDArray[np.uint8]
    kind: str
    numbers: list[WrittenNumber] = field(default_factory=list)
    clutter: list[Clutter] = field(default_factory=list)
    layers: dict[Pen, InkLayer] = field(default_factory=dict)
    taken: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.taken = np.zeros((-(-self.height // _CELL_PX), -(-self.width // _CELL_PX)), bool)

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.picture.shape[0])

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.picture.shape[1])

    def layer(self, pen: Pen) -> InkLayer:
        """The layer of a pen, new where the pen is."""
        if pen not in self.layers:
            self.layers[pen] = InkLayer(pen, (self.height, self.width))
        return self.layers[pen]

    def clip(self, box: Box) -> tuple[Box | None, float]:
        """The part of a box that lies on the sheet (None if nothing), and its share of the box."""
        x, y, w, h = box
        left, top, right, bottom = max(0.0, x), max(0.0, y), min(float(self.width), x + w), min(float(self.height), y + h)
        if right <= left or bottom <= top:
            return None, 0.0
        return (left, top, right - left, bottom - top), (right - left) * (bottom - top) / max(w * h, 1e-6)

    def take(self, box: Box, margin_px: float = 0.0) -> None:
        """Marks a box as written on."""
        self.taken[self._cells(box, margin_px)] = True

    def is_free(self, box: Box, margin_px: float = 0.0) -> bool:
        """Whether a box lies on the sheet and nothing stands there."""
        x, y, w, h = box
        inside = x >= 0 and y >= 0 and x + w <= self.width and y + h <= self.height
        return inside and not self.taken[self._cells(box, margin_px)].any()

    def _cells(self, box: Box, margin_px: float) -> tuple[slice, slice]:
        x, y, w, h = box
        rows = slice(max(0, int((y - margin_px) // _CELL_PX)), max(0, int((y + h + margin_px) // _CELL_PX) + 1))
        return rows, slice(max(0, int((x - margin_px) // _CELL_PX)), max(0, int((x + w + margin_px) // _CELL_PX) + 1))

    def add_clutter(self, kind: str, box: Box | None) -> None:
        """Notes something that is no digit."""
        if box is not None:
            self.clutter.append(Clutter(kind, box))
            self.take(box)

    def add_number(self, number: WrittenNumber) -> None:
        """Notes a number."""
        self.numbers.append(number)
        self.take(around([box for _, box in number.digits]))

    def finish(self, rng: np.random.Generator) -> Sheet:
        """Lays all ink onto the paper and puts the numbers in reading order."""
        written = np.zeros((self.height, self.width), np.uint8)
        for layer in self.layers.values():
            lay_ink(self.picture, layer, rng)
            np.maximum(written, layer.coverage, out=written)
        digits: list[WrittenDigit] = []
        lines: list[str] = []
        for line, row in enumerate(_rows(self.numbers)):
            lines.append(" ".join(number.text for number in row))
            for index, number in enumerate(row):
                digits += [WrittenDigit(value, box, line, index) for value, box in number.digits]
        return Sheet(self.picture, tuple(digits), tuple(self.clutter), self.kind, tuple(lines), written)


def _rows(numbers: list[WrittenNumber]) -> list[list[WrittenNumber]]:
    """Numbers by lines from top to bottom, each line from left to right; numbers without a row join by their height on the page."""
    rows: dict[int, list[WrittenNumber]] = {}
    loose = []
    for number in numbers:
        if number.row is None:
            loose.append(number)
        else:
            rows.setdefault(number.row, []).append(number)
    groups = list(rows.values())
    for number in sorted(loose, key=lambda each: _middle(each)[1]):
        _, y, height = _middle(number)
        near = [
            group for group in groups if group[0].row is None and abs(_middle(group[-1])[1] - y) < 0.5 * min(height, _middle(group[-1])[2])
        ]
        if near:
            near[-1].append(number)
        else:
            groups.append([number])
    groups.sort(key=lambda group: float(np.mean([_middle(each)[1] for each in group])))
    return [sorted(group, key=lambda each: _middle(each)[0]) for group in groups]


def _middle(number: WrittenNumber) -> tuple[float, float, float]:
    """Middle x, middle y and height of a number's digits."""
    x, y, w, h = around([box for _, box in number.digits])
    return x + w / 2, y + h / 2, h
