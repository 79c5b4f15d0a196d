"""The numbers of a line, read as what they are expected to be.

A line is a chain of units: digits that stand together, parted by gaps and dashes. The units are joined to numbers so
that the expectation explains the whole line best: "0171 555 0199" is one phone number, "404-1000" two integers. A unit
that no allowed number explains is left as it was read; its value is None and its rule says that it does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from edge_digits.paper.page import Page
from edge_digits.reading.canonical import GAP
from edge_digits.reading.evidence import make_evidence
from edge_digits.reading.expect import Expectation
from edge_digits.reading.fitting import DIGIT, Fit, fit
from edge_digits.reading.numbers import Group, gap_between, to_frame_box, to_numbers
from edge_digits.reading.reading import Digit, Number, Rule, Sign
from edge_digits.reading.signs import Mark
from edge_digits.recognition.weights import NOT_ONE_DIGIT

WIDEST_GAP: Final = 2.5
"""A gap within a number that is written in groups, in digit heights."""
JOINING: Final = float(np.log(0.3))
PARTING: Final = float(np.log(0.2))
"""What joining units over a gap, and parting them at a dash, cost: both are rare. Other signs never part numbers: who
expects integers and finds 12.50 must see it."""
MOST_UNITS: Final = 10
MOST_DIGITS: Final = 40


@dataclass(frozen=True, slots=True)
class _Unit:
    """Digits without a dash or gap between them. origin : the number that they were read in. join : the dash or gap before."""

    group: Group
    origin: int
    join: Mark | None


@dataclass(frozen=True, slots=True)
class _Run:
    """Units taken as one number."""

    group: Group
    found: Fit
    origins: frozenset[int]


def expected_numbers(groups: list[Group], expectation: Expectation, page: Page, min_confidence: float) -> list[tuple[Group, Number]]:
    """The numbers of a line, left to right, each with its glyphs. min_confidence : digits whose probability is below it are "?"."""
    as_read = to_numbers(groups, page, min_confidence)
    numbers = []
    for run in _best_runs(_units(groups), expectation):
        was = " ".join(as_read[origin].text for origin in sorted(run.origins))
        if run.found.fits:
            numbers.append((run.group, _fitted(run, was, expectation, page, min_confidence)))
        else:
            raw, rule = to_numbers([run.group], page, min_confidence)[0], Rule(expectation.name, was, fits=False)
            numbers.append((run.group, replace(raw, probability=run.found.probability * _written(run.group), rule=rule)))
    return numbers


def _units(groups: list[Group]) -> list[_Unit]:
    units: list[_Unit] = []
    for origin, group in enumerate(groups):
        marks = {mark.before: mark for mark in group.marks if not mark.starts and mark.mark == "-"}
        front = tuple(mark for mark in group.marks if mark.starts)
        bounds = [0, *sorted(marks), len(group.digits)]
        for place, first in enumerate(bounds[:-1]):
            end = bounds[place + 1]
            inside = tuple(replace(m, before=m.before - first) for m in group.marks if first < m.before < end)
            own = Group(group.digits[first:end], (*front, *inside) if first == 0 else inside)
            join = marks.get(first)
            if first == 0 and units and not front:
                join = _gap(units[-1].group, own)
            units.append(_Unit(own, origin, join))
    return units


def _gap(left: Group, right: Group) -> Mark | None:
    """The gap between two numbers as a sign, None where it is too wide for one number."""
    a, b = left.digits[-1], right.digits[0]
    if gap_between(a, b) > WIDEST_GAP:
        return None
    start = a.box[0] + a.box[2]
    return Mark(GAP, 0, (start, b.box[1], max(1, b.box[0] - start), b.box[3]))


def _best_runs(units: list[_Unit], expectation: Expectation) -> list[_Run]:
    """The way of joining units that the expectation explains best, by dynamic programming from left to right."""
    best: list[tuple[float, tuple[_Run, ...]]] = [(0.0, ())]
    for end in range(1, len(units) + 1):
        ways = []
        for first in range(end - 1, max(-1, end - 1 - MOST_UNITS), -1):
            run = _run(units[first:end], expectation)
            if run is not None:
                parted = PARTING if first and units[first].origin == units[first - 1].origin else 0.0
                joined = sum(JOINING for unit in units[first + 1 : end] if unit.join is not None and unit.join.mark == GAP)
                ways.append((best[first][0] + run.found.evidence + parted + joined, (*best[first][1], run)))
            join = units[first].join
            if join is None or (join.mark == GAP and not expectation.groups):
                break
        best.append(max(ways, key=lambda way: way[0]))
    return list(best[-1][1])


def _run(units: list[_Unit], expectation: Expectation) -> _Run | None:
    """Units as one number; None where they are no number that may be told."""
    digits, marks = list(units[0].group.digits), list(units[0].group.marks)
    for unit in units[1:]:
        assert unit.join is not None
        marks += [replace(mark, before=mark.before + len(digits)) for mark in (replace(unit.join, before=0), *unit.group.marks)]
        digits.extend(unit.group.digits)
    origins = frozenset(unit.origin for unit in units)
    if len(digits) > MOST_DIGITS and len(units) > 1:
        return None
    group = Group(tuple(digits), tuple(marks))
    before = {mark.before: mark.mark for mark in marks}
    probabilities = np.array([d.probabilities[:NOT_ONE_DIGIT] for d in digits])
    evidence = make_evidence(probabilities, [before.get(index, "") for index in range(len(digits))], [d.lean_deg for d in digits])
    found = fit(evidence, expectation)
    return None if not found.fits and len(origins) > 1 else _Run(group, found, origins)


def _fitted(run: _Run, was: str, expectation: Expectation, page: Page, min_confidence: float) -> Number:
    found, marks = run.found, {mark.before: mark for mark in run.group.marks}
    digits: list[Digit] = []
    signs: list[Sign] = []
    index = 0
    for sign in found.signs:
        if sign == DIGIT:
            value, candidate = found.digits[index], run.group.digits[index]
            assert value is not None
            there = 1.0 - candidate.garbage_probability
            guesses = sorted(((d, float(p) * there) for d, p in enumerate(found.marginals[index])), key=lambda guess: -guess[1])
            sure = float(found.marginals[index, value]) * there
            named = value if sure >= min_confidence else None
            digits.append(Digit(named, sure, to_frame_box(candidate.box, page), tuple(guesses)))
            index += 1
        elif index in marks:
            mark = marks.pop(index)
            written = mark.mark if mark.mark == GAP else sign
            signs += [Sign(written, len(digits), to_frame_box(mark.box, page))] if written else []
        else:
            signs.append(Sign(sign, len(digits), to_frame_box(run.group.digits[index].box, page)))
            index += 1
    known = expectation.canonical(found.text) if found.value is None else found.value
    number = Number(tuple(digits), tuple(signs), found.probability * _written(run.group), known)
    return number if number.text == was else replace(number, rule=Rule(expectation.name, was))


def _written(group: Group) -> float:
    """Probability that all glyphs of a number are digits."""
    return float(np.prod([1.0 - d.garbage_probability for d in group.digits]))
