"""One frame after the other: followed, measured, and read when there is something new to read; gives what there is to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np

from edge_digits.live.page import SettledPage, moved_page
from edge_digits.live.reading_thread import FrameReader, Job, ReadingThread
from edge_digits.live.sharpness import BlurGate, is_dark
from edge_digits.live.track import Event, VotingOptions
from edge_digits.live.tracking import TOUCHED_SHARE, Motion, Tracker
from edge_digits.live.voting import Voting
from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import LiveFrame

RECHECK_S: Final = 2.0
"""A page in which nothing changes is read again so often, seconds: what crept in slowly is seen then."""
RECHECK_SHARE: Final = 20.0
"""And no more often than every so many times as long as the reading took: a scene full of texture takes long."""
SHARPER: Final = 1.25
"""A frame so much sharper than those that were read is read as well, as long as a number is in doubt."""
CHANGED_CELLS: Final = 2
"""Cells that differ from the frame that was read before that is worth a reading: a digit covers some."""
FASTEST: Final = 0.15
"""Fastest motion at which frames are read, in heights of the numbers from frame to frame: more smears the strokes."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame brought.

    moving : too fast to be read. overlay : the settled numbers in sight, where they are in this frame; None before the first reading.
    read : the frame that events and page were read from, None when none was finished with this frame.
    events : of single numbers. page : a page whose numbers have all settled, told once. Boxes of both in pixels of `read`.
    """

    frame: LiveFrame
    time_s: float
    blurred: bool
    moving: bool
    overlay: SettledPage | None
    read: LiveFrame | None = None
    events: list[Event] = field(default_factory=list)
    page: SettledPage | None = None

    @property
    def read_time_s(self) -> float:
        """The same for `read`, 0 without one."""
        return 0.0 if self.read is None else self.time_s - self.frame.time_s + self.read.time_s


class Watcher:
    """Reads the frames of one source. Counts them in seen, blurred, dropped and read."""

    def __init__(self, reader: FrameReader, options: VotingOptions | None = None, *, reading: ReadingThread | None = None) -> None:
        self._reading = reading or ReadingThread(reader)
        self._voting, self._gate, self._tracker = Voting(options), BlurGate(), Tracker()
        self.started_s: float | None = None
        self._page: SettledPage | None = None
        self._last_number = 0
        self._read_at_s: float | None = None
        self._sharpest = 0.0
        self._recheck_s = RECHECK_S
        self._scene_changed = False
        self.seen = self.blurred = self.dropped = self.settled = self.read = 0

    def look(self, live: LiveFrame, *, wait: bool = False) -> Look:
        """Take one frame in. time_s of the answer counts from the first frame.

        wait : for the reading of this very frame, as for a recording, of which no frame is lost meanwhile.
        """
        if self.started_s is None:
            self.started_s = live.time_s
        self.dropped += live.number - self._last_number - 1
        self._last_number = live.number
        self.seen += 1
        small = self._tracker.reduce(live.frame.grey())
        told = self._digest(self._reading.take())
        motion = self._tracker.follow(small)
        self._voting.disturb(lambda box: bool(motion.changing[self._tracker.cells_of(box)].mean() > TOUCHED_SHARE), live.time_s)
        if motion.is_other_scene:
            self._gate.forget()  # what was sharp before says nothing of it
        blurred = self._gate.is_blurred(small)
        moving = motion.is_other_scene or motion.speed_px > FASTEST * self._voting.height_px
        self.blurred += blurred
        self._scene_changed = self._scene_changed or motion.is_other_scene
        if self._scene_changed and not moving:
            self._reading.abandon()  # it reads what was there before; a desk of wood may take it seconds
            self._scene_changed = False
        if not blurred and not moving and not is_dark(small) and not self._reading.is_busy and self._is_due(motion, live.time_s):
            self._reading.submit(Job(live, small, motion.to_now, self._gate.measure))
            if wait:
                told = self._digest(self._reading.take(wait=True))
                motion = Motion(np.eye(3), 0.0, motion.changing, motion.changed)
        overlay = self._page if self._page is None or motion.to_now is None else moved_page(self._page, motion.to_now)
        return Look(live, live.time_s - self.started_s, blurred, moving, overlay, *told)

    def correct(self, identity: int, place: int, digit: int) -> Event | None:
        """A person named a digit, `place` from 0, of a settled number; None when that is no longer there."""
        return self._voting.correct(identity, place, digit)

    def close(self) -> None:
        """End the thread that reads."""
        self._reading.close()

    def _is_due(self, motion: Motion, now_s: float) -> bool:
        """Whether a frame is worth a reading."""
        if self._read_at_s is None or self._voting.is_open or now_s - self._read_at_s >= self._recheck_s:
            return True
        if int(motion.changed.sum()) >= CHANGED_CELLS:
            return True
        return self._voting.is_in_doubt and self._gate.measure > SHARPER * self._sharpest

    def _digest(self, done: tuple[Job, Reading] | None) -> tuple[LiveFrame | None, list[Event], SettledPage | None]:
        """Count a finished reading; the frame it is of, what it brought about, and the page when that is to be told."""
        if done is None:
            return None, [], None
        job, reading = done
        self.read += 1
        self._read_at_s = job.live.time_s
        self._recheck_s = max(RECHECK_S, RECHECK_SHARE * reading.elapsed_ms.get("total", 0.0) / 1000.0)
        events = self._voting.see(reading, job.live.time_s, job.to_now)
        self.settled += sum(event.kind == "settled" for event in events)
        self._sharpest = job.sharpness if job.to_now is None else max(self._sharpest, job.sharpness)
        self._tracker.anchor(job.small, [number.box for number in reading.numbers])
        self._page = self._voting.page(reading)
        return job.live, events, self._voting.new_page(reading)


def entries(look: Look) -> list[dict[str, Any]]:
    """The JSON objects of a look, one a line; see README.md of this folder."""
    if look.read is None:
        return []
    told = [entry_of(event, look.read, look.read_time_s) for event in look.events]
    if look.page is not None:
        told.append({"event": "page", **_place(look.read, look.read_time_s), **look.page.to_dict()})
    return told


def entry_of(event: Event, live: LiveFrame, time_s: float) -> dict[str, Any]:
    """The JSON object of one number's event. live : the frame its boxes refer to. time_s : of that frame, from the first one."""
    entry = {"event": event.kind, **_place(live, time_s), "number": event.number.to_dict()}
    return entry if event.was is None else {**entry, "was": event.was}


def _place(live: LiveFrame, time_s: float) -> dict[str, Any]:
    return {
        "source": live.frame.source,
        "frame": live.number,
        "time_s": round(time_s, 3),
        "at": datetime.now().astimezone().isoformat(timespec="milliseconds"),
    }
