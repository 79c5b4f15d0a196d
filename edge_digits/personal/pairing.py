"""Pairs the digits found on a photographed page with what the writer says stands there, and cuts them out."""

from __future__ import annotations

from collections.abc import Sequence

from edge_digits.errors import UsageError
from edge_digits.personal.contact_sheet import Labelled
from edge_digits.personal.crops import cut_out
from edge_digits.reading.reading import Reading
from edge_digits.sources.frame import Frame


def parse_labels(text: str) -> list[str]:
    """The labels of each line; lines are separated by blanks. Raises UsageError for anything but digits and blanks."""
    lines = text.split()
    if not lines:
        raise UsageError("--labels is empty; give the digits on the page, a blank between lines: --labels '0123456789 0123456789'")
    for line in lines:
        if not (line.isascii() and line.isdigit()):
            raise UsageError(f"--labels has '{line}'; give digits 0 to 9, one group a line of the page, and blanks between lines")
    return lines


def pair_labels(reading: Reading, frame: Frame, labels: Sequence[str]) -> list[Labelled]:
    """Pair digits in reading order with labels, line by line.

    Raises UsageError naming each line whose count differs, and what was read there.
    """
    found = [[digit for number in line.numbers for digit in number.digits] for line in reading.lines]
    if len(found) != len(labels):
        seen = " / ".join(line.text for line in reading.lines) or "nothing"
        raise UsageError(f"{reading.source}: {len(found)} lines found ({seen}), {len(labels)} lines of labels given; nothing was stored")
    wrong = [
        f"line {number}: {len(digits)} digits found ('{reading.lines[number - 1].text}'), {len(line)} labels given ('{line}')"
        for number, (digits, line) in enumerate(zip(found, labels, strict=True), start=1)
        if len(digits) != len(line)
    ]
    if wrong:
        raise UsageError(f"{reading.source}: {'; '.join(wrong)}; nothing was stored")
    return [
        Labelled(int(label), cut_out(frame, digit.box, digit.digit))
        for digits, line in zip(found, labels, strict=True)
        for digit, label in zip(digits, line, strict=True)
    ]
