"""Follows the numbers of one scene through its readings; each is told once it has settled, when it changes, and when it goes."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from edge_digits.live.matching import match_numbers
from edge_digits.live.page import SettledPage, settled_page
from edge_digits.live.track import Event, Track, VotingOptions
from edge_digits.live.tracking import Homography
from edge_digits.reading.reading import Box, Number, Reading


class Voting:
    """Follows the numbers of one scene through its readings."""

    def __init__(self, options: VotingOptions | None = None) -> None:
        self._options = options or VotingOptions()
        self._tracks: list[Track] = []
        self._next_identity = 1
        self._calm_readings = 0
        self._told: frozenset[tuple[int, str]] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether the next readings may bring something about even if nothing moves."""
        return any(t.is_pending for t in self._tracks) or self._now() != self._told or not self._calm_readings

    @property
    def is_in_doubt(self) -> bool:
        """Whether a number has a digit that a better picture could name."""
        return any(t.settled is None or t.is_doubtful for t in self._tracks)

    @property
    def height_px(self) -> float:
        """Median height of the numbers in sight, infinite without any."""
        return median(t.box[3] for t in self._tracks) if self._tracks else float("inf")

    def disturb(self, is_touched: Callable[[Box], bool], time_s: float) -> None:
        """Something moved at a time. is_touched : whether it did so on or beside a box of the frame that was read last."""
        for track in self._tracks:
            if is_touched(track.box):
                track.disturb(time_s)

    def see(self, reading: Reading, time_s: float, moved: Homography | None = None) -> list[Event]:
        """Count the reading of a frame taken at a time; the events it brought about, in reading order, removals last.

        moved : float64 (3, 3), from pixels of the frame read before to pixels of this one, where it is known.
        """
        if moved is not None:
            for track in self._tracks:
                track.move(moved)
        numbers = list(reading.numbers)
        pairs = match_numbers([t.named for t in self._tracks], [(n.text, n.box) for n in numbers])
        seen: dict[int, Number] = {k: numbers[s] for k, s in pairs}
        matched = {s for _, s in pairs}
        for index, track in enumerate(self._tracks):
            track.vote(seen.get(index), time_s)
        for index, number in enumerate(numbers):
            if index not in matched:
                self._tracks.append(Track(self._next_identity, self._options, number, time_s))
                self._next_identity += 1
        order = {id(number): index for index, number in enumerate(numbers)}
        size = reading.width, reading.height
        events = [(order.get(id(t.last), len(order)) if not t.missed else len(order), t.judge(size)) for t in self._tracks]
        self._tracks = [t for t in self._tracks if not self._is_over(t)]
        told = [event for _, event in sorted(events, key=lambda pair: pair[0]) if event is not None]
        self._calm_readings = 0 if told else self._calm_readings + 1
        return told

    def correct(self, identity: int, place: int, digit: int) -> Event | None:
        """A person named a digit of a settled number; None when that is no longer there."""
        for track in self._tracks:
            found = track.correct(place, digit) if track.identity == identity else None
            if found is not None:
                return Event("corrected", *found)
        return None

    def page(self, reading: Reading) -> SettledPage:
        """The settled numbers arranged as on the page of `reading`, the last one seen."""
        return settled_page(reading, [(t.settled, t.box) for t in self._tracks if t.settled is not None])

    def new_page(self, reading: Reading) -> SettledPage | None:
        """The page, once, when its numbers have settled and for a while nothing more happened; else None.

        A page without numbers is told only after one with numbers.
        """
        told = self._now()
        if self._calm_readings < self._options.agreeing_frames or any(t.is_pending and t.readings > 1 for t in self._tracks):
            return None
        if told == self._told:
            return None
        self._told = told
        return self.page(reading)

    def _now(self) -> frozenset[tuple[int, str]]:
        return frozenset((t.identity, t.settled.number.text) for t in self._tracks if t.settled is not None)

    def _is_over(self, track: Track) -> bool:
        patience = self._options.removed_frames if track.settled is not None else self._options.agreeing_frames
        return track.missed >= patience
