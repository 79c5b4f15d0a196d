"""What a page says of one number: the probabilities of its digits, and what may stand between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.canonical import GAP

ALIKE: Final = {(".", ","): 0.3, (",", "."): 0.3, ("-", "."): 0.01, (".", "-"): 0.01, ("/", "-"): 0.01, (":", "."): 0.03}
"""How much less likely than the sign that was read another one is, by (read, other); a point and a comma differ by a tail."""
OTHER_SIGN: Final = 0.003
DIRT: Final = 0.03
"""The same for a sign that is none."""
ONE_AS_SLASH: Final = 0.1
"""The same for a leaning 1 that is a slash, times its probability to be a 1."""
LEANING_DEG: Final = 9.0
LOST_SIGN: Final = 0.05
"""The same for a sign that stands on the paper and was not found."""
LEAST: Final = 1e-9
"""No digit is less probable than this: nothing on a page is beyond doubt."""

Options = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a number, left to right.

    digit : index of the digit that stands here, None for a sign or gap. options : what else may stand here, each a sign or
        "" for nothing, with its weight relative to what was read (a digit, or the first option).
    """

    digit: int | None
    options: Options = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number as it was found.

    probabilities : float64 (n, 10), each row sums to 1. slots : its digits and the signs between them.
    """

    probabilities: NDArray[np.float64]
    slots: tuple[Slot, ...]


def make_evidence(probabilities: NDArray[np.float64], before: Sequence[str], leans_deg: Sequence[float] | None = None) -> Evidence:
    """The evidence of one number.

    probabilities : (n, 10), any scale. before : for each digit the sign read before it, GAP for a gap, "" for nothing.
    leans_deg : how far each digit leans.
    """
    rows = np.maximum(probabilities.astype(np.float64), LEAST)
    rows /= rows.sum(axis=1, keepdims=True)
    slots: list[Slot] = []
    for index, sign in enumerate(before):
        if sign:
            slots.append(Slot(None, _options(sign)))
        may_slash = leans_deg is not None and leans_deg[index] >= LEANING_DEG and 0 < index < len(before) - 1
        slots.append(Slot(index, (("/", ONE_AS_SLASH * float(rows[index, 1])),) if may_slash and rows[index, 1] > 0.5 else ()))
    return Evidence(rows, tuple(slots))


def _options(sign: str) -> Options:
    if sign == GAP:
        # A gap says nothing by itself: whether a pattern names it or not, the number is the same.
        return (GAP, 0.5), ("", 0.5)
    others = [(other, ALIKE.get((sign, other), OTHER_SIGN)) for other in ".,-/:" if other != sign]
    return (sign, 1.0), ("", DIRT), *others
