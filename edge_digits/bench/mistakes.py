"""What went wrong on a page, digit by digit: missing, extra, confused with another, or left open.

The comparison is the one that the score counts, and each mistake costs 1 there: mistakes and errors are the same number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edge_digits.bench.edits import edit_steps, swap_cost
from edge_digits.bench.scoring import comparisons, match_places
from edge_digits.bench.truth import PageTruth

MISSING: Final = "missing"
EXTRA: Final = "extra"
CONFUSED: Final = "confused"
UNSURE: Final = "unsure"
CAUSES: Final = (MISSING, EXTRA, CONFUSED, UNSURE)
ANY: Final = "?"


@dataclass(frozen=True, slots=True)
class Step:
    """One digit that stands there, was read, or both.

    truth, read : "0".."9" or "?"; "" where there is none. cause : one of CAUSES, None where it is right.
    place : index of the digit read among all digits of the reading, None where none was read.
    """

    truth: str
    read: str
    cause: str | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class PageMistakes:
    """rows : steps from left to right of each pair of strings that were compared, in the order of the truth; extra ones last."""

    rows: tuple[tuple[Step, ...], ...] = ()

    @property
    def steps(self) -> Iterator[Step]:
        """All steps, row by row."""
        return (step for row in self.rows for step in row)

    @property
    def causes(self) -> Counter[str]:
        """How often each of CAUSES."""
        return Counter(step.cause for step in self.steps if step.cause is not None)

    @property
    def confusions(self) -> Counter[tuple[str, str]]:
        """(what stands there, what was read) -> how often."""
        return Counter((step.truth, step.read) for step in self.steps if step.cause == CONFUSED)


def find_mistakes(page: PageTruth, read: Sequence[str]) -> PageMistakes:
    """Compare the lines read with the page in the way that costs least. Raises MissingExtraError without scipy."""
    best: tuple[float, tuple[tuple[Step, ...], ...]] = (float("inf"), ())
    for comparison in comparisons(page, read):
        cost, pairs = match_places(comparison.wanted, comparison.found, 1.0)
        if cost >= best[0]:
            continue
        # Every comparison holds the digits of the reading in one and the same order, cut in different places.
        starts = [sum(map(len, comparison.found[:j])) for j in range(len(comparison.found))]
        ordered = sorted(pairs, key=lambda pair: (pair[0] is None, pair[0] if pair[0] is not None else pair[1]))
        rows = (
            align("" if i is None else comparison.wanted[i], "" if j is None else comparison.found[j], 0 if j is None else starts[j])
            for i, j in ordered
        )
        best = (cost, tuple(rows))
    return PageMistakes(best[1])


def align(truth: str, read: str, start: int = 0) -> tuple[Step, ...]:
    """The steps of a cheapest alignment, swaps before gaps. start : place of the first digit read."""
    steps: list[Step] = []
    for i, j in edit_steps(truth, read):
        if i is not None and j is not None:
            steps.append(Step(truth[i], read[j], _cause(truth[i], read[j]), start + j))
        elif j is not None:
            steps.append(Step("", read[j], EXTRA, start + j))
        elif i is not None:
            steps.append(Step(truth[i], "", None if truth[i] == ANY else MISSING))
    return tuple(reversed(steps))


def count_causes(pages: Iterable[PageMistakes]) -> dict[str, int]:
    """Mistakes of all pages by cause, in the order of CAUSES."""
    total: Counter[str] = Counter()
    for page in pages:
        total.update(page.causes)
    return {cause: total[cause] for cause in CAUSES}


def count_confusions(pages: Iterable[PageMistakes]) -> list[tuple[str, str, int]]:
    """(what stands there, what was read, how often), the most frequent first."""
    total: Counter[tuple[str, str]] = Counter()
    for page in pages:
        total.update(page.confusions)
    return [(truth, read, count) for (truth, read), count in sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))]


def _cause(truth: str, read: str) -> str | None:
    if not swap_cost(truth, read):
        return None
    return UNSURE if read == ANY else CONFUSED
