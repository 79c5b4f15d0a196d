"""Plays a film by its own clock: what is told does not depend on what else the machine is doing.

A frame comes every thirtieth of a film's second; a reading takes as many of them as it takes of the processor, and the
frames meanwhile are followed without it, as on a machine whose second core is free for readings.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import cv2

from edge_digits.errors import InputDecodeError
from edge_digits.live.reading_thread import FrameReader, Job, ReadingThread
from edge_digits.live.watcher import Look, Watcher
from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame
from export.films.film import FPS
from export.films.store import StoredFilm

DECODING_S: Final = 0.006
"""A webcam's JPEG picture of this size is ready so long after it was taken."""


class SimulatedReading(ReadingThread):
    """Reads at once, and lets the reading be taken when it would have been finished."""

    def __init__(self, reader: FrameReader) -> None:
        super().__init__(reader)
        self._frame_reader = reader
        self._finished: tuple[Job, Reading] | None = None
        self._finished_at_s = 0.0
        self.now_s = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether the reading would still be under way, or has not been taken."""
        return self._finished is not None

    def submit(self, job: Job) -> None:
        """Read."""
        began = time.thread_time()
        self._finished = job, self._frame_reader.read_frame(job.live.frame)
        self._finished_at_s = self.now_s + time.thread_time() - began

    def take(self, *, wait: bool = False) -> tuple[Job, Reading] | None:
        """The reading, once its time has come."""
        if self._finished is None or (self.now_s < self._finished_at_s and not wait):
            return None
        done, self._finished = self._finished, None
        return done

    def abandon(self) -> None:
        """Drop it."""
        if self.now_s < self._finished_at_s:
            self._finished = None


def looks_of(film: StoredFilm, reader: FrameReader) -> Iterator[tuple[int, float, Look]]:
    """Everything that is seen of a film: number of the frame, film's time when it was told in seconds, look."""
    capture = cv2.VideoCapture(str(film.path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise InputDecodeError(f"{film.path}: cannot be opened; make the films again")
    reading = SimulatedReading(reader)
    watcher = Watcher(reader, reading=reading)
    for number in range(len(film.poses)):
        good, picture = capture.read()
        if not good:
            break
        reading.now_s = number / FPS + DECODING_S
        look = watcher.look(LiveFrame(Frame.from_array(picture, "0"), number / FPS, number + 1))
        yield number, reading.now_s, look
    capture.release()
