"""Scores what was read against what stands there.

Lines are matched to lines at the least total edit distance, so that the order of columns costs nothing. A "?" in the
truth matches any one digit or none. A "?" in a reading is a digit found but not named: it costs 1 in the plain figures
and nothing in the named ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edge_digits.bench.truth import PageTruth
from edge_digits.errors import MissingExtraError

MOST_LINES: Final = 150
"""Pages with more lines than this are compared as one sequence only: matching takes a distance for every pair."""

MOST_NUMBERS: Final = 400

NEGATIVE: Final = "negative"
"""Kind of the pages on which there is nothing, or almost nothing, to read."""


@dataclass(frozen=True, slots=True)
class PageScore:
    """Counts of one page; figures are made of their sums.

    errors : edit distance, "?" read costing 1. named_errors : the same, "?" read costing nothing.
    digits : legible digits in the truth. lines, numbers : in the truth; numbers only where grouping is beyond doubt.
    unsure : "?" in the reading. false_digits : on negative pages, digits named beyond those that stand there.
    """

    errors: float
    named_errors: float
    digits: int
    lines: int
    exact_lines: int
    numbers: int
    exact_numbers: int
    unsure: int
    negative: bool
    false_digits: int


def digits_of(text: str) -> str:
    """Digits and "?" of a text, everything else left out."""
    return re.sub(r"[^0-9?]", "", text)


def edit_distance(truth: str, read: str, unsure_cost: float) -> float:
    """Least cost of turning `read` into `truth`; "?" in truth matches one digit or none, "?" in read costs unsure_cost."""
    insertion = [unsure_cost if character == "?" else 1.0 for character in read]
    row = [0.0]
    for cost in insertion:
        row.append(row[-1] + cost)
    for wanted in truth:
        deletion = 0.0 if wanted == "?" else 1.0
        above, row = row, [row[0] + deletion]
        for j, found in enumerate(read):
            swap = 0.0 if wanted in (found, "?") else insertion[j] if found == "?" else 1.0
            row.append(min(above[j] + swap, above[j + 1] + deletion, row[j] + insertion[j]))
    return row[-1]


def match(truth: Sequence[str], read: Sequence[str], unsure_cost: float) -> tuple[float, list[tuple[str, str]]]:
    """Pair true strings with read strings at the least total distance; "" stands for a missing partner.

    Returns the total and the pairs; of several pairings with that total, whichever the solver met first.
    Raises MissingExtraError without scipy.
    """
    total, pairs = match_places(truth, read, unsure_cost)
    return total, [("" if i is None else truth[i], "" if j is None else read[j]) for i, j in pairs]


def match_places(truth: Sequence[str], read: Sequence[str], unsure_cost: float) -> tuple[float, list[tuple[int | None, int | None]]]:
    """The same, each pair as indices into truth and read; None stands for a missing partner."""
    size = max(len(truth), len(read))
    if size == 0:
        return 0.0, []
    wanted, found = [*truth, *[""] * (size - len(truth))], [*read, *[""] * (size - len(read))]
    cost = np.array([[edit_distance(w, f, unsure_cost) for f in found] for w in wanted])
    rows, columns = (places.tolist() for places in load_assignment()(cost))
    pairs = [(i if i < len(truth) else None, j if j < len(read) else None) for i, j in zip(rows, columns, strict=True)]
    return float(cost[rows, columns].sum()), pairs


def is_exact(truth: str, read: str) -> bool:
    """Whether a line was read without any error, "?" in the truth standing for exactly one digit."""
    return bool(truth) and len(truth) == len(read) and edit_distance(truth, read, 1.0) == 0


def load_assignment() -> Any:
    """scipy.optimize.linear_sum_assignment. Raises MissingExtraError with the install command."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise MissingExtraError('scoring needs scipy; run: pip install "edge-digits[evaluate]"') from error
    return linear_sum_assignment


@dataclass(frozen=True, slots=True)
class Comparison:
    """One way in which a page may fairly be compared: true strings to be matched with read strings, in any order.

    wanted, found : "0".."9" and "?" alone, never empty strings. by_line : whether each is a line.
    """

    wanted: tuple[str, ...]
    found: tuple[str, ...]
    by_line: bool = False


def comparisons(page: PageTruth, read: Sequence[str]) -> Iterator[Comparison]:
    """Line by line; as one sequence; and number by number where the layout is not plain lines.

    All with and without the printed label digits.
    """
    found = _nonempty(read)
    for labels in ([], [page.label_digits]) if page.label_digits else ([],):
        lines = [*page.lines, *labels]
        wanted = _nonempty(lines)
        if max(len(wanted), len(found)) <= MOST_LINES:
            yield Comparison(tuple(wanted), tuple(found), by_line=True)
        yield Comparison(tuple(_nonempty(["".join(wanted)])), tuple(_nonempty(["".join(found)])))
        if page.layout != "lines":
            numbers = _nonempty(word for line in lines for word in line.split())
            read_numbers = _nonempty(word for line in read for word in line.split())
            if max(len(numbers), len(read_numbers)) <= MOST_NUMBERS:
                yield Comparison(tuple(numbers), tuple(read_numbers))


def page_cost(page: PageTruth, read: Sequence[str], unsure_cost: float) -> tuple[float, list[tuple[str, str]]]:
    """Least distance over all comparisons, and the pairs of lines of the best comparison by lines."""
    best: tuple[float, list[tuple[str, str]]] = (float("inf"), [])
    for comparison in comparisons(page, read):
        cost, pairs = match(comparison.wanted, comparison.found, unsure_cost)
        if cost < best[0]:
            best = (cost, pairs if comparison.by_line else best[1])
    return best


def _nonempty(texts: Iterable[str]) -> list[str]:
    return [kept for text in texts if (kept := digits_of(text))]


def score_page(page: PageTruth, read: Sequence[str]) -> PageScore:
    """Score the lines read from one page; [] for a page that could not be read."""
    wanted, found = _nonempty(page.lines), "".join(_nonempty(read))
    errors, pairs = page_cost(page, read, 1.0)
    named_errors, _ = page_cost(page, read, 0.0)
    digits = sum(character != "?" for character in "".join(wanted))
    true_numbers = Counter(_nonempty(word for line in page.lines for word in line.split()))
    read_numbers = Counter(_nonempty(word for line in read for word in line.split()))
    countable = page.grouping_clear and "?" not in "".join(page.lines)
    negative = page.kind == NEGATIVE
    return PageScore(
        errors=errors,
        named_errors=named_errors,
        digits=digits,
        lines=len(wanted),
        exact_lines=sum(is_exact(w, f) for w, f in pairs),
        numbers=true_numbers.total() if countable else 0,
        exact_numbers=(true_numbers & read_numbers).total() if countable else 0,
        unsure=found.count("?"),
        negative=negative,
        false_digits=max(0, len(found.replace("?", "")) - digits) if negative else 0,
    )


def figures(scores: Sequence[PageScore]) -> dict[str, float | int | None]:
    """Figures of a set of at least one page.

    cer : errors a true digit. mean_cer : the same by page, capped at 1, averaged, so that no long page rules it.
    named_cer : with "?" at no cost. coverage : share of digits not left "?". lines, numbers, perfect : shares read
    without any error. false_per_negative : digits named a page without digits. None where there is nothing to count.
    """
    pages, digits = len(scores), sum(s.digits for s in scores)
    lines, numbers = sum(s.lines for s in scores), sum(s.numbers for s in scores)
    negatives = sum(s.negative for s in scores)
    return {
        "pages": pages,
        "digits": digits,
        "cer": sum(s.errors for s in scores) / digits if digits else None,
        "mean_cer": sum(min(1.0, s.errors / max(1, s.digits)) for s in scores) / pages,
        "named_cer": sum(s.named_errors for s in scores) / digits if digits else None,
        "coverage": 1.0 - sum(s.unsure for s in scores) / digits if digits else None,
        "lines": sum(s.exact_lines for s in scores) / lines if lines else None,
        "numbers": sum(s.exact_numbers for s in scores) / numbers if numbers else None,
        "perfect": sum(s.errors == 0 for s in scores) / pages,
        "false_per_negative": sum(s.false_digits for s in scores) / negatives if negatives else None,
    }


def figures_by_group(pages: Sequence[tuple[PageTruth, PageScore]]) -> dict[str, dict[str, float | int | None]]:
    """Figures of "all" pages and of every set, kind, difficulty and half among them, keyed "kind:ruled"."""
    groups: dict[str, list[PageScore]] = {"all": []}
    for page, score in pages:
        groups["all"].append(score)
        for word, value in (("set", page.group), ("kind", page.kind), ("difficulty", page.difficulty), ("half", page.half)):
            if value:
                groups.setdefault(f"{word}:{value}", []).append(score)
    return {key: figures(groups[key]) for key in sorted(groups)}
