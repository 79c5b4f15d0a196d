"""One field of a sheet: what stands in its boxes becomes a value, or a doubt with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from edge_digits.forms.cells import CellInk
from edge_digits.forms.judging import Judged, best_digit
from edge_digits.forms.patches import LEAST_AGREEMENT, Patch
from edge_digits.forms.template import CELL, Field
from edge_digits.reading.evidence import make_evidence
from edge_digits.reading.fitting import fit
from edge_digits.reading.numbers import to_frame_boxes
from edge_digits.reading.reading import Box, Digit, Number, Rule, Sign
from edge_digits.recognition.weights import NOT_ONE_DIGIT

FAINT_SHARE: Final = 0.35
"""Ink fainter than this share of the sheet's is doubted: print-through, a shadow, a pen that failed."""
EMPTY: Final = "empty"
UNSURE: Final = "unsure digit"


@dataclass(frozen=True, slots=True)
class Written:
    """One digit as it was judged. box : in pixels of the Frame. sure : see Judged.sure."""

    digit: int
    sure: float
    judged: Judged
    box: Box


@dataclass(frozen=True, slots=True)
class FieldReading:
    """What a field says.

    text : as written, "?" for unsure digits, "" where it is empty. likely : the same with the best guess for each. value : in
    canonical form; "" for an empty field, None for a doubtful one. confidence : that all digits are right, 0..1.
    reasons : why it is doubtful; none where it is not. box : of the field, in pixels of the Frame. written : its digits.
    """

    field: Field
    text: str
    likely: str
    value: str | None
    confidence: float
    reasons: tuple[str, ...]
    box: Box
    written: tuple[Written, ...] = ()
    signs: tuple[Sign, ...] = ()

    @property
    def doubtful(self) -> bool:
        """Whether a person should look."""
        return bool(self.reasons)

    def doubted(self, reason: str) -> FieldReading:
        """The same, doubtful for one more reason."""
        return replace(self, value=None, reasons=(*self.reasons, reason))

    def to_number(self, least: float) -> Number:
        """The field as a number on the page. least : digits less sure are "?"."""
        digits = tuple(_digit(each, least) for each in self.written)
        rule = Rule(self.field.expectation.name, self.likely, fits=not self.doubtful)
        return Number(digits, self.signs, self.confidence, self.value, rule, field=self.box)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.field.name,
            "text": self.text,
            "value": self.value,
            "confidence": round(self.confidence, 4),
            "doubtful": self.doubtful,
            "reasons": list(self.reasons),
            "likely": self.likely,
            "box": list(self.box),
        }


def read_cells(
    place: Field, patch: Patch, cells: Sequence[CellInk | None], judged: Sequence[Judged | None], limits: tuple[float, float]
) -> FieldReading:
    """A field with a box for each digit.

    cells, judged : for each box, None where it is empty. limits : how sure a digit must be, and darkness of the sheet's ink.
    """
    least, level = limits
    filled = [index for index, cell in enumerate(cells) if cell is not None]
    reasons = [] if patch.agreement >= LEAST_AGREEMENT else ["boxes not found"]
    if not filled:
        return empty_field(place, patch, reasons)
    if any(cell.crossed for cell in cells if cell is not None):
        reasons.append("runs over its box")
    if any(cell.level < FAINT_SHARE * level for cell in cells if cell is not None):
        reasons.append("faint")
    if place.mask.count(CELL) == len(place.mask) and filled[-1] - filled[0] + 1 != len(filled):
        reasons.append("gap")
    kept = [(cells[index], judged[index]) for index in filled]
    boxes = to_frame_boxes([cell.box for cell, _ in kept if cell is not None], patch.ink.page)
    return _settled(place, patch, [each for _, each in kept if each is not None], (boxes, _signs(place, filled, patch)), reasons, least)


def empty_field(place: Field, patch: Patch, reasons: list[str]) -> FieldReading:
    """A field in which nothing stands."""
    if place.required:
        reasons = [*reasons, EMPTY]
    return FieldReading(place, "", "", None if reasons else "", 1.0, tuple(reasons), field_box(patch))


def field_box(patch: Patch) -> Box:
    """The box around a field in pixels of the Frame."""
    first, last = patch.cells[0], patch.cells[-1]
    box = round(first[0]), round(first[1]), round(last[0] + last[2] - first[0]), round(last[3])
    return to_frame_boxes([box], patch.ink.page)[0]


def settle(place: Field, patch: Patch, judged: list[Judged], boxes: list[Box], reasons: list[str], least: float) -> FieldReading:
    """A field without divisions, whose digits were found by the page reader. boxes : in pixels of the Frame."""
    return _settled(place, patch, judged, (boxes, ()), reasons, least)


def _settled(
    place: Field, patch: Patch, judged: list[Judged], where: tuple[list[Box], tuple[Sign, ...]], reasons: list[str], least: float
) -> FieldReading:
    """The digits weighed against what may stand in the field."""
    boxes, signs = where
    before = ["".join(sign.mark for sign in signs if sign.before == index) for index in range(len(judged))]
    evidence = make_evidence(np.array([each.combined[:NOT_ONE_DIGIT] for each in judged]), before)
    found = fit(evidence, place.expectation)
    digits = [best_digit(each) for each in judged]
    if found.fits and all(digit is not None for digit in found.digits):
        digits = [digit for digit in found.digits if digit is not None]
    written = tuple(Written(d, float(j.sure[d]), j, box) for d, j, box in zip(digits, judged, boxes, strict=True))
    likely = joined([str(each.digit) for each in written], signs)
    if not found.fits:
        reasons = [*reasons, f"not {place.expectation.name}"]
    if any(each.sure < least for each in written):
        reasons = [*reasons, UNSURE]
    text = joined(["?" if each.sure < least else str(each.digit) for each in written], signs)
    confidence = float(np.prod([each.judged.combined[each.digit] for each in written]))
    value = None if reasons else place.expectation.canonical(likely)
    return FieldReading(place, text, likely, value, confidence, tuple(reasons), field_box(patch), written, signs)


def joined(digits: Sequence[str], signs: Sequence[Sign]) -> str:
    """Digits with the signs before them."""
    marks = {sign.before: sign.mark for sign in signs}
    return "".join(marks.get(index, "") + digit for index, digit in enumerate(digits))


def _signs(place: Field, filled: list[int], patch: Patch) -> tuple[Sign, ...]:
    """The printed signs that stand between digits, each before the digit that follows it."""
    found: list[Sign] = []
    cell = -1
    for sign in place.mask:
        if sign == CELL:
            cell += 1
            continue
        before = sum(index <= cell for index in filled)
        if 0 < before < len(filled) and filled[before] == cell + 1 and sign != " ":
            left, right = patch.cells[cell], patch.cells[cell + 1]
            box = round(left[0] + left[2]), round(left[1]), max(1, round(right[0] - left[0] - left[2])), round(left[3])
            found.append(Sign(sign, before, to_frame_boxes([box], patch.ink.page)[0]))
    return tuple(found)


def _digit(written: Written, least: float) -> Digit:
    combined = written.judged.combined[:NOT_ONE_DIGIT]
    order = [written.digit, *(int(d) for d in np.argsort(-combined) if d != written.digit)]
    guesses = tuple((d, float(combined[d])) for d in order)
    return Digit(written.digit if written.sure >= least else None, float(combined[written.digit]), written.box, guesses)
