"""The Template: which fields a sheet has, where, and what may stand in each.

Places are in page units, origin top left: millimetres for a sheet that `edge-digits form` prints, pixels of the
reference picture for a form that exists already.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edge_digits.forms.checks import Check
from edge_digits.reading.expect import Expectation

Box = tuple[float, float, float, float]
"""x, y, width, height in page units, origin top left."""
Unit = Literal["mm", "px"]

CELL: Final = "#"
"""Stands for one box for one digit in a field's mask; every other character is printed between boxes."""
SEPARATOR_SHARE: Final = 0.45
"""Width of a printed separator, in cells."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a sheet.

    name : of its column in the table. label : printed above it. box : all of it.
    mask : one CELL a digit and what is printed between them, such as "####.##"; "" for one box without divisions.
    expectation : what may stand in it. required : whether an empty one is doubtful. column : name of the column of fields
    that it is one row of, "" for a field of its own.
    """

    name: str
    label: str
    box: Box
    mask: str
    expectation: Expectation
    required: bool = False
    column: str = ""

    @property
    def cells(self) -> tuple[Box, ...]:
        """The box of each digit, left to right; none for a field without divisions."""
        return tuple(box for sign, box in self.slots if sign == CELL)

    @property
    def slots(self) -> tuple[tuple[str, Box], ...]:
        """Each sign of the mask with its place, left to right."""
        x, y, width, height = self.box
        shares = [1.0 if sign == CELL else SEPARATOR_SHARE for sign in self.mask]
        step, found = width / max(sum(shares), 1.0), []
        for sign, share in zip(self.mask, shares, strict=True):
            found.append((sign, (x, y, share * step, height)))
            x += share * step
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Template:
    """A sheet.

    name, title : the file's name for it, and what is printed on top. size : width and height of the page, in page units.
    fields : in the order of the table's columns. checks : what must hold between them.
    reference : a picture of the empty form to align by, None for sheets with corner markers. font : a TrueType font to
    print with, None for Helvetica. doubt_below : fields surer than this, 0..1, are not doubtful.
    """

    name: str
    title: str
    size: tuple[float, float]
    fields: tuple[Field, ...]
    checks: tuple[Check, ...] = ()
    reference: Path | None = None
    font: Path | None = None
    doubt_below: float = 0.0

    @property
    def unit(self) -> Unit:
        """What places are measured in."""
        return "mm" if self.reference is None else "px"

    @property
    def fingerprint(self) -> bytes:
        """32 bytes that differ when a field has another name or place: labels, checks and grammars may change on paper already printed."""
        layout = [self.size, [(f.name, f.box, f.mask) for f in self.fields]]
        return hashlib.sha256(json.dumps(layout, sort_keys=True).encode()).digest()

    def field(self, name: str) -> Field:
        """The field of a name. Raises KeyError."""
        return next(field for field in self.fields if field.name == name)
