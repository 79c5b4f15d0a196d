"""One number as it is followed from reading to reading, and when it counts as settled."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final, Literal

from edge_digits.errors import UsageError
from edge_digits.live.page import SettledNumber
from edge_digits.live.tracking import Homography, moved_box
from edge_digits.reading.reading import Box, Number

EventKind = Literal["settled", "changed", "removed", "corrected"]

BORDER_PX: Final = 3
"""A number that comes so near to the edge of the picture may go on beyond it."""
LEAST_CONFIDENCE: Final = 0.5
"""What is less than this sure of itself may be a letter or a stain as well."""


@dataclass(frozen=True, slots=True)
class VotingOptions:
    """When a number counts as settled.

    agreeing_frames : so many of the last 2 * agreeing_frames - 1 readings must give the same text (hence a majority), >= 1.
    still_s : for so long it must have stood still and untouched, seconds, >= 0.
    still_share : how far its centre may move meanwhile, as a share of its height.
    certain : the confidence, on average over all those readings, from which a digit is named; below it is "?", 0..1.
    certain_whole : the number as a whole must be so sure of itself, to the power of its digits; below it the least sure is "?", 0..1.
    removed_frames : a settled number not found in so many readings in a row is gone.
    covered_s : a number of which only a part is left is told as changed after so long, seconds: something may lie on it.
    """

    agreeing_frames: int = 4
    still_s: float = 0.3
    still_share: float = 0.25
    certain: float = 0.9
    certain_whole: float = 0.8
    removed_frames: int = 10
    covered_s: float = 3.0

    def __post_init__(self) -> None:
        if self.agreeing_frames < 1 or self.removed_frames < 1 or self.still_share <= 0:
            raise UsageError(
                f"voting over {self.agreeing_frames} frames, removal after {self.removed_frames}, still within {self.still_share:g}: "
                "give numbers above 0"
            )
        if not (self.still_s >= 0 and self.covered_s >= 0):
            raise UsageError(f"still for {self.still_s:g} s, covered for {self.covered_s:g} s: give seconds, 0 or more")
        for name, share in (("certain", self.certain), ("certain_whole", self.certain_whole)):
            if not 0 <= share <= 1:
                raise UsageError(f"{name} is {share:g}; give a number from 0 to 1")

    @property
    def window_frames(self) -> int:
        """How many of a number's last readings vote."""
        return 2 * self.agreeing_frames - 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one number. was : its settled text before, of a change."""

    kind: EventKind
    number: SettledNumber
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """What one reading said of a number, None where it did not find it. time_s : when its frame was taken."""

    number: Number | None
    time_s: float


class Track:
    """One number. last : as it was read last, where it is in the frame that was read last."""

    def __init__(self, identity: int, options: VotingOptions, number: Number, time_s: float) -> None:
        self.identity, self._options = identity, options
        self._votes: deque[Vote] = deque(maxlen=options.window_frames)
        self.last = number
        self.box = number.box
        self.missed = 0
        self.readings = 0
        self.calm_since_s = time_s
        self.settled: SettledNumber | None = None
        self.is_doubtful = False
        self._other_since_s: float | None = None
        self._overruled: set[str] = set()
        self._differing = 0
        self._counted = 0  # votes since it was touched last
        self.vote(number, time_s)

    @property
    def named(self) -> tuple[str, Box]:
        """What it is known as, and where it is."""
        return (self.settled.number.text if self.settled is not None else self.last.text), self.box

    @property
    def is_pending(self) -> bool:
        """Whether more readings may bring something about; what flickers for long is not waited for."""
        if self.settled is None:
            return not self.missed and self.readings <= 3 * self._options.window_frames
        return bool(self.missed) or (self._differs() and self._differing <= 3 * self._options.window_frames)

    def move(self, homography: Homography) -> None:
        """The page moved, so that this number is elsewhere now."""
        self.box = moved_box(self.box, homography)

    def disturb(self, time_s: float) -> None:
        """Something happened on or beside it: what was read before says nothing of what is there now."""
        self._votes.clear()
        self._differing = self._counted = 0
        self.calm_since_s = time_s

    def correct(self, place: int, digit: int) -> tuple[SettledNumber, str] | None:
        """A person named a digit, counted from 0: the number, and its text before. What was read instead is not believed again."""
        if self.settled is None or not 0 <= place < len(self.settled.number.digits):
            return None
        number = self.settled.number
        self._overruled |= {number.text, self.last.text, *(vote.number.text for vote in self._votes if vote.number is not None)}
        digits = tuple(replace(d, digit=digit, confidence=1.0) if i == place else d for i, d in enumerate(number.digits))
        corrected = replace(number, digits=digits, probability=None, known_value=None)
        self._overruled.discard(corrected.text)
        self.settled, self.is_doubtful, self._other_since_s = replace(self.settled, number=corrected), False, None
        return self.settled, number.text

    def vote(self, number: Number | None, time_s: float) -> None:
        """Count one reading, of a frame taken at a time."""
        self.readings += 1
        self.missed = self.missed + 1 if number is None else 0
        if number is not None:
            self.last, self.box = number, number.box
            self._differing += self._differs()
        if time_s >= self.calm_since_s:
            self._votes.append(Vote(number, time_s))
            self._counted += 1

    def judge(self, frame_size: tuple[int, int]) -> Event | None:
        """What the last vote brought about. frame_size : width and height of the frame that was read, pixels."""
        if self.missed:
            gone = self.settled is not None and self.missed == self._options.removed_frames
            return Event("removed", self.settled) if gone and self.settled is not None else None
        found = self._agreement()
        if found is None or _touches(self.last.box, frame_size):
            return None
        number, votes, is_certain = found
        settled = SettledNumber(self.identity, number, votes, len(self._votes))
        if self.settled is None:
            self.settled, self.is_doubtful = settled, not is_certain
            return Event("settled", settled)
        return self._compare(settled, is_certain)

    def _differs(self) -> bool:
        """Whether the last reading says something else than what was settled."""
        return self.settled is not None and not any(_goes_with(t, self.last.text) for t in (self.settled.number.text, *self._overruled))

    def _compare(self, new: SettledNumber, is_certain: bool) -> Event | None:
        """What it means for a settled number that the votes now say this."""
        assert self.settled is not None
        old, now_s = self.settled, self._votes[-1].time_s
        if any(_goes_with(text, new.number.text) for text in self._overruled) or (self._overruled and not is_certain):
            return None
        if _goes_with(old.number.text, new.number.text):
            self._other_since_s = None
            if is_certain or self.is_doubtful:
                self.settled, self.is_doubtful = new, not is_certain
                if old.number.text != new.number.text and is_certain:
                    return Event("changed", new, old.number.text)
                if old.number.text != new.number.text:
                    self.settled = old
            return None
        if self._other_since_s is None:
            self._other_since_s = now_s
        waited = now_s - self._other_since_s
        is_part = new.number.text in old.number.text
        if (is_part and waited < self._options.covered_s) or (not is_certain and waited < self._options.still_s):
            return None
        self.settled, self.is_doubtful, self._other_since_s = new, not is_certain, None
        return Event("changed", new, old.number.text)

    def _agreement(self) -> tuple[Number, int, bool] | None:
        """The number that enough votes agree on, how many, and whether it is certain; None while there is none."""
        seen = [vote.number for vote in self._votes if vote.number is not None]
        if not seen or self._votes[-1].time_s - self.calm_since_s < self._options.still_s:
            return None
        agreeing = [number for number in seen if number.text == self.last.text]
        if len(agreeing) < self._options.agreeing_frames or not self._stands_still(agreeing):
            return None
        fused = _fused(agreeing, len(self._votes), self._options.certain)
        if fused.confidence < self._options.certain_whole ** len(fused.digits):
            fused = _doubted(fused)
        if "?" not in fused.text:
            return fused, len(agreeing), True
        # In doubt for as long as the votes may still swing; and what is hardly believed to be a number is none.
        if self._counted < 2 * self._options.window_frames or fused.confidence < LEAST_CONFIDENCE:
            return None
        return fused, len(agreeing), False

    def _stands_still(self, agreeing: list[Number]) -> bool:
        boxes = [n.box for n in agreeing[-self._options.agreeing_frames :]]
        limit = self._options.still_share * max(box[3] for box in boxes)
        centres = [(x + w / 2, y + h / 2) for x, y, w, h in boxes]
        return all(max(c) - min(c) <= limit for c in zip(*centres, strict=True))


def _fused(agreeing: list[Number], votes: int, certain: float) -> Number:
    """The most confident of numbers that agree, with the confidence of all `votes` readings: those that do not agree count as 0.

    Digits below `certain` are "?".
    """
    best = max(agreeing, key=lambda number: number.confidence)
    shares = [sum(number.digits[place].confidence for number in agreeing) / votes for place in range(len(best.digits))]
    digits = tuple(
        replace(digit, digit=digit.digit if share >= certain else None, confidence=share)
        for digit, share in zip(best.digits, shares, strict=True)
    )
    return replace(best, digits=digits, probability=sum(number.confidence for number in agreeing) / votes)


def _doubted(number: Number) -> Number:
    """The number with its least sure digit as "?": a letter or a mark may pass for each of its digits, and yet be no number."""
    least = min(range(len(number.digits)), key=lambda place: number.digits[place].confidence)
    digits = tuple(replace(digit, digit=None) if place == least else digit for place, digit in enumerate(number.digits))
    return replace(number, digits=digits)


def _goes_with(old: str, new: str) -> bool:
    """Whether two texts may be the same number, one or both with unsure digits."""
    return len(old) == len(new) and all(a == b or "?" in (a, b) for a, b in zip(old, new, strict=True))


def _touches(box: Box, frame_size: tuple[int, int]) -> bool:
    x, y, w, h = box
    return x < BORDER_PX or y < BORDER_PX or x + w > frame_size[0] - BORDER_PX or y + h > frame_size[1] - BORDER_PX
