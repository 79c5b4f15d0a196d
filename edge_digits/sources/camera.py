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
from edge_digits.sources.capture import CaptureSession
from edge_digits.sources.frame import Frame
from edge_digits.sources.video import CameraOptions, Opener, open_capture, parse_address

STEADY_FRAMES: Final = 30
"""New pictures since it was opened after which a source that was lost counts as sound again."""
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
        self._reopen_at = monotonic()
        self._described = False
        self._ever_open = False
        self._tries = 0
        self._count_before = 0
        self.ended = False

    @property
    def is_recording(self) -> bool:
        """Whether every picture of a finite recording is given; known once the first one came."""
        return self.address.kind == "file" or (self._session is not None and self._session.keeps_all)

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
            pause = self._reopen_at - monotonic()
            if pause > 0:
                threading.Event().wait(min(pause, wait_s))
                return None
            self._session, self._described = CaptureSession(self.address, self._options, self._opener), False
        session = self._session
        taken = session.take(wait_s)
        self._describe(session)
        if taken is None:
            self._look_after(session)
            return None
        picture, time_s, count = taken
        if count >= STEADY_FRAMES:
            self._tries = 0
        return LiveFrame(Frame.from_array(picture, self.address.name), time_s, self._count_before + count)

    def close(self) -> None:
        """End the thread and give the source back; may be called again."""
        self.ended = True
        if self._session is not None:
            self._session.stop()

    def __enter__(self) -> Camera:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _describe(self, session: CaptureSession) -> None:
        if session.description and not self._described:
            self._described = self._ever_open = True
            self._report(session.description)

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

    def _finish(self, session: CaptureSession) -> None:
        if session.error is not None:
            raise session.error
        if session.arrived == 0:
            raise CameraError(f"{self.address.name}: no picture in it can be decoded; give an AVI, MP4, MKV or MOV file")
        if session.arrived < COMPLETE_SHARE * session.announced:
            self._report(f"{self.address.name}: ends after {session.arrived} of {session.announced} frames; the file may be cut off")
        self.ended = True

    def _lose(self, session: CaptureSession, trouble: str) -> None:
        session.stop()
        if not self._ever_open:
            raise CameraError(f"{self.address.name}: {trouble}; check that it is connected and runs")
        self._count_before += session.arrived
        self._session = None
        if self._tries >= self._options.reopen_tries:
            self.ended = True
            tried = f"given up after opening it again {self._tries} times"
            raise CameraError(f"{self.address.name}: {trouble}, {tried}; check cable, power or network")
        wait_s = self._options.backoff_s * 2**self._tries
        self._tries += 1
        self._reopen_at = monotonic() + wait_s
        tries = f"try {self._tries} of {self._options.reopen_tries}"
        self._report(f"{self.address.name}: {trouble}; opening it again in {wait_s:g} s ({tries})")


def _to_stderr(message: str) -> None:
    print(f"edge-digits: {message}", file=sys.stderr, flush=True)
