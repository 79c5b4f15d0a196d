"""One frame after the other: skipped when blurred, else read and voted; gives what there is to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from edge_digits.live.page import SettledPage
from edge_digits.live.sharpness import BlurGate
from edge_digits.live.voting import Event, Voting, VotingOptions
from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame


class FrameReader(Protocol):
    """What is used of Reader."""

    def read_frame(self, frame: Frame) -> Reading:
        """Read one frame."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame brought.

    overlay : the settled numbers in sight, as of the last sharp frame; None before the first.
    events : of single numbers. page : a page whose numbers have all settled, told once.
    """

    frame: LiveFrame
    time_s: float
    blurred: bool
    overlay: SettledPage | None
    events: list[Event] = field(default_factory=list)
    page: SettledPage | None = None


class Watcher:
    """Reads the frames of one source. Counts them in seen, blurred and dropped."""

    def __init__(self, reader: FrameReader, options: VotingOptions | None = None) -> None:
        self._reader, self._voting, self._gate = reader, Voting(options), BlurGate()
        self._started_s: float | None = None
        self._overlay: SettledPage | None = None
        self._last_number = 0
        self.seen = self.blurred = self.dropped = self.settled = 0

    def look(self, live: LiveFrame) -> Look:
        """Take one frame in. time_s of the answer counts from the first frame."""
        if self._started_s is None:
            self._started_s = live.time_s
        time_s = live.time_s - self._started_s
        self.dropped += live.number - self._last_number - 1
        self._last_number = live.number
        self.seen += 1
        if self._gate.is_blurred(live.frame.grey()):
            self.blurred += 1
            return Look(live, time_s, True, self._overlay)
        reading = self._reader.read_frame(live.frame)
        events = self._voting.see(reading)
        self.settled += sum(event.kind == "settled" for event in events)
        self._overlay = self._voting.page(reading)
        return Look(live, time_s, False, self._overlay, events, self._voting.new_page(reading))


def entries(look: Look) -> list[dict[str, Any]]:
    """The JSON objects of a look, one a line; see README.md of this folder."""
    place = {
        "source": look.frame.frame.source,
        "frame": look.frame.number,
        "time_s": round(look.time_s, 3),
        "at": datetime.now().astimezone().isoformat(timespec="milliseconds"),
    }
    told: list[dict[str, Any]] = []
    for event in look.events:
        entry = {"event": event.kind, **place, "number": event.number.to_dict()}
        told.append(entry if event.was is None else {**entry, "was": event.was})
    if look.page is not None:
        told.append({"event": "page", **place, **look.page.to_dict()})
    return told
