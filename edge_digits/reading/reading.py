"""The Reading: what stands on a page, as a person would write it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edge_digits.reading.canonical import canonical

CANDIDATES_TOLD: Final = 3
"""Best guesses of an unsure digit in the JSON form."""

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the source picture, origin top left."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit on the page.

    digit : 0..9, or None where the reader is unsure.
    confidence : probability of the best guess, 0..1.
    candidates : all guesses and their probabilities, best first.
    """

    digit: int | None
    confidence: float
    box: Box
    candidates: tuple[tuple[int, float], ...] = ()

    @property
    def text(self) -> str:
        """The digit, or "?"."""
        return "?" if self.digit is None else str(self.digit)

    def to_dict(self, *, all_candidates: bool = False) -> dict[str, Any]:
        """The JSON form; candidates only where the digit is unsure, unless all candidates of every digit are wanted."""
        entry: dict[str, Any] = {"digit": self.digit, "confidence": round(self.confidence, 4), "box": list(self.box)}
        if all_candidates:
            entry["candidates"] = [{"digit": d, "confidence": round(p, 7)} for d, p in self.candidates]
        elif self.digit is None:
            entry["candidates"] = [{"digit": d, "confidence": round(p, 4)} for d, p in self.candidates[:CANDIDATES_TOLD]]
        return entry


@dataclass(frozen=True, slots=True)
class Sign:
    """A mark within a number, or a minus in front of it.

    mark : one of ".", ",", "-", "/", ":"; " " is a gap within a number that was written in groups.
    before : index of the digit that it stands before.
    """

    mark: str
    before: int
    box: Box

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"sign": self.mark, "before": self.before, "box": list(self.box)}


@dataclass(frozen=True, slots=True)
class Rule:
    """What an expectation did to a number.

    name : the expectation, as it was given. was : the number's text without it.
    fits : whether the number is now one that is allowed. Where it is not, the text is still what was read.
    """

    name: str
    was: str
    fits: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"name": self.name, "was": self.was, "fits": self.fits}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number stands in a table: row from the top, column from the left, both from 1."""

    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Number:
    """Digits written together, with the signs between them.

    probability : that the whole number is right, where it was judged as a whole; None takes the digits as independent.
    known_value : the canonical form that an expectation gave it. rule : what the expectation did, None where nothing.
    place : where it stands in a table, None outside of one. field : the printed box around it, None where there is none.
    """

    digits: tuple[Digit, ...]
    signs: tuple[Sign, ...] = ()
    probability: float | None = None
    known_value: str | None = None
    rule: Rule | None = None
    place: Place | None = None
    field: Box | None = None

    @property
    def text(self) -> str:
        """The number as written, "?" for unsure digits."""
        marks: dict[int, str] = {}
        for sign in self.signs:
            marks[sign.before] = marks.get(sign.before, "") + sign.mark
        return "".join(marks.get(index, "") + digit.text for index, digit in enumerate(self.digits))

    @property
    def value(self) -> str | None:
        """The number in canonical form; None while a digit is unsure, or when it is not one of those expected."""
        if any(d.digit is None for d in self.digits) or (self.rule is not None and not self.rule.fits):
            return None
        return canonical(self.text) if self.known_value is None else self.known_value

    @property
    def confidence(self) -> float:
        """Probability that the number is right."""
        if self.probability is not None:
            return self.probability
        product = 1.0
        for digit in self.digits:
            product *= digit.confidence
        return product

    @property
    def box(self) -> Box:
        """Smallest box around the digits and signs."""
        return enclosing([*(d.box for d in self.digits), *(s.box for s in self.signs)])

    def to_dict(self, *, all_candidates: bool = False) -> dict[str, Any]:
        """The JSON form; "signs", "row", "column", "field" and "rule" only where there are any."""
        entry: dict[str, Any] = {
            "text": self.text,
            "value": self.value,
            "confidence": round(self.confidence, 4),
            "box": list(self.box),
            "digits": [d.to_dict(all_candidates=all_candidates) for d in self.digits],
        }
        if self.signs:
            entry["signs"] = [s.to_dict() for s in self.signs]
        if self.place is not None:
            entry["row"], entry["column"] = self.place.row, self.place.column
        if self.field is not None:
            entry["field"] = list(self.field)
        if self.rule is not None:
            entry["rule"] = self.rule.to_dict()
        return entry


@dataclass(frozen=True, slots=True)
class Line:
    """Numbers that stand on one line, left to right."""

    numbers: tuple[Number, ...]

    @property
    def text(self) -> str:
        """The numbers, separated by single spaces."""
        return " ".join(n.text for n in self.numbers)

    @property
    def box(self) -> Box:
        """Smallest box around the numbers."""
        return enclosing([n.box for n in self.numbers])

    def to_dict(self, *, all_candidates: bool = False) -> dict[str, Any]:
        """The JSON form."""
        numbers = [n.to_dict(all_candidates=all_candidates) for n in self.numbers]
        return {"text": self.text, "box": list(self.box), "numbers": numbers}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one page.

    source, page, width, height : of the picture that was read, pixels after EXIF rotation.
    lines : top to bottom.
    model : {"name", "sha256", "precision"} of the model. provider : what ONNX Runtime really ran on.
    elapsed_ms : milliseconds by stage, in the order they ran.
    """

    source: str
    page: int
    width: int
    height: int
    lines: tuple[Line, ...]
    model: Mapping[str, str] = field(default_factory=dict)
    provider: str = ""
    elapsed_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The lines, separated by newlines; "" for a page without digits."""
        return "\n".join(line.text for line in self.lines)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """All numbers in reading order."""
        return tuple(number for line in self.lines for number in line.numbers)

    @property
    def digits(self) -> tuple[Digit, ...]:
        """All digits in reading order."""
        return tuple(digit for number in self.numbers for digit in number.digits)

    def to_dict(self, *, all_candidates: bool = False) -> dict[str, Any]:
        """The JSON object of one page, as `edge-digits read --format json` prints it.

        all_candidates : tell all guesses of every digit, not only the best ones of unsure digits.
        """
        return {
            "source": self.source,
            "page": self.page,
            "width": self.width,
            "height": self.height,
            "lines": [line.to_dict(all_candidates=all_candidates) for line in self.lines],
            "model": dict(self.model),
            "provider": self.provider,
            "elapsed_ms": {stage: round(ms, 3) for stage, ms in self.elapsed_ms.items()},
        }


def enclosing(boxes: list[Box]) -> Box:
    """Smallest box around boxes; (0, 0, 0, 0) around none."""
    if not boxes:
        return 0, 0, 0, 0
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    return left, top, right - left, bottom - top
