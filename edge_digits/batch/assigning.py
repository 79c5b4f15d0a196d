"""A known list over a whole pile: each value of it is given to one number at most, so that all together fits best.

A class list, the numbers of a shipment, meters on a round: every value is out there once. Two pages that both look like
4821 cannot both be it, and the one left over is sooner 4827. What each number says for each value is weighed as in
reading/fitting.py, over the probabilities of all its digits; the assignment of the greatest total weight is found by
scipy.optimize.linear_sum_assignment, for each group of numbers and values that have to do with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import MissingExtraError
from edge_digits.reading.evidence import Evidence, make_evidence
from edge_digits.reading.fitting import EXPECTED, LEAST_TO_CHANGE, layout_weight
from edge_digits.reading.reading import CANDIDATES_TOLD
from edge_digits.reading.values import ValueList, ValuesOfLength

NO_VALUE: Final = float(np.log(1.0 - EXPECTED))
"""Logarithm of the weight that a number is none of the list."""
LARGEST_BLOCK: Final = 4_000_000
"""Numbers times values weighed at once: 32 MB."""
LARGEST_CHECKED: Final = 150
"""In larger groups the confidence leaves out what exchanges among several numbers could do."""

Entry = dict[str, Any]
Place = tuple[str, int, int, int]
"""Source, page, line and number, the last two from 0."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a number was given. value : of the list, None where every value that would fit went to other numbers.

    probability : that it is right.
    """

    value: str | None
    probability: float


def assign_values(numbers: Sequence[Evidence], values: ValueList) -> dict[int, Assigned]:
    """The best assignment. Numbers that no value fits better than none are not in it.

    numbers : what each number says. values : each is used once at most. Raises MissingExtraError.
    """
    solve = load_solver()
    index_of = {text: index for index, text in enumerate(values.texts)}
    edges: dict[int, dict[int, float]] = {}
    totals: dict[int, float] = {}
    for length, members in _by_length(numbers).items():
        fitting = values.of_length(length)
        if fitting is None:
            continue
        own = np.array([index_of[text] for text in fitting.texts])
        for number, weights in _weights(numbers, members, fitting):
            totals[number] = float(np.exp(NO_VALUE) + np.exp(weights).sum())
            better = np.flatnonzero(weights > NO_VALUE)
            if better.size:
                edges[number] = {int(own[v]): float(weights[v]) for v in better}
    found: dict[int, Assigned] = {}
    for group in _groups(edges):
        found.update(_assign_group(group, edges, totals, values, solve))
    return found


class Assignment:
    """Gives the values of a list to the numbers of a batch."""

    def __init__(self, name: str, values: ValueList, entries: Iterable[Entry]) -> None:
        """name : of the rule, as it is told. entries : JSON objects of all pages, with all candidates. Raises MissingExtraError."""
        self._name = name
        places, numbers = [], []
        for place, number in _numbers(entries):
            if number["digits"]:
                places.append(place)
                numbers.append(_evidence(number))
        self._assigned = {places[index]: found for index, found in assign_values(numbers, values).items()}

    def __call__(self, entry: Entry) -> Entry:
        """The entry with its numbers as they were assigned, and candidates of unsure digits only."""
        for place, number in _numbers([entry]):
            assigned = self._assigned.get(place)
            if assigned is not None:
                _apply(number, assigned, self._name)
            for digit in number["digits"]:
                _trim_candidates(digit)
        for line in entry.get("lines", ()):
            line["text"] = " ".join(number["text"] for number in line["numbers"])
        return entry


def load_solver() -> Any:
    """scipy's linear_sum_assignment. Raises MissingExtraError."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise MissingExtraError('--assign needs scipy; run: pip install "edge-digits[assign]"') from error
    return linear_sum_assignment


def _by_length(numbers: Sequence[Evidence]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for index, number in enumerate(numbers):
        found.setdefault(len(number.probabilities), []).append(index)
    return found


def _weights(numbers: Sequence[Evidence], members: list[int], fitting: ValuesOfLength) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """For each number the logarithm of the weight of each value, float64 (v,), against log 1 for digits of any kind."""
    count, length = fitting.digits.shape
    prior = float(np.log(EXPECTED / count) + length * np.log(10.0))
    rows = max(1, LARGEST_BLOCK // count)
    for start in range(0, len(members), rows):
        block = members[start : start + rows]
        logs = np.log(np.array([numbers[index].probabilities for index in block]))
        sums = np.full((len(block), count), prior)
        for place in range(length):
            sums += logs[:, place, fitting.digits[:, place]]
        for row, index in enumerate(block):
            layouts = np.array([layout_weight(numbers[index], layout)[0] for layout in fitting.layouts])
            yield index, sums[row] + np.log(layouts)[fitting.layout_of]


def _groups(edges: Mapping[int, Mapping[int, float]]) -> list[list[int]]:
    """Numbers that share values, directly or through others."""
    parent = {number: number for number in edges}

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    first_of: dict[int, int] = {}
    for number, wishes in edges.items():
        for value in wishes:
            parent[root(number)] = root(first_of.setdefault(value, number))
    groups: dict[int, list[int]] = {}
    for number in edges:
        groups.setdefault(root(number), []).append(number)
    return list(groups.values())


def _assign_group(
    group: list[int], edges: Mapping[int, Mapping[int, float]], totals: Mapping[int, float], values: ValueList, solve: Any
) -> dict[int, Assigned]:
    """One group of numbers, each with a column of its own for "none of the list"."""
    columns = sorted({value for number in group for value in edges[number]})
    place = {value: column for column, value in enumerate(columns)}
    gain = np.full((len(group), len(columns) + len(group)), -np.inf)
    for row, number in enumerate(group):
        gain[row, len(columns) + row] = NO_VALUE
        for value, weight in edges[number].items():
            gain[row, place[value]] = weight
    gain = np.where(np.isfinite(gain), gain, -1e6)
    chosen = solve(gain, maximize=True)[1]
    taken = {int(column) for column in chosen}
    found = {}
    for row, number in enumerate(group):
        column = int(chosen[row])
        lost = sum(np.exp(weight) for value, weight in edges[number].items() if place[value] in taken and place[value] != column)
        if column >= len(columns):
            # All that would fit went to others: what it is instead nobody knows.
            found[number] = Assigned(None, float(np.exp(NO_VALUE) / totals[number]))
            continue
        alone = float(np.exp(gain[row, column]) / max(1e-12, totals[number] - lost))
        together = _certainty(gain, chosen, row, solve) if 1 < len(group) <= LARGEST_CHECKED else 1.0
        found[number] = Assigned(values.texts[columns[column]], min(1.0, alone, together))
    return found


def _certainty(gain: NDArray[np.float64], chosen: NDArray[np.intp], row: int, solve: Any) -> float:
    """How much better the assignment is than the best one that gives this number something else, as a probability."""
    rows = np.arange(len(gain))
    without = gain.copy()
    without[row, chosen[row]] = -1e6
    other = solve(without, maximize=True)[1]
    worse = float(gain[rows, chosen].sum() - without[rows, other].sum())
    return float(1.0 / (1.0 + np.exp(-min(worse, 700.0))))


def _numbers(entries: Iterable[Entry]) -> Iterator[tuple[Place, Entry]]:
    for entry in entries:
        for line_index, line in enumerate(entry.get("lines", ())):
            for index, number in enumerate(line["numbers"]):
                yield (entry["source"], entry["page"], line_index, index), number


def _evidence(number: Entry) -> Evidence:
    before = [""] * len(number["digits"])
    for sign in number.get("signs", ()):
        before[sign["before"]] = sign["sign"]
    return make_evidence(np.array([_probabilities(digit) for digit in number["digits"]]), before)


def _probabilities(digit: Entry) -> list[float]:
    """All ten; where an entry tells only the best guess, the others share the rest."""
    told = {guess["digit"]: guess["confidence"] for guess in digit.get("candidates", ())}
    if digit["digit"] is not None:
        told.setdefault(digit["digit"], digit["confidence"])
    rest = max(0.0, 1.0 - sum(told.values())) / max(1, 10 - len(told))
    return [told.get(d, rest) for d in range(10)]


def _apply(number: Entry, assigned: Assigned, name: str) -> None:
    was = number["text"]
    number["confidence"] = round(assigned.probability, 4)
    if assigned.value is None or assigned.probability < LEAST_TO_CHANGE:
        number["value"], number["rule"] = None, {"name": name, "was": was, "fits": False}
        return
    wanted = [int(c) for c in assigned.value if c.isdecimal()]
    for digit, value in zip(number["digits"], wanted, strict=True):
        own = _probabilities(digit)[value]
        digit["digit"], digit["confidence"] = value, round(assigned.probability + (1 - assigned.probability) * own, 4)
    left = iter(wanted)
    number["text"] = "".join(str(next(left)) if c.isdecimal() or c == "?" else c for c in was)
    number["value"] = assigned.value
    if number["text"] != was:
        number["rule"] = {"name": name, "was": was, "fits": True}


def _trim_candidates(digit: Entry) -> None:
    candidates = digit.pop("candidates", None)
    if candidates and digit["digit"] is None:
        best = candidates[:CANDIDATES_TOLD]
        digit["candidates"] = [{**guess, "confidence": round(guess["confidence"], 4)} for guess in best]
