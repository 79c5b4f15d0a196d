r"""Regular expressions over digits and signs, as automata that can be walked with probabilities.

Python's own `re` answers yes or no for one string; here the best of all strings is wanted that a pattern allows. A
pattern is parsed, made into a nondeterministic automaton and that into a deterministic one. Method: K. Thompson,
"Regular expression search algorithm", 1968, and the subset construction.

Known: literals, ".", "[0-3,]", "[^0]", "\d", "(...)", "(?:...)", "|", "?", "*", "+", "{m}", "{m,}", "{m,n}", "^" and "$" at the ends.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_digits.errors import UsageError
from edge_digits.reading.canonical import GAP, MARKS

DIGITS: Final = string.digits
ALPHABET: Final = frozenset(DIGITS + MARKS + GAP)
MOST_REPEATS: Final = 64
MOST_STATES: Final = 4000
MOST_PARTS: Final = 8000
MOST_WORK: Final = 1_000_000
"""Bounds of a pattern: its states, its parts with repeats written out, and steps taken to determine it (about a second)."""
SPECIAL: Final = frozenset("()[]{}|?*+.\\^$")

Tree = tuple[str, tuple["Tree", ...], frozenset[str], int, int | None]
"""kind ("set", "sequence", "choice", "repeat"), parts, characters of a set, least and most of a repeat (None: any)."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic automaton. State 0 is the start; every state leads to an accepting one.

    edges : for each state, the next state by character. accepting : states at which a string may end.
    digits : the edges of digits alone, for each state (digit, next state).
    """

    edges: tuple[Mapping[str, int], ...]
    accepting: frozenset[int]
    digits: tuple[tuple[tuple[int, int], ...], ...]

    def accepts(self, text: str) -> bool:
        """Whether a string is allowed."""
        state = 0
        for character in text:
            following = self.edges[state].get(character)
            if following is None:
                return False
            state = following
        return state in self.accepting


def compile_pattern(pattern: str) -> Automaton:
    """The automaton of a regular expression that must match the whole number. Raises UsageError."""
    tree = _Parser(pattern).parse()
    machine = _Nondeterministic(pattern)
    end = machine.add(tree, 0)
    return _trimmed(*_determined(machine, end, pattern), pattern)


class _Parser:
    """Recursive descent, one character at a time."""

    def __init__(self, pattern: str) -> None:
        self._whole = pattern
        self._text = pattern.removeprefix("^")
        if self._text.endswith("$") and not self._text.endswith("\\$"):
            self._text = self._text[:-1]
        self._at = 0

    def parse(self) -> Tree:
        tree = self._choice()
        if self._at < len(self._text):
            raise self._wrong(f"'{self._text[self._at]}' has no partner")
        return tree

    def _choice(self) -> Tree:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else ("choice", tuple(parts), frozenset(), 0, 0)

    def _sequence(self) -> Tree:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return ("sequence", tuple(parts), frozenset(), 0, 0)

    def _repeated(self, tree: Tree) -> Tree:
        while self._at < len(self._text):
            if self._take("?"):
                least, most = 0, 1
            elif self._take("*"):
                least, most = 0, None
            elif self._take("+"):
                least, most = 1, None
            elif self._take("{"):
                least, most = self._bounds()
            else:
                break
            tree = ("repeat", (tree,), frozenset(), least, most)
        return tree

    def _bounds(self) -> tuple[int, int | None]:
        inside = self._until("}")
        first, comma, last = inside.partition(",")
        if not first.isdecimal() or not (last.isdecimal() or not last):
            raise self._wrong(f"'{{{inside}}}' is no count; write {{3}}, {{3,}} or {{3,5}}")
        least = int(first)
        most = (int(last) if last else None) if comma else least
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise self._wrong(f"'{{{inside}}}' is out of range; counts go up to {MOST_REPEATS}, the larger one last")
        return least, most

    def _atom(self) -> Tree:
        if self._take("("):
            if self._take("?") and not self._take(":"):
                raise self._wrong("of groups that begin with '(?' only '(?:' is known")
            tree = self._choice()
            if not self._take(")"):
                raise self._wrong("a '(' is not closed")
            return tree
        if self._take("["):
            return _set(self._class(self._until("]")))
        if self._take("."):
            return _set(ALPHABET)
        if self._take("\\"):
            return _set(self._escaped())
        character = self._text[self._at]
        if character in SPECIAL:
            raise self._wrong(f"'{character}' stands where a digit or sign is wanted; write \\{character} if it is meant as it is")
        self._at += 1
        return _set(self._known(character))

    def _escaped(self) -> frozenset[str]:
        if self._at >= len(self._text):
            raise self._wrong("it ends in a backslash")
        character = self._text[self._at]
        self._at += 1
        return frozenset(DIGITS) if character == "d" else self._known(character)

    def _class(self, inside: str) -> frozenset[str]:
        negated, rest = inside.startswith("^"), inside.removeprefix("^")
        found: set[str] = set()
        at = 0
        while at < len(rest):
            if rest.startswith("\\d", at):
                found |= set(DIGITS)
                at += 2
            elif rest[at] == "\\" and at + 1 < len(rest):
                found |= self._known(rest[at + 1])
                at += 2
            elif at + 2 < len(rest) and rest[at + 1] == "-":
                first, last = rest[at], rest[at + 2]
                if first not in DIGITS or last not in DIGITS or first > last:
                    raise self._wrong(f"'{first}-{last}' is no range of digits")
                found |= set(DIGITS[int(first) : int(last) + 1])
                at += 3
            else:
                found |= self._known(rest[at])
                at += 1
        chosen = ALPHABET - found if negated else frozenset(found)
        if not chosen:
            raise self._wrong(f"'[{inside}]' allows nothing")
        return chosen

    def _known(self, character: str) -> frozenset[str]:
        if character not in ALPHABET:
            raise self._wrong(f"'{character}' stands in no number; there are digits, {' '.join(MARKS)} and the space of a gap")
        return frozenset(character)

    def _take(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _until(self, end: str) -> str:
        found = self._text.find(end, self._at)
        if found < 0:
            raise self._wrong(f"a '{end}' is missing")
        inside, self._at = self._text[self._at : found], found + 1
        return inside

    def _wrong(self, what: str) -> UsageError:
        return UsageError(f"regex '{self._whole}': {what}")


def _set(characters: frozenset[str]) -> Tree:
    return ("set", (), characters, 0, 0)


class _Nondeterministic:
    """States with free steps and steps by character."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.free: list[list[int]] = [[]]
        self.steps: list[list[tuple[frozenset[str], int]]] = [[]]

    def add(self, tree: Tree, start: int) -> int:
        """Build a part of the pattern from a state on; returns the state behind it."""
        kind, parts, characters, least, most = tree
        if kind == "set":
            end = self._state()
            self.steps[start].append((characters, end))
            return end
        if kind == "choice":
            end = self._state()
            for part in parts:
                self.free[self.add(part, self._after(start))].append(end)
            return end
        if kind == "repeat":
            return self._repeat(parts[0], start, least, most)
        for part in parts:
            start = self.add(part, start)
        return start

    def _repeat(self, part: Tree, start: int, least: int, most: int | None) -> int:
        for _ in range(least):
            start = self.add(part, start)
        if most is None:
            loop = self._after(start)
            self.free[self.add(part, loop)].append(loop)
            return self._after(loop)
        end = self._state()
        for _ in range(most - least):
            self.free[start].append(end)
            start = self.add(part, start)
        self.free[start].append(end)
        return end

    def closure(self, states: frozenset[int]) -> frozenset[int]:
        """The states and all that free steps lead to."""
        found, waiting = set(states), list(states)
        while waiting:
            for following in self.free[waiting.pop()]:
                if following not in found:
                    found.add(following)
                    waiting.append(following)
        return frozenset(found)

    def _state(self) -> int:
        if len(self.free) >= MOST_PARTS:
            raise _too_large(self._pattern)
        self.free.append([])
        self.steps.append([])
        return len(self.free) - 1

    def _after(self, start: int) -> int:
        end = self._state()
        self.free[start].append(end)
        return end


def _determined(machine: _Nondeterministic, end: int, pattern: str) -> tuple[list[dict[str, int]], set[int]]:
    """Subset construction: edges and accepting states."""
    first = machine.closure(frozenset({0}))
    numbers, waiting = {first: 0}, [first]
    edges: list[dict[str, int]] = [{}]
    work = 0
    while waiting:
        states = waiting.pop()
        work += len(states)
        if len(edges) > MOST_STATES or work > MOST_WORK:
            raise _too_large(pattern)
        for character in ALPHABET:
            reached = frozenset(to for state in states for characters, to in machine.steps[state] if character in characters)
            if not reached:
                continue
            reached = machine.closure(reached)
            if reached not in numbers:
                numbers[reached] = len(edges)
                edges.append({})
                waiting.append(reached)
            edges[numbers[states]][character] = numbers[reached]
    return edges, {number for states, number in numbers.items() if end in states}


def _too_large(pattern: str) -> UsageError:
    return UsageError(f"regex '{pattern}': is too large; write fewer or shorter repeats")


def _trimmed(edges: list[dict[str, int]], accepting: set[int], pattern: str) -> Automaton:
    """Without the states from which no string can end. Raises UsageError when no digit can ever be read."""
    leading: dict[int, set[int]] = {}
    for state, steps in enumerate(edges):
        for following in steps.values():
            leading.setdefault(following, set()).add(state)
    alive, waiting = set(accepting), list(accepting)
    while waiting:
        for state in leading.get(waiting.pop(), ()):
            if state not in alive:
                alive.add(state)
                waiting.append(state)
    kept = tuple({c: to for c, to in steps.items() if to in alive} if state in alive else {} for state, steps in enumerate(edges))
    if not any(c in DIGITS for steps in kept for c in steps):
        raise UsageError(f"regex '{pattern}': allows no digit")
    digits = tuple(tuple((int(c), to) for c, to in steps.items() if c in DIGITS) for steps in kept)
    return Automaton(kept, frozenset(accepting), digits)
