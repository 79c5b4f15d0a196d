"""A source of frames from memory and a reader that knows what they show, for the loop of `watch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame
from tests.doubles.pages import Picture, draw_page, number, reading, with_noise

BOX = (80, 80, 200, 60)
FPS = 25


class Film:
    """A source that gives frames from memory, each showing one number or none.

    texts : of each frame, "" for an empty sheet; the last one for ever. on_frame : is called before each with its number.
    """

    def __init__(
        self,
        length: int,
        texts: Sequence[str] = ("4072",),
        on_frame: Callable[[int], None] = lambda _: None,
        *,
        recording: bool = True,
    ) -> None:
        self.announced_frames, self.is_recording, self.ended = length, recording, False
        self._texts, self._on_frame, self._given = texts, on_frame, 0
        self._pages: dict[str, Picture] = {}

    @property
    def text(self) -> str:
        """What the frame given last shows."""
        return self._texts[min(self._given, len(self._texts)) - 1]

    def next_frame(self, wait_s: float) -> LiveFrame | None:
        if self._given >= self.announced_frames:
            self.ended = True
            return None
        self._given += 1
        self._on_frame(self._given)
        if self.text not in self._pages:
            self._pages[self.text] = draw_page({BOX[:2]: self.text} if self.text else {}, (240, 480), BOX[3])
        picture = with_noise(self._pages[self.text], self._given)
        return LiveFrame(Frame.from_array(np.asarray(picture, np.uint8), "film"), self._given / FPS, self._given)


class FilmReader:
    """Reads what the frame given last shows, and counts how often it is asked."""

    def __init__(self, film: Film, confidence: float = 0.99) -> None:
        self._film, self._confidence = film, confidence
        self.read = 0

    def read_frame(self, frame: Frame) -> Reading:
        self.read += 1
        return reading([number(self._film.text, BOX, self._confidence)] if self._film.text else [])
