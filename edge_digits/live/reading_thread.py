"""Reads frames one at a time beside the loop, so that following the page and showing it never wait for a reading."""

from __future__ import annotations

import atexit
import sys
import threading
from dataclasses import dataclass
from typing import Final, Protocol

from edge_digits.live.tracking import Homography
from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame, Picture

SWITCH_S: Final = 0.0005
"""Longest time for which one thread keeps Python to itself while another wants it, in place of Python's own 5 ms."""
CLOSE_S: Final = 0.5
"""Longest wait for a reading when closing."""
EXIT_S: Final = 5.0
"""Longest wait for it when Python ends: a thread that comes back out of OpenCV while Python is taken down aborts the process."""


def let_the_loop_go_first() -> None:
    """Make the threads of this process take turns often, so that a frame is followed in time while a page is read."""
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))


class FrameReader(Protocol):
    """What is used of Reader."""

    def read_frame(self, frame: Frame) -> Reading:
        """Read one frame."""


@dataclass(frozen=True, slots=True)
class Job:
    """A frame to be read.

    small : the frame as it is followed. to_now : the page's way from the frame read before to this one, None where unknown.
    sharpness : as measured.
    """

    live: LiveFrame
    small: Picture
    to_now: Homography | None
    sharpness: float


class ReadingThread:
    """A thread that starts with the first job. At most one job is under way, and one that was abandoned."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self._changed = threading.Condition()
        self._job: Job | None = None
        self._done: tuple[Job, Reading] | None = None
        self._error: BaseException | None = None
        self._closing = False
        self._thread: threading.Thread | None = None
        self._left: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job is under way, or its reading has not been taken yet."""
        with self._changed:
            return self._job is not None or self._done is not None

    def submit(self, job: Job) -> None:
        """Begin a job; not while busy."""
        with self._changed:
            self._job = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reading", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def abandon(self) -> None:
        """Drop the job under way, whose frame shows what is no longer there, so that another can begin.

        The thread ends by itself when it has read to the end; while one does so no other is left behind.
        """
        with self._changed:
            if self._job is not None and (self._left is None or not self._left.is_alive()):
                self._left, self._thread, self._job = self._thread, None, None

    def take(self, *, wait: bool = False) -> tuple[Job, Reading] | None:
        """The finished job and its reading, once; None while there is none. Raises what the reader raised.

        wait : until the job under way is finished.
        """
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._job is None)
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            done, self._done = self._done, None
            return done

    def close(self) -> None:
        """End the thread; waits CLOSE_S at most for a reading under way."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in (self._thread, self._left):
            if thread is not None:
                thread.join(CLOSE_S)
                if thread.is_alive():
                    atexit.register(thread.join, EXIT_S)

    def _run(self) -> None:
        this = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._job is not None or self._closing or self._thread is not this)
                job = self._job
                if self._closing or job is None or self._thread is not this:
                    return
            done, error = None, None
            try:
                done = job, self._reader.read_frame(job.live.frame)
            except BaseException as caught:  # noqa: BLE001 - belongs to the loop, which takes it from here
                error = caught
            with self._changed:
                if self._job is not job:
                    return  # abandoned
                self._job, self._done, self._error = None, done, error
                self._changed.notify_all()
