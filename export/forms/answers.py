"""What a careful person writes into a form: values that its grammars allow and its checks hold for."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np

from edge_digits.forms.checks import Check, CheckDigit, NeverFalls, SumCheck, number
from edge_digits.forms.template import CELL, Field, Template

EMPTY_SHARE: Final = 0.12
"""Optional fields that stay empty."""
YEARS: Final = (1990, 2035)


def fill_in(template: Template, rng: np.random.Generator) -> dict[str, str]:
    """A value for each field by name, "" for one left empty. Every check holds.

    Values are texts as they are written: "03/04/2021", "0412", "12.50".
    """
    values = {field.name: _value(field, rng) for field in template.fields}
    for check in template.checks:
        _obey(check, template, values, rng)
    return values


def digits_by_cell(field: Field, value: str, *, to_left: bool) -> list[str]:
    """What stands in each cell of a field, "" for nothing. to_left : whether short numbers begin in the first cell."""
    parts, cells = _parts(field.mask), []
    texts = _split(value, field.mask)
    for index, (size, text) in enumerate(zip(parts, texts, strict=True)):
        # Only the first part of a number is as long as it happens to be.
        free = [""] * (size - len(text))
        cells += [*text, *free] if to_left and index == 0 and len(parts) == 1 else [*free, *text]
    return cells


def _value(field: Field, rng: np.random.Generator) -> str:
    if not field.required and rng.random() < EMPTY_SHARE:
        return ""
    kind, _, rest = field.expectation.name.partition(":")
    if kind == "date":
        day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(*YEARS))
        return f"{day:02d}/{month:02d}/{year}"
    parts = _parts(field.mask)
    if kind == "digits":
        least, _, most = rest.partition("-")
        length = int(rng.integers(int(least), int(most or least) + 1))
        return _digits(length, rng)
    if len(parts) > 1:
        return _digits(int(rng.integers(1, parts[0] + 1)), rng, leading=False) + "." + _digits(parts[1], rng)
    return _digits(int(rng.integers(1, (parts[0] if parts else 6) + 1)), rng, leading=False)


def _digits(count: int, rng: np.random.Generator, *, leading: bool = True) -> str:
    """So many digits. leading : whether the first may be a zero."""
    first = int(rng.integers(0 if leading or count == 1 else 1, 10))
    return str(first) + "".join(str(int(digit)) for digit in rng.integers(0, 10, count - 1))


def _obey(check: Check, template: Template, values: dict[str, str], rng: np.random.Generator) -> None:
    """Change values so that a check holds."""
    if isinstance(check, SumCheck):
        parts = [number(values[name] or "0") or Decimal(0) for name in check.parts]
        values[check.total] = str(sum(parts, Decimal(0)))
    elif isinstance(check, NeverFalls):
        written = [name for name in check.sequence if values[name]]
        width = len(template.field(check.sequence[0]).cells)
        rising = sorted(int(value) for value in rng.integers(0, 10**width, len(written)))
        values.update(zip(written, map(str, rising), strict=True))
    elif isinstance(check, CheckDigit) and values[check.field]:
        stem = values[check.field][:-1]
        values[check.field] = next(
            (stem + str(last) for last in range(10) if check.holds({check.field: stem + str(last)})), values[check.field]
        )


def _parts(mask: str) -> list[int]:
    """Number of cells in each run of them."""
    return [len(run) for run in "".join(sign if sign == CELL else " " for sign in mask).split()]


def _split(value: str, mask: str) -> list[str]:
    """The digits of a value that belong to each run of cells."""
    digits = "".join(sign if sign.isdecimal() else " " for sign in value).split()
    runs = len(_parts(mask))
    return [""] * runs if not value else [*[""] * (runs - len(digits)), *digits]
