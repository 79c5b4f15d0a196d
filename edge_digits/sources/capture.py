"""The thread that fetches pictures from one opened source and keeps the newest.

Drivers queue a few pictures, so a slow reader of a camera sees the past; a pulled cable may block for ever, or repeat
the last picture for ever. So a thread does nothing but fetch, and notes when the last new picture came.
"""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import CameraError, InputError
from edge_digits.sources.address import Address, CameraOptions, Capture, Opener
from edge_digits.sources.frame import Picture
from edge_digits.sources.video import describe
from edge_digits.sources.watchdog import Watchdog

THREAD_NAME: Final = "capture"
READ_FAILURES: Final = 3
"""Failed reads in a row that end a live source; one alone may be a damaged picture."""
QUICK_S: Final = 0.5
"""A read that failed later than this waited for a picture: long exposures do that, and time will tell whether one comes."""
PAUSE_S: Final = 0.02
"""Wait after a failed or repeated picture, so that a broken driver that answers at once does not take a whole core."""
RELEASE_S: Final = 0.4
"""Longest wait for the thread when closing. One that hangs in a driver is left behind; it gives its handle back itself."""
EXIT_S: Final = 15.0
"""Longest wait for a thread left behind when Python ends; drivers let go after 10 s (V4L2) or CameraOptions.stall_s (FFmpeg)."""


class WarmUp:
    """Tells when a camera's exposure has converged: the first pictures are dark or glaring.

    Converged is when the mean grey of the last few pictures moves by no more than a little.
    """

    WINDOW: Final = 5
    TOLERANCE: Final = 2.0  # grey levels of 255; sensor noise averages out far below one

    def __init__(self, min_frames: int, max_frames: int) -> None:
        self._min_frames, self._max_frames = min_frames, max_frames
        self._means: deque[float] = deque(maxlen=self.WINDOW)
        self._seen = 0

    def is_over(self, picture: Picture) -> bool:
        """Show it one picture, uint8 (h, w) or (h, w, 3); False while this picture should be dropped."""
        self._seen += 1
        self._means.append(float(picture[::8, ::8].mean()))
        if self._seen > self._max_frames:
            return True
        steady = len(self._means) == self.WINDOW and max(self._means) - min(self._means) <= self.TOLERANCE
        return self._seen > self._min_frames and steady


class CaptureSession:
    """One opening of a source: a thread that opens it, waits for exposure, and holds the picture to be taken next.

    The thread alone touches the capture handle, from opening to release, so that none is ever freed under a read.
    """

    def __init__(self, address: Address, options: CameraOptions, opener: Opener) -> None:
        self._address, self._options, self._opener = address, options, opener
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._held: tuple[Picture, float] | None = None
        self._started = monotonic()
        self.description = ""  # set once the source is open
        self.error: CameraError | None = None
        self.fault: Exception | None = None  # anything that should not happen
        self.finished = False  # the thread fetches no more
        self.keeps_all = False  # a recording: each picture waits until it is taken
        self.announced = 0  # frames that a recording's header tells of
        self.arrived = 0
        self.repeats = 0  # pictures since the last new one that were byte for byte the same
        self.last_new = self._started
        self.notices: deque[str] = deque(maxlen=100)  # single pictures that could not be decoded
        self._watchdog: Watchdog | None = None  # of a live source
        self._cancel: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"{THREAD_NAME} {address.name}", daemon=True)
        self._thread.start()

    def take(self, wait_s: float) -> tuple[Picture, float, int] | None:
        """The held picture, its time and its count, at most once; None when none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._held is not None or self.finished, wait_s)
            if self._held is None:
                return None
            (picture, time_s), self._held = self._held, None
            self._changed.notify_all()
            return picture, time_s, self.arrived

    def trouble(self) -> str:
        """What is wrong with a live source, "" while nothing is."""
        waited = monotonic() - (self.last_new if self.description else self._started)
        if self.error is not None:
            # The advice behind the semicolon is for somebody who starts the command; here it is tried again anyway.
            return str(self.error).removeprefix("camera ").removeprefix(f"{self._address.name}: ").split(";")[0]
        if self.finished:
            return "stopped delivering pictures"
        if not self.description:
            return f"did not open within {self._options.open_s:g} s" if waited > self._options.open_s else ""
        if waited <= self._options.stall_s:
            return ""
        return f"has delivered {'the same picture' if self.repeats else 'nothing'} for {self._options.stall_s:g} s"

    def complaint(self) -> str:
        """What is wrong with the pictures of a live source that does deliver, "" while nothing is."""
        return self._watchdog.complaint(monotonic()) if self._watchdog is not None else ""

    @property
    def is_running(self) -> bool:
        """Whether the thread still lives, and with it the handle."""
        return self._thread.is_alive()

    @property
    def age_s(self) -> float:
        """Seconds since it was started."""
        return monotonic() - self._started

    def stop(self, wait_s: float) -> None:
        """End the thread, which releases the handle; waits wait_s at most."""
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
        if self._cancel is not None:
            self._cancel()
        self._thread.join(wait_s)
        with self._changed:
            if self.finished:
                return
            # A thread that comes back out of OpenCV while Python is being taken down aborts the whole process.
            atexit.register(self._thread.join, EXIT_S)

    def _run(self) -> None:
        capture = None
        try:
            capture = self._opener(self._address, self._options)
            self._cancel = getattr(capture, "cancel", None)
            announced = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            # A stream with a known length is a recording on a server; live ones report 0 or a huge negative number.
            self.announced = int(announced) if not self._address.is_device and 0 < announced < 1e12 else 0
            self.keeps_all = self._address.is_recording or self.announced > 0
            if not self.keeps_all:
                rate = capture.get(cv2.CAP_PROP_FPS) if self._address.is_device else 0.0
                self._watchdog = Watchdog(rate, self._options.stall_s)
            self.last_new = monotonic()
            self.description = describe(capture, self._address, self._options)
            self._fetch(capture)
        except CameraError as error:
            self.error = error
        except (cv2.error, OSError) as error:
            self.error = CameraError(f"{self._address.name}: failed while reading ({error}); check it and start again")
        except Exception as error:  # noqa: BLE001 - a fault of the program must not die unseen in a thread
            self.fault = error
        finally:
            if capture is not None:
                capture.release()
            with self._changed:
                self.finished = True
                self._changed.notify_all()
                atexit.unregister(self._thread.join)

    def _fetch(self, capture: Capture) -> None:
        is_device = self._address.is_device
        warm_up = WarmUp(self._options.warm_up_min_frames, self._options.warm_up_max_frames) if is_device else None
        previous: NDArray[Any] | None = None
        while not self._stopping.is_set():
            picture = self._next_picture(capture)
            if picture is None:
                return
            same = not self.keeps_all and previous is not None and _same(previous, picture)
            # A sensor never gives the same noise twice. What a stream sends again has been sent anew, and counts.
            if same and is_device:
                self.repeats += 1
                self._stopping.wait(PAUSE_S)
                continue
            previous = None if self.keeps_all else picture
            self.repeats, self.last_new = 0, monotonic()
            if warm_up is not None and not warm_up.is_over(picture):
                continue
            warm_up = None
            if self._watchdog is not None:
                self._watchdog.see(picture, self.last_new, same=same)
            self._hold(picture, self._place(capture) if self.keeps_all else self.last_new)

    def _next_picture(self, capture: Capture) -> Picture | None:
        """The next picture that can be decoded; None when there will be none, or the session was stopped meanwhile."""
        failures = 0
        while not self._stopping.is_set():
            asked = monotonic()
            try:
                good, picture = capture.read()
            except InputError as error:  # one file of a folder
                self.notices.append(str(error))
                continue
            if good and picture is not None and picture.size > 0:
                return picture  # type: ignore[no-any-return]
            failures += monotonic() - asked < QUICK_S
            if self.keeps_all or failures >= READ_FAILURES:
                return None
            self._stopping.wait(PAUSE_S)
        return None

    def _hold(self, picture: Picture, time_s: float) -> None:
        with self._changed:
            if self.keeps_all:
                self._changed.wait_for(lambda: self._held is None or self._stopping.is_set())
            self._held = (picture, time_s)
            self.arrived += 1
            self._changed.notify_all()

    def _place(self, capture: Capture) -> float:
        """Seconds into the recording; by count and rate where the file tells no time."""
        told = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        fps = capture.get(cv2.CAP_PROP_FPS)
        return told if told > 0 else self.arrived / (fps if 0 < fps <= 1000 else 25.0)


def is_anything_left() -> bool:
    """Whether the thread of a source that was closed still hangs in a driver, so that taking Python down would have to wait for it."""
    return any(thread.name.startswith(f"{THREAD_NAME} ") for thread in threading.enumerate())


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.shape != other.shape:
        return False
    # A sixteenth of the rows settles nearly every case at a fraction of the cost.
    return np.array_equal(one[::16], other[::16]) and np.array_equal(one, other)
