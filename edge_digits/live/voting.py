"""Votes numbers over frames: one is settled when it has stood still and agreed with itself, and is told once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from edge_digits.errors import UsageError
from edge_digits.live.matching import match_numbers
from edge_digits.live.page import SettledNumber, SettledPage, settled_page
from edge_digits.reading.reading import Box, Number, Reading

EventKind = Literal["settled", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class VotingOptions:
    """When a number counts as settled; frames are sharp frames that were read.

    agreeing_frames : so many of the last 2 * agreeing_frames - 1 must give the same text (hence a majority), >= 1.
    still_share : how far its centre may move meanwhile, as a share of its height.
    removed_frames : a settled number not seen for so many frames in a row is gone.
    """

    agreeing_frames: int = 4
    still_share: float = 0.25
    removed_frames: int = 10

    def __post_init__(self) -> None:
        if self.agreeing_frames < 1 or self.removed_frames < 1 or self.still_share <= 0:
            raise UsageError(
                f"voting over {self.agreeing_frames} frames, removal after {self.removed_frames}, still within {self.still_share:g}: "
                "give numbers above 0"
            )

    @property
    def window_frames(self) -> int:
        """How many of a number's last frames vote."""
        return 2 * self.agreeing_frames - 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one number. was : its settled text before, of a change."""

    kind: EventKind
    number: SettledNumber
    was: str | None = None


class _Track:
    """One number as it is followed from frame to frame."""

    def __init__(self, identity: int, options: VotingOptions) -> None:
        self.identity, self._options = identity, options
        self._votes: deque[Number | None] = deque(maxlen=options.window_frames)
        self.last: Number
        self.missed = 0
        self.frames = 0
        self.settled: SettledNumber | None = None

    @property
    def named(self) -> tuple[str, Box]:
        return (self.settled.number.text if self.settled is not None else self.last.text), self.last.box

    @property
    def is_pending(self) -> bool:
        """Seen again and still young enough to settle soon; specks of one frame and what flickers for long are not waited for."""
        return self.settled is None and not self.missed and 1 < self.frames <= 2 * self._options.window_frames

    def vote(self, number: Number | None) -> None:
        self._votes.append(number)
        self.frames += 1
        self.missed = self.missed + 1 if number is None else 0
        if number is not None:
            self.last = number

    def judge(self) -> Event | None:
        """What this frame's vote brought about."""
        if self.missed:
            gone = self.settled is not None and self.missed == self._options.removed_frames
            return Event("removed", self.settled) if gone and self.settled is not None else None
        agreeing = [n for n in self._votes if n is not None and n.text == self.last.text]
        if len(agreeing) < self._options.agreeing_frames or not self._stands_still(agreeing):
            return None
        before = self.settled
        best = max(agreeing, key=lambda n: n.confidence)
        self.settled = SettledNumber(self.identity, best, len(agreeing), len(self._votes))
        if before is None:
            return Event("settled", self.settled)
        return Event("changed", self.settled, before.number.text) if before.number.text != best.text else None

    def _stands_still(self, agreeing: list[Number]) -> bool:
        boxes = [n.box for n in agreeing[-self._options.agreeing_frames :]]
        limit = self._options.still_share * max(box[3] for box in boxes)
        centres = [(x + w / 2, y + h / 2) for x, y, w, h in boxes]
        return all(max(c) - min(c) <= limit for c in zip(*centres, strict=True))


class Voting:
    """Follows the numbers of one scene through its readings."""

    def __init__(self, options: VotingOptions | None = None) -> None:
        self._options = options or VotingOptions()
        self._tracks: list[_Track] = []
        self._next_identity = 1
        self._calm_frames = 0
        self._told: frozenset[tuple[int, str]] = frozenset()

    def see(self, reading: Reading) -> list[Event]:
        """Count one sharp frame's reading; the events it brought about, in reading order, removals last."""
        numbers = list(reading.numbers)
        pairs = match_numbers([t.named for t in self._tracks], [(n.text, n.box) for n in numbers])
        seen: dict[int, Number] = {k: numbers[s] for k, s in pairs}
        matched = {s for _, s in pairs}
        for index, track in enumerate(self._tracks):
            track.vote(seen.get(index))
        for index, number in enumerate(numbers):
            if index not in matched:
                self._tracks.append(self._start(number))
        order = {id(number): index for index, number in enumerate(numbers)}
        events = [(order.get(id(t.last), len(order)) if not t.missed else len(order), t.judge()) for t in self._tracks]
        self._tracks = [t for t in self._tracks if not self._is_over(t)]
        told = [event for _, event in sorted(events, key=lambda pair: pair[0]) if event is not None]
        self._calm_frames = 0 if told else self._calm_frames + 1
        return told

    def page(self, reading: Reading) -> SettledPage:
        """The settled numbers arranged as on the page of `reading`, the last one seen."""
        return settled_page(reading, [(t.settled, t.last.box) for t in self._tracks if t.settled is not None])

    def new_page(self, reading: Reading) -> SettledPage | None:
        """The page, once, when its numbers have settled and for a while nothing more happened; else None.

        A page without numbers is told only after one with numbers.
        """
        told = frozenset((t.settled.identity, t.settled.number.text) for t in self._tracks if t.settled is not None)
        if self._calm_frames < self._options.agreeing_frames or any(t.is_pending for t in self._tracks):
            return None
        if told == self._told:
            return None
        self._told = told
        return self.page(reading)

    def _start(self, number: Number) -> _Track:
        track = _Track(self._next_identity, self._options)
        self._next_identity += 1
        track.vote(number)
        return track

    def _is_over(self, track: _Track) -> bool:
        patience = self._options.removed_frames if track.settled is not None else self._options.agreeing_frames
        return track.missed >= patience
