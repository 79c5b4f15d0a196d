"""What one told number is worth, compared with the digits that stand where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.films.store import StoredFilm

INSIDE: Final = 0.12
"""A digit belongs to a box that its middle lies in, or misses by so much of the box's height."""
MARKS_BESIDE: Final = ("printed", "struck out", "faint digit", "cut digit")
"""Kinds of marks that are digits often, or were: counted apart, for whoever reads them has not made up everything."""


@dataclass(slots=True)
class Told:
    """One event, as it came. film_s : when its frame was taken. at_s : when it was told, both seconds from the film's beginning."""

    kind: str
    text: str
    confidence: float
    box: tuple[int, int, int, int]
    frame: int
    film_s: float
    at_s: float
    identity: int


@dataclass(slots=True)
class Verdict:
    """What an event said of which numbers of the sheet.

    kind : "right"; "grouped otherwise", digits right; "unsure", with "?"; "wrong"; "no number", nothing stands there; "mark beside",
    no number of the sheet's, but something printed, struck out or faint. digits : those that stand there, each as the number of
    its number and its place in it.
    """

    told: Told
    kind: str
    numbers: tuple[int, ...]
    truth: str
    digits: tuple[tuple[int, int], ...] = ()


def verdict_of(told: Told, film: StoredFilm) -> Verdict:
    """Compare one settled or changed number with the digits that stand where it is."""
    pose = film.poses[min(told.frame, len(film.poses) - 1)]
    x, y, w, h = told.box
    slack = INSIDE * h
    inside: list[tuple[int, int, int]] = []
    for index, number in enumerate(film.numbers):
        for place, (digit, box) in enumerate(number.digits):
            middle = pose @ np.array([box[0] + box[2] / 2, box[1] + box[3] / 2, 1.0])
            cx, cy = middle[:2] / middle[2]
            if x - slack <= cx <= x + w + slack and y - slack <= cy <= y + h + slack:
                inside.append((index, place, digit))
    owners = tuple(dict.fromkeys(index for index, _, _ in inside))
    truth = "".join(str(digit) for _, _, digit in inside)
    digits = tuple((index, place) for index, place, _ in inside)
    read = "".join(c for c in told.text if c.isdigit() or c == "?")
    if not inside:
        return Verdict(told, "unsure" if "?" in read else _what_else(told, film, pose), (), "")
    if "?" in read:
        return Verdict(told, "unsure", owners, truth, digits)
    if read != truth:
        return Verdict(told, "wrong", owners, truth, digits)
    whole = all(sum(i == owner for i, _, _ in inside) == len(film.numbers[owner].digits) for owner in owners)
    return Verdict(told, "right" if whole and len(owners) == 1 else "grouped otherwise", owners, truth, digits)


def _what_else(told: Told, film: StoredFilm, pose: NDArray[np.float64]) -> str:
    """What was read where no number stands: a digit that is printed, struck out or too faint to count, or no number at all."""
    x, y, w, h = told.box
    for kind, box in film.other_marks:
        middle = pose @ np.array([box[0] + box[2] / 2, box[1] + box[3] / 2, 1.0])
        cx, cy = middle[:2] / middle[2]
        if kind in MARKS_BESIDE and x - w / 2 <= cx <= x + 1.5 * w and y - h / 2 <= cy <= y + 1.5 * h:
            return "mark beside"
    return "no number"
