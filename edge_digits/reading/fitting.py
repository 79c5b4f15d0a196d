"""Weighs what was read against what is allowed, over the probabilities of all digits, never by mending the best guess.

Two things may be true of a number: it is one that the user expects (prior EXPECTED), any allowed one as likely as any
other of its length; or it is something else on the page. By Bayes' rule, with p the product of digit probabilities, n
the digits and N the allowed numbers of n digits and that layout of signs, a number s has the weight

    EXPECTED * layout * p(s) * 10^n / N  if it is allowed,   + (1 - EXPECTED) * p(s)  with the signs as they were read

and its confidence is its weight over the sum of all. A long list says little against clear digits, a short one says
much; where nothing that is allowed comes near, what was read stands and is told not to fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.canonical import GAP
from edge_digits.reading.evidence import LEAST, LOST_SIGN, OTHER_SIGN, Evidence
from edge_digits.reading.expect import Expectation
from edge_digits.reading.patterns import Automaton
from edge_digits.reading.values import ValueList

EXPECTED: Final = 0.9
"""Prior probability that a number on the page is of the kind expected; else it is a page number, a date, a remark."""
MISFOUND: Final = 0.05
"""Share of numbers of which a digit is missing or too many."""
LEAST_TO_CHANGE: Final = 0.5
"""What was read is changed only to a number that is more probable than all others together."""
MOST_LAYOUTS: Final = 64
DIGIT: Final = "0"
"""Stands for "a digit" among the signs of a layout."""

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """What a number is, all things weighed.

    digits : 0..9 for each digit, None for one that is a slash. signs : for each slot, DIGIT, a sign, or "" for nothing.
    marginals : float64 (n, 10), probability of each digit at its place. probability : of the whole number.
    evidence : natural logarithm of how well the expectation explains it, against log 1 for digits of any kind.
    value : as it stands in the list of values, None without a list. fits : whether it is allowed.
    """

    digits: tuple[int | None, ...]
    signs: tuple[str, ...]
    marginals: Probabilities
    probability: float
    evidence: float
    value: str | None
    fits: bool

    @property
    def text(self) -> str:
        """The number with its signs."""
        return _text(self.digits, self.signs)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Allowed numbers of one arrangement of signs.

    signs : for each slot. weight : relative to the signs as read. mass : total probability of the allowed numbers.
    count : how many there are. best, best_mass : the most probable one. marginals : (n, 10), times mass.
    value : the most probable one as it stands in a list.
    """

    signs: tuple[str, ...]
    weight: float
    mass: float
    count: float
    best: tuple[int | None, ...]
    best_mass: float
    marginals: Probabilities
    value: str | None = None

    def share(self) -> float:
        """Weight of one unit of probability under the expectation."""
        used = sum(d is not None for d in self.best)
        return float(EXPECTED * self.weight * 10.0**used / self.count)


def fit(evidence: Evidence, expectation: Expectation) -> Fit:
    """The most probable number, allowed or not."""
    read = tuple(DIGIT if slot.digit is not None else slot.options[0][0] for slot in evidence.slots)
    if expectation.values is not None:
        layouts = _of_list(evidence, expectation.values)
    else:
        assert expectation.automaton is not None
        layouts = _of_automaton(evidence, expectation.automaton)
    other = 1.0 - EXPECTED
    total = other + sum(layout.share() * layout.mass for layout in layouts)
    free = float(evidence.probabilities.max(axis=1).prod())
    best, best_weight = None, other * free
    for layout in layouts:
        weight = _weight(layout, layouts, expectation.automaton)
        weight += other * layout.best_mass if _plain(layout.signs) == _plain(read) else 0.0
        if weight > best_weight:
            best, best_weight = layout, weight
    as_read = tuple(int(d) for d in evidence.probabilities.argmax(axis=1))
    changed = best is None or best.best != as_read or _plain(best.signs) != _plain(read)
    if best is None or (changed and best_weight < LEAST_TO_CHANGE * total):
        right = free * other / (total + EXPECTED * MISFOUND)
        return Fit(as_read, read, evidence.probabilities, right, float(np.log(other)), None, fits=False)
    # What stands at a place does not hang on the signs around it: all layouts of the same digits have their say.
    alike = [layout for layout in layouts if _places(layout.signs) == _places(best.signs)]
    marginals = sum((layout.share() * layout.marginals for layout in alike), np.zeros_like(evidence.probabilities))
    if _places(best.signs) == _places(read):
        marginals = marginals + other * evidence.probabilities
    marginals /= np.maximum(marginals.sum(axis=1, keepdims=True), LEAST)
    return Fit(best.best, best.signs, marginals, best_weight / total, float(np.log(total)), best.value, fits=True)


def _weight(chosen: _Layout, layouts: list[_Layout], automaton: Automaton | None) -> float:
    """Weight of the best number of a layout, in whichever way its gaps are told."""
    if automaton is None:
        return chosen.share() * chosen.best_mass
    same = (layout for layout in layouts if _plain(layout.signs) == _plain(chosen.signs))
    return sum(layout.share() * chosen.best_mass for layout in same if automaton.accepts(_text(chosen.best, layout.signs)))


def _text(digits: tuple[int | None, ...], signs: tuple[str, ...]) -> str:
    left = iter(d for d in digits if d is not None)
    return "".join(str(next(left)) if sign == DIGIT else sign for sign in signs)


def _plain(signs: tuple[str, ...]) -> tuple[str, ...]:
    """The signs of a layout without gaps."""
    return tuple("" if sign == GAP else sign for sign in signs)


def _places(signs: tuple[str, ...]) -> tuple[bool, ...]:
    """At which slots of a layout a digit stands."""
    return tuple(sign == DIGIT for sign in signs)


def _of_automaton(evidence: Evidence, automaton: Automaton) -> list[_Layout]:
    arrangements: list[tuple[float, tuple[str, ...]]] = [(1.0, ())]
    for slot in evidence.slots:
        options = slot.options if slot.digit is None else ((DIGIT, 1.0), *slot.options)
        grown = [(weight * more, (*signs, sign)) for weight, signs in arrangements for sign, more in options]
        arrangements = sorted(grown, key=lambda pair: -pair[0])[:MOST_LAYOUTS]
    found = (_walk(evidence, automaton, signs, weight) for weight, signs in arrangements)
    return [layout for layout in found if layout is not None]


def _walk(evidence: Evidence, automaton: Automaton, signs: tuple[str, ...], weight: float) -> _Layout | None:
    """Sum, number and best of the allowed digit strings of one layout: forward and backward through the automaton."""
    steps: list[int | str] = []
    for slot, sign in zip(evidence.slots, signs, strict=True):
        if sign == DIGIT:
            assert slot.digit is not None
            steps.append(slot.digit)
        elif sign:
            steps.append(sign)
    forward: list[States] = [{0: (1.0, 1.0, 1.0, None)}]
    for step in steps:
        forward.append(_step(forward[-1], step, automaton, evidence.probabilities))
        if not forward[-1]:
            return None
    ends = {state: value for state, value in forward[-1].items() if state in automaton.accepting}
    mass, count = sum(v[0] for v in ends.values()), sum(v[1] for v in ends.values())
    if not mass:
        return None
    _, _, best_mass, chain = max(ends.values(), key=lambda value: value[2])
    digits: list[int | None] = [None] * len(evidence.probabilities)
    for step in (s for s in reversed(steps) if isinstance(s, int)):
        assert chain is not None
        digits[step], chain = chain.digit, chain.before
    marginals = _marginals(forward, steps, automaton, evidence.probabilities)
    return _Layout(signs, weight, mass, count, tuple(digits), best_mass, marginals)


class _Chain(NamedTuple):
    """A string of digits, told from its last digit back."""

    digit: int
    before: _Chain | None


States = dict[int, tuple[float, float, float, _Chain | None]]
"""By state: sum of probabilities, number of strings, probability of the best one, and that one from its last digit back."""


def _step(states: States, step: int | str, automaton: Automaton, probabilities: Probabilities) -> States:
    following: States = {}
    for state, (mass, count, best, chain) in states.items():
        if isinstance(step, str):
            to = automaton.edges[state].get(step)
            moves = [] if to is None else [(mass, count, best, chain, to)]
        else:
            row = probabilities[step]
            moves = [(mass * row[d], count, best * row[d], _Chain(d, chain), to) for d, to in automaton.digits[state]]
        for more, others, top, tail, to in moves:
            old = following.get(to)
            if old is None:
                following[to] = (float(more), others, float(top), tail)
            else:
                best_of = (old[2], old[3]) if old[2] >= top else (float(top), tail)
                following[to] = (old[0] + float(more), old[1] + others, *best_of)
    return following


def _marginals(forward: list[States], steps: list[int | str], automaton: Automaton, probabilities: Probabilities) -> Probabilities:
    """For each digit and place, the total probability of the allowed strings that have it there; float64 (n, 10)."""
    found = np.zeros_like(probabilities)
    behind = {state: 1.0 for state in forward[-1] if state in automaton.accepting}
    for at in range(len(steps) - 1, -1, -1):
        step, before = steps[at], {}
        for state, value in forward[at].items():
            if isinstance(step, str):
                onward = behind.get(automaton.edges[state].get(step, -1), 0.0)
            else:
                onward = 0.0
                for digit, to in automaton.digits[state]:
                    share = float(probabilities[step, digit]) * behind.get(to, 0.0)
                    found[step, digit] += value[0] * share
                    onward += share
            if onward:
                before[state] = onward
        behind = before
    return found


def _of_list(evidence: Evidence, values: ValueList) -> list[_Layout]:
    """The values of the list with as many digits, by their layouts of signs."""
    count = len(evidence.probabilities)
    fitting = values.of_length(count)
    if fitting is None:
        return []
    each = np.exp(np.log(evidence.probabilities)[np.arange(count)[None], fitting.digits].sum(axis=1))
    found = []
    for number, layout in enumerate(fitting.layouts):
        weight, signs = layout_weight(evidence, layout)
        own = np.flatnonzero(fitting.layout_of == number)
        mass = each[own]
        marginals = np.zeros_like(evidence.probabilities)
        for place in range(count):
            np.add.at(marginals[place], fitting.digits[own, place], mass)
        best = int(own[mass.argmax()])
        digits, value = tuple(int(d) for d in fitting.digits[best]), fitting.texts[best]
        found.append(_Layout(signs, weight, float(mass.sum()), float(len(fitting.texts)), digits, float(each[best]), marginals, value))
    return found


def layout_weight(evidence: Evidence, layout: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
    """How well the signs that were read agree with those of a value, and the signs of the slots if it is that value.

    layout : the signs before each digit of the value. Signs of the value that were not found are not among those of the slots.
    """
    weight, signs, left = 1.0, [], list(layout)
    for place, slot in enumerate(evidence.slots):
        if slot.digit is not None:
            weight *= LOST_SIGN ** len(left[slot.digit])
            signs.append(DIGIT)
            continue
        following = evidence.slots[place + 1].digit
        assert following is not None
        wanted, left[following] = left[following][:1], left[following][1:]
        weight *= dict(slot.options).get(wanted, OTHER_SIGN)
        signs.append(wanted)
    return weight, tuple(signs)
