"""A source of frames from memory and a reader that reads by script, for the loop of `watch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame
from tests.doubles.pages import draw_page, with_noise


class Film:
    """A source that gives frames from memory. on_frame : is called before each with its number."""

    def __init__(self, length: int, on_frame: Callable[[int], None] = lambda _: None, *, recording: bool = True) -> None:
        self.announced_frames, self.is_recording, self.ended = length, recording, False
        self._on_frame, self._given = on_frame, 0
        self._page = draw_page({(80, 80): "4072"}, (240, 480), 60)

    def next_frame(self, wait_s: float) -> LiveFrame | None:
        if self._given >= self.announced_frames:
            self.ended = True
            return None
        self._given += 1
        self._on_frame(self._given)
        picture = with_noise(self._page, self._given)
        return LiveFrame(Frame.from_array(np.asarray(picture, np.uint8), "film"), self._given / 25, self._given)


class ScriptedReader:
    """Gives prepared readings, the last one for ever."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = list(readings)
        self.read = 0

    def read_frame(self, frame: Frame) -> Reading:
        chosen = self._readings[min(self.read, len(self._readings) - 1)]
        self.read += 1
        return chosen
