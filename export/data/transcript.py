"""What a writer says stands on a sheet, and which line of it each line found there is.

A transcription is groups of characters with blanks between them, one group a line of the sheet from top to bottom:

    0123456789    a line of just these digits
    4*            a line of any number of fours
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_digits.errors import UsageError

UNSURE: Final = "?"
UNSURE_COST: Final = 0.25
"""What an unsure character adds to the distance of two lines; a wrong or missing one adds 1."""
MOST_UNLIKE: Final = 0.6
"""Lines whose distance is a larger share of their length are not the same line."""


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """One line by the transcription. digits : what stands on it; of one that repeats, its only digit. repeats : any number of it."""

    digits: str
    repeats: bool = False

    @property
    def text(self) -> str:
        """The line as the transcription writes it."""
        return self.digits + "*" * self.repeats

    def labels(self, count: int) -> list[int] | None:
        """Labels 0..9 of `count` digits found on the line, None where the line cannot hold so many."""
        digits = self.digits * count if self.repeats else self.digits
        return [int(digit) for digit in digits] if len(digits) == count else None

    def distance(self, read: str) -> float:
        """How unlike what was read the line is: 0 the same, 1 nothing in common. read : digits and "?"."""
        digits = self.digits * len(read) if self.repeats else self.digits
        return _edits(read, digits) / max(len(read), len(digits), 1)


def parse_transcript(text: str) -> list[ExpectedLine]:
    """The lines of a transcription. Raises UsageError naming the first group that is none, or that there is none at all."""
    groups = text.split()
    if not groups:
        raise UsageError("the labels are empty; give the digits of each line, a blank between lines: '0123456789 4*'")
    for group in groups:
        if not re.fullmatch(r"[0-9]+|[0-9]\*", group):
            raise UsageError(f"the labels have '{group}'; give digits 0 to 9 for a line of just these, or one digit and * for a line of it")
    return [ExpectedLine(group.rstrip("*"), group.endswith("*")) for group in groups]


def pair_lines(read: Sequence[str], expected: Sequence[ExpectedLine]) -> list[tuple[int, int]]:
    """Which line of the transcription each line found is, both kept in order; lines that are like no other stay alone.

    read : what was read on each line found, digits and "?". Returns pairs (index in read, index in expected).
    """
    alone = MOST_UNLIKE / 2.0
    costs = np.zeros((len(read) + 1, len(expected) + 1))
    costs[:, 0], costs[0, :] = alone * np.arange(len(read) + 1), alone * np.arange(len(expected) + 1)
    for i, text in enumerate(read, start=1):
        for j, line in enumerate(expected, start=1):
            costs[i, j] = min(costs[i - 1, j - 1] + line.distance(text), costs[i - 1, j] + alone, costs[i, j - 1] + alone)
    pairs = []
    i, j = len(read), len(expected)
    while i and j:
        if costs[i, j] == costs[i - 1, j] + alone:
            i -= 1
        elif costs[i, j] == costs[i, j - 1] + alone:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs[::-1]


def _edits(read: str, digits: str) -> float:
    """Edit distance of two lines, in characters; one that is unsure counts less."""
    row = np.arange(len(digits) + 1, dtype=np.float64)
    for i, character in enumerate(read, start=1):
        before, row = row, np.full_like(row, float(i))
        for j, digit in enumerate(digits, start=1):
            change = 0.0 if character == digit else UNSURE_COST if character == UNSURE else 1.0
            row[j] = min(before[j - 1] + change, before[j] + 1.0, row[j - 1] + 1.0)
    return float(row[-1])
