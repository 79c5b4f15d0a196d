"""The camera of the machine that serves: one thread reads it while somebody looks, and all who look see the same.

It is opened by the first look and given back when nobody has looked for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from edge_digits.errors import EdgeDigitsError
from edge_digits.reader import Reader
from edge_digits.sources.camera import Camera, LiveFrame
from edge_digits.web.judging import as_data_url

IDLE_S: Final = 8.0
SHOWN_PX: Final = 1280
CLOSE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest picture that was read.

    number : counts pictures from 1, over all openings. reading : JSON object of `edge-digits read`, with the "picture".
    """

    number: int
    reading: dict[str, Any]


def open_camera(source: str) -> AbstractContextManager[Any]:
    """The camera of that name, as `edge-digits watch` opens it. Raises CameraError."""
    return Camera(source)


class DeviceCamera:
    """Reads a camera for whoever looks. Safe to use from several threads.

    source : as for `edge-digits watch`. opener : opens it; doubles take its place in tests.
    """

    def __init__(self, source: str, reader: Reader, opener: Callable[[str], AbstractContextManager[Any]] = open_camera) -> None:
        self.source = source
        self._reader, self._opener = reader, opener
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._looked_at = monotonic()
        self._newest: Seen | None = None
        self._number = 0
        self._error: EdgeDigitsError | None = None

    def look(self) -> Seen | None:
        """The newest picture and its reading; None until the first one came. Never waits.

        Raises what ended the camera, once; the next look opens it anew.
        """
        with self._lock:
            self._looked_at = monotonic()
            error, self._error = self._error, None
            if error is not None:
                raise error
            if self._thread is None:
                self._newest = None
                self._stopping.clear()
                self._thread = threading.Thread(target=self._watch, name="device camera", daemon=True)
                self._thread.start()
            return self._newest

    def close(self) -> None:
        """Give the camera back."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join(CLOSE_S)

    def _watch(self) -> None:
        try:
            with self._opener(self.source) as camera:
                while not self._stopping.is_set() and monotonic() - self._looked_at < IDLE_S and not camera.ended:
                    frame = camera.next_frame()
                    if frame is not None:
                        self._read(frame)
        except EdgeDigitsError as error:
            self._error = error
        finally:
            with self._lock:
                self._thread = None

    def _read(self, live: LiveFrame) -> None:
        reading = self._reader.read_frame(live.frame).to_dict()
        reading["picture"] = as_data_url(live.frame.picture, SHOWN_PX)
        self._number += 1
        with self._lock:
            self._newest = Seen(self._number, {**reading, "frame": self._number})
