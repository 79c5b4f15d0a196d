"""Gives digits and numbers the confidence that was found on pages, in place of the classifier's own."""

from __future__ import annotations

import math
from dataclasses import replace

from edge_digits.reading.reading import Digit, Line, Number
from edge_digits.recognition.confidence_curve import ConfidenceCurve


def calibrate(lines: tuple[Line, ...], curve: ConfidenceCurve | None) -> tuple[Line, ...]:
    """The same lines with calibrated confidences; as they are without a curve. What is named and what is "?" stays."""
    digits = [digit for line in lines for number in line.numbers for digit in number.digits]
    if curve is None or not digits:
        return lines
    found = iter(curve.digits([digit.confidence for digit in digits]).tolist())
    return tuple(replace(line, numbers=tuple(_number(n, [next(found) for _ in n.digits], curve) for n in line.numbers)) for line in lines)


def _number(number: Number, confidences: list[float], curve: ConfidenceCurve) -> Number:
    """confidences : of its digits, calibrated. Read by its digits alone, a number is never surer than the least sure one."""
    if number.probability is not None:
        whole = float(curve.numbers([number.probability])[0])
    else:
        whole = min([float(curve.numbers([math.prod(confidences)])[0]), *confidences])
    digits = tuple(_digit(digit, confidence) for digit, confidence in zip(number.digits, confidences, strict=True))
    return replace(number, digits=digits, probability=whole)


def _digit(digit: Digit, confidence: float) -> Digit:
    """The other guesses move with the best one: they stay behind it, and all together stay at most 1."""
    before = max(digit.confidence, 1e-12)
    others = confidence / before if confidence <= before else (1.0 - confidence) / max(1.0 - before, 1e-12)
    guesses = [(d, confidence if place == 0 else min(confidence, p * others)) for place, (d, p) in enumerate(digit.candidates)]
    return replace(digit, confidence=confidence, candidates=tuple(guesses))
