"""The pictures of pages once more, for tables that show what was read: opened again, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputError
from edge_digits.options import SourceOptions
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

Picture = NDArray[np.uint8]


class PagePictures:
    """Gives the picture of each entry; pages of one document in their order are decoded once."""

    def __init__(self) -> None:
        self._source = ""
        self._frames: Iterator[Frame] = iter(())
        self._last: Frame | None = None

    def picture(self, entry: Mapping[str, Any]) -> Picture | None:
        """The page as it was read, uint8 (height, width) or (height, width, 3) BGR; None where the file is gone or has changed."""
        frame = self._frame(entry["source"], entry["page"])
        if frame is None:
            return None
        width, height = entry["width"], entry["height"]
        if (frame.width, frame.height) == (width, height):
            return frame.picture
        # A document was read at another resolution: the same page, if its shape is the same.
        if abs(frame.width * height - frame.height * width) > 0.01 * frame.height * width:
            return None
        return np.asarray(cv2.resize(frame.picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def _frame(self, source: str, page: int) -> Frame | None:
        last = self._last
        if source != self._source or (last is not None and last.page > page):
            self._source, self._frames, self._last = source, self._open(source), None
        while self._last is None or self._last.page < page:
            try:
                self._last = next(self._frames, None)
            except (InputError, OSError):
                self._last = None
            if self._last is None:
                return None
        return self._last if self._last.page == page else None

    def _open(self, source: str) -> Iterator[Frame]:
        try:
            return open_frames(source, SourceOptions())
        except (InputError, OSError):
            return iter(())


def cut(picture: Picture, box: tuple[int, int, int, int] | list[int], margin_share: float = 0.15) -> Picture:
    """The part of a picture around a box with a margin, in heights of the box; one pixel of paper where the box lies outside."""
    x, y, width, height = box
    margin = max(2, round(margin_share * height))
    part = picture[max(0, y - margin) : max(0, y + height + margin), max(0, x - margin) : max(0, x + width + margin)]
    return np.ascontiguousarray(part) if part.size else np.full((1, 1), 255, np.uint8)
