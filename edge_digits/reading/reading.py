"""The Reading: what stands on a page, as a person would write it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the source picture, origin top left."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit on the page.

    digit : 0..9, or None where the reader is unsure.
    confidence : probability of the best guess, 0..1.
    candidates : the best guesses and their probabilities, best first.
    """

    digit: int | None
    confidence: float
    box: Box
    candidates: tuple[tuple[int, float], ...] = ()

    @property
    def text(self) -> str:
        """The digit, or "?"."""
        return "?" if self.digit is None else str(self.digit)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; candidates only where the digit is unsure."""
        entry: dict[str, Any] = {"digit": self.digit, "confidence": round(self.confidence, 4), "box": list(self.box)}
        if self.digit is None:
            entry["candidates"] = [{"digit": d, "confidence": round(p, 4)} for d, p in self.candidates]
        return entry


@dataclass(frozen=True, slots=True)
class Number:
    """Digits written together."""

    digits: tuple[Digit, ...]

    @property
    def text(self) -> str:
        """The digits as written, "?" for unsure ones."""
        return "".join(d.text for d in self.digits)

    @property
    def value(self) -> str | None:
        """The number as text, None while a digit is unsure."""
        return None if any(d.digit is None for d in self.digits) else self.text

    @property
    def confidence(self) -> float:
        """Probability that every digit is right, taken as independent."""
        product = 1.0
        for digit in self.digits:
            product *= digit.confidence
        return product

    @property
    def box(self) -> Box:
        """Smallest box around the digits."""
        return enclosing([d.box for d in self.digits])

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "text": self.text,
            "value": self.value,
            "confidence": round(self.confidence, 4),
            "box": list(self.box),
            "digits": [d.to_dict() for d in self.digits],
        }


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

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"text": self.text, "box": list(self.box), "numbers": [n.to_dict() for n in self.numbers]}


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

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of one page, as `edge-digits read --format json` prints it."""
        return {
            "source": self.source,
            "page": self.page,
            "width": self.width,
            "height": self.height,
            "lines": [line.to_dict() for line in self.lines],
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
