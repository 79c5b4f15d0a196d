"""A camera, stream or recording as a row of Frames: the newest of a live source, every one of a recording.

Lost sources are opened again, a bounded number of times, with growing pauses; what is given up is a CameraError.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Final

from edge_digits.errors import CameraError
from edge_digits.sources.address import CameraOptions, Opener, parse_address
from edge_digits.sources.capture import RELEASE_S, CaptureSession
from edge_digits.sources.device import lasting_address
from edge_digits.sources.frame import Frame
from edge_digits.sources.video import open_capture

STEADY_FRAMES: Final = 30
"""New pictures since it was opened after which a source that was lost counts as sound again."""
SOUND_WINDOWS: Final = 2
"""Times stall_s after its opening that a source without a complaint is sound; a complaint takes once stall_s to come up."""
MOST_HANGING: Final = 2
"""Threads that may hang in a driver at a time. One more is never started: each holds a handle and a few pictures."""
PAUSE_S: Final = 0.02
"""Shortest wait for a device to be given back, so that looking for it takes no core."""
COMPLETE_SHARE: Final = 0.9
"""A recording that ends before this share of the frames that its header announces is reported as cut off."""


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """One picture of a moving source.

    time_s : of a live source, the monotonic clock when the picture came; of a recording, its place in it. Seconds.
    number : 1 for the first picture that was ready; counts on over pictures that were dropped.
    """

    frame: Frame
    time_s: float
    number: int


class Camera:
    """A camera, stream or recording that gives its pictures one by one. Use it in a `with` block.

    A live source gives the newest picture only, and never the same one twice; when it stalls, freezes or vanishes it is
    opened again, a bounded number of times. A recording gives every picture, and then has `ended`.

    source : camera index ("0"), device path, URL or video file. opener : opens it; doubles take its place in tests.
    report : is told, in one line each, what the source really delivers and when it is lost. Default: stderr.
    trouble : what is wrong just now, for a screen; "" while pictures come as they should.
    """

    def __init__(
        self,
        source: str,
        options: CameraOptions | None = None,
        *,
        opener: Opener = open_capture,
        report: Callable[[str], None] | None = None,
    ) -> None:
        """Start to open the source; pictures and errors come from `next_frame`. Raises CameraError."""
        self.address = parse_address(source)
        self._options, self._opener = options or CameraOptions(), opener
        self._report = report or _to_stderr
        self._session: CaptureSession | None = None
        self._reopen_at = self._wait_until = monotonic()
        self._hanging: list[CaptureSession] = []
        self._reopen_address = self.address
        self._complaints: set[str] = set()
        self._described = False
        self._ever_open = False
        self.trouble = ""
        self._tries = 0
        self._count_before = 0
        self.ended = False

    @property
    def is_recording(self) -> bool:
        """Whether every picture of a finite recording is given; known once the first one came."""
        return self.address.is_recording or (self._session is not None and self._session.keeps_all)

    @property
    def announced_frames(self) -> int:
        """How many frames the header of a recording tells of, 0 where unknown."""
        return self._session.announced if self._session is not None else 0

    def next_frame(self, wait_s: float = 0.1) -> LiveFrame | None:
        """The next picture, or None when none came within wait_s seconds, or the recording has ended.

        Raises CameraError when the source cannot be opened, or was lost and did not come back.
        """
        if self.ended:
            return None
        if self._session is None:
            if self._is_too_early():
                threading.Event().wait(min(max(self._reopen_at - monotonic(), PAUSE_S), wait_s))
                return None
            if len(self._hanging) >= MOST_HANGING:
                self._try_later("hangs in its driver")
                return None
            self._session, self._described = CaptureSession(self._reopen_address, self._options, self._opener), False
        session = self._session
        taken = session.take(wait_s)
        self._tell_news(session)
        if taken is None:
            self._look_after(session)
            return None
        picture, time_s, count = taken
        if count >= STEADY_FRAMES:
            self._tries = 0
        live = LiveFrame(Frame.from_array(picture, self.address.name), time_s, self._count_before + count)
        self._mind(session, session.complaint())
        return live

    def close(self) -> None:
        """End the thread and give the source back; may be called again."""
        self.ended = True
        until = monotonic() + RELEASE_S
        for session in [*self._hanging, *([self._session] if self._session is not None else [])]:
            session.stop(max(0.0, until - monotonic()))

    def __enter__(self) -> Camera:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _is_too_early(self) -> bool:
        """Whether a lost source is still to be left alone; a device that another thread holds could not be opened anyway."""
        self._hanging = [session for session in self._hanging if session.is_running]
        now = monotonic()
        return now < self._reopen_at or (bool(self._hanging) and self.address.is_device and now < self._wait_until)

    def _tell_news(self, session: CaptureSession) -> None:
        if session.description and not self._described:
            self._described = True
            self._report(session.description)
            if not self._ever_open:
                self._ever_open, self._reopen_address = True, lasting_address(self.address)
        while session.notices:
            self._report(session.notices.popleft())

    def _look_after(self, session: CaptureSession) -> None:
        if session.fault is not None:
            raise session.fault
        if session.error is not None and not self._ever_open:
            raise session.error
        if session.keeps_all and session.finished:
            self._finish(session)
            return
        trouble = session.trouble()
        if trouble:
            self._lose(session, trouble)
        else:
            self._mind(session, session.complaint())

    def _mind(self, session: CaptureSession, complaint: str) -> None:
        """Tell of a source that is dark, slow or repeats itself; open it again for once, and then live with it until it is over."""
        problem, _, advice = complaint.partition(";")
        kind = " ".join(problem.split()[:2])  # without its figures
        self.trouble = problem
        if not complaint:
            if session.age_s > SOUND_WINDOWS * self._options.stall_s:
                self._complaints.clear()
            return
        if kind in self._complaints:
            return
        self._complaints.add(kind)
        self._report(f"{self.address.name}: {problem};{advice}; opening it again for once")
        self._put_away(session)
        self._reopen_at = monotonic() + self._options.backoff_s

    def _finish(self, session: CaptureSession) -> None:
        if session.error is not None:
            raise session.error
        if session.arrived == 0:
            raise CameraError(f"{self.address.name}: no picture in it can be decoded; give an AVI, MP4, MKV or MOV file")
        if self.address.kind != "folder" and session.arrived < COMPLETE_SHARE * session.announced:
            self._report(f"{self.address.name}: ends after {session.arrived} of {session.announced} frames; the file may be cut off")
        self.ended = True

    def _lose(self, session: CaptureSession, trouble: str) -> None:
        self._put_away(session)
        if not self._ever_open:
            raise CameraError(f"{self.address.name}: {trouble}; check that it is connected and runs")
        self._try_later(trouble)

    def _put_away(self, session: CaptureSession) -> None:
        session.stop(0)
        self._count_before += session.arrived
        self._session = None
        self._hanging.append(session)
        self._wait_until = monotonic() + self._options.open_s

    def _try_later(self, trouble: str) -> None:
        self.trouble = trouble
        most = self._options.reopen_tries
        if most is not None and self._tries >= most:
            self.ended = True
            tried = f"given up after opening it again {self._tries} times"
            raise CameraError(f"{self.address.name}: {trouble}, {tried}; check cable, power or network")
        # The exponent is bounded because 2 to the power of many tries is no float any more.
        wait_s = min(self._options.max_backoff_s, self._options.backoff_s * 2 ** min(self._tries, 30))
        self._tries += 1
        self._reopen_at = monotonic() + wait_s
        tries = f"try {self._tries}" if most is None else f"try {self._tries} of {most}"
        self._report(f"{self.address.name}: {trouble}; opening it again in {wait_s:g} s ({tries})")


def _to_stderr(message: str) -> None:
    print(f"edge-digits: {message}", file=sys.stderr, flush=True)
