"""Corrects single digits of a frozen picture: one is chosen, a key names it, and its crop becomes a sample of this hand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_digits.errors import EdgeDigitsError
from edge_digits.live.page import SettledNumber, SettledPage
from edge_digits.live.track import Event
from edge_digits.live.watcher import Look
from edge_digits.personal.learning import store_correction
from edge_digits.reading.reading import Digit, Line, Reading


@dataclass(frozen=True, slots=True)
class Choice:
    """One digit of the overlay. line, at : its number's place there. place : of the digit in its number."""

    line: int
    at: int
    place: int


class Correcting:
    """Goes through the digits of one look. folder : of samples, in the layout of `collect`."""

    def __init__(self, look: Look, folder: Path) -> None:
        self._look, self._folder = look, folder
        self._page: SettledPage = look.overlay if look.overlay is not None else SettledPage(_no_reading(look), ())
        self._choices = [
            Choice(line, at, place)
            for line, numbers in enumerate(self._page.lines)
            for at, number in enumerate(numbers)
            for place in range(len(number.number.digits))
        ]
        # The least sure digit is the likeliest to be wrong.
        self._index = min(range(len(self._choices)), key=lambda i: self._digit(i).confidence, default=0)

    @property
    def look(self) -> Look:
        """The look with what has been corrected so far."""
        return replace(self._look, overlay=self._page)

    @property
    def chosen(self) -> Digit | None:
        """The digit that a key would name; None on a page without digits."""
        return self._digit(self._index) if self._choices else None

    def step(self, by: int) -> None:
        """Choose the next digit, or one before."""
        if self._choices:
            self._index = (self._index + by) % len(self._choices)

    def choose_at(self, x: int, y: int) -> None:
        """Choose the digit at a point of the picture, in pixels; none there leaves the choice."""
        for index in range(len(self._choices)):
            left, top, w, h = self._digit(index).box
            if left <= x <= left + w and top <= y <= top + h:
                self._index = index

    def name(self, digit: int, correct: Callable[[int, int, int], Event | None]) -> Event | None:
        """Give the chosen digit its right name; what came of it, None when nothing was changed.

        correct : Watcher.correct. The crop goes to the samples; when it cannot be stored the number is corrected all the same.
        """
        if not self._choices:
            return None
        choice, before = self._choices[self._index], self._digit(self._index)
        number = self._page.lines[choice.line][choice.at]
        event = correct(number.identity, choice.place, digit)
        if event is None:
            return None
        try:
            path = store_correction(self._folder, self._look.frame.frame, before.box, digit, before.digit)
        except EdgeDigitsError as error:
            print(f"edge-digits: sample not stored: {error}", file=sys.stderr)
        else:
            print(f"edge-digits: sample stored: {path}", file=sys.stderr)
        here = tuple(replace(d, digit=digit, confidence=1.0) if i == choice.place else d for i, d in enumerate(number.number.digits))
        self._put(choice, replace(number, number=replace(number.number, digits=here, probability=None)))
        self.step(1)
        return event

    def _digit(self, index: int) -> Digit:
        choice = self._choices[index]
        return self._page.lines[choice.line][choice.at].number.digits[choice.place]

    def _put(self, choice: Choice, number: SettledNumber) -> None:
        rows = [list(row) for row in self._page.lines]
        rows[choice.line][choice.at] = number
        lines = tuple(tuple(row) for row in rows)
        reading = replace(self._page.reading, lines=tuple(Line(tuple(n.number for n in row)) for row in lines))
        self._page = SettledPage(reading, lines)


def _no_reading(look: Look) -> Reading:
    frame = look.frame.frame
    return Reading(frame.source, frame.page, frame.width, frame.height, ())
