"""What stands on a line of a list: numbers alone, names and numbers, numbers and units, letters, expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from export.pages.numbers import EXPRESSION_INNER, ROMAN, digits, expression, number
from export.pages.words import any_word, row_name, single_letter, unit
from export.pages.writing import INNER_SIGNS


def _numbers(rng: np.random.Generator) -> str:
    return " ".join(number(rng) if rng.random() < 0.6 else digits(rng, 1, 4) for _ in range(int(rng.integers(1, 7))))


def _list_entry(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.4:
        return f"{row_name(rng)} {number(rng)}"
    if draw < 0.7:
        return f"{number(rng)} {row_name(rng) if rng.random() < 0.6 else unit(rng)}"
    return f"{int(rng.integers(1, 20))}{rng.choice(['.', ')', ''])} {row_name(rng)} {number(rng)}"


def _labelled(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.2:
        return f"{rng.choice(ROMAN)} {number(rng)}"
    if draw < 0.5:
        return f"{single_letter(rng)} {'= ' if rng.random() < 0.4 else ''}{number(rng)}"
    if draw < 0.62:
        # A letter straight after or before a number: 508R, B12, 3b.
        letter = single_letter(rng)
        return f"{digits(rng, 1, 4)}{letter}" if rng.random() < 0.5 else f"{letter}{digits(rng, 1, 4)}"
    return f"{any_word(rng)}: {number(rng)} {unit(rng) if rng.random() < 0.4 else ''}"


STYLES: Final[dict[str, tuple[Callable[[np.random.Generator], str], float]]] = {
    "numbers": (_numbers, 0.35),
    "list": (_list_entry, 0.25),
    "expressions": (expression, 0.13),
    "column": (number, 0.12),
    "labelled": (_labelled, 0.15),
}
"""Style of a page's lines -> (maker of one line, how often)."""


def line_text(rng: np.random.Generator, style: str) -> tuple[str, frozenset[str]]:
    """The text of one line, and the signs that hold its numbers together."""
    return STYLES[style][0](rng), EXPRESSION_INNER if style == "expressions" else INNER_SIGNS
