"""Plays a film as a webcam would deliver it: a frame every thirtieth of a second, whether somebody takes it or not."""

from __future__ import annotations

import time
from typing import Any, Final

import cv2

from edge_digits.errors import CameraError
from edge_digits.sources.address import Address, CameraOptions
from export.films.film import FPS
from export.films.store import StoredFilm

WAITING_FRAMES: Final = 1
"""Frames that the driver of a camera keeps for a slow taker; what is older is lost."""


class PlayedFilm:
    """Stands in for cv2.VideoCapture of a camera; each frame is decoded from its JPEG picture, as of a webcam.

    taken : (time at which the frame was handed over, its number in the film from 0), of the monotonic clock.
    """

    def __init__(self, film: StoredFilm) -> None:
        self._capture = cv2.VideoCapture(str(film.path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise CameraError(f"{film.path}: cannot be opened; make the films again")
        self._next = 0
        self.started_s = 0.0
        self.taken: list[tuple[float, int]] = []

    def due_s(self, frame: int) -> float:
        """When a frame was taken, by the monotonic clock."""
        return self.started_s + frame / FPS

    def read(self) -> tuple[bool, Any]:
        """The next frame that is due, or waits for it; (False, None) at the end."""
        if not self.started_s:
            self.started_s = time.monotonic()
        late = int((time.monotonic() - self.started_s) * FPS) - WAITING_FRAMES - self._next
        for _ in range(late):
            if not self._capture.grab():
                return False, None
            self._next += 1
        wait_s = self.due_s(self._next) - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        good, picture = self._capture.read()
        if good:
            self.taken.append((time.monotonic(), self._next))
            self._next += 1
        return good, picture

    def get(self, prop: int, /) -> float:
        """What a webcam would report."""
        return 0.0 if prop == cv2.CAP_PROP_FRAME_COUNT else float(self._capture.get(prop))

    def set(self, prop: int, value: float, /) -> bool:
        """A film takes no wishes."""
        del prop, value
        return False

    def release(self) -> None:
        """Close the file."""
        self._capture.release()


def opener_of(played: PlayedFilm) -> Any:
    """Opens the film where a Camera opens a device; once."""
    opened: list[PlayedFilm] = []

    def opener(address: Address, options: CameraOptions) -> PlayedFilm:
        del address, options
        if opened:
            raise CameraError("the film is over")
        opened.append(played)
        return played

    return opener
