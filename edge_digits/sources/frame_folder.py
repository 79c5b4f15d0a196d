"""A folder of pictures played as a recording, in the order of their names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import cv2

from edge_digits.errors import CameraError, InputError
from edge_digits.options import SourceOptions
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


class FolderCapture:
    """Gives the pictures of a folder one by one, upright by their own metadata; of a TIFF its first page.

    `read` raises InputError for one that cannot be decoded; the next `read` goes on after it.
    """

    def __init__(self, folder: Path, fps: float) -> None:
        """List the folder. fps : frames a second that its pictures count as. Raises CameraError."""
        try:
            names = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
        except OSError as error:
            raise CameraError(f"{folder}: cannot be listed ({error.strerror or error}); change its mode or owner") from error
        if not names:
            kinds = ", ".join(suffix.lstrip(".") for suffix in SUFFIXES)
            raise CameraError(f"{folder}: no pictures in this folder; put frames into it ({kinds}), or give a video file")
        self._paths = sorted(names, key=_by_number)
        self._fps, self._next = fps, 0
        self._size = (0, 0)

    def read(self) -> tuple[bool, Any]:
        """The next picture; False after the last."""
        if self._next >= len(self._paths):
            return False, None
        self._next += 1
        frame: Frame = next(open_frames(self._paths[self._next - 1], SourceOptions()))
        self._size = (frame.width, frame.height)
        return True, frame.picture

    def get(self, prop: int, /) -> float:
        """Number of pictures, rate, place; the size is that of the first picture that can be read."""
        if prop in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT):
            return float(self._peek_size()[prop == cv2.CAP_PROP_FRAME_HEIGHT])
        known = {
            cv2.CAP_PROP_FRAME_COUNT: float(len(self._paths)),
            cv2.CAP_PROP_FPS: self._fps,
            cv2.CAP_PROP_POS_MSEC: max(0, self._next - 1) / self._fps * 1000.0,
        }
        return known.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        """Nothing can be asked of files."""
        del prop, value
        return False

    def release(self) -> None:
        """Nothing is held open."""

    def _peek_size(self) -> tuple[int, int]:
        if self._size == (0, 0):
            for path in self._paths:
                try:
                    frame = next(open_frames(path, SourceOptions()))
                except InputError:
                    continue
                self._size = (frame.width, frame.height)
                break
        return self._size


def _by_number(path: Path) -> list[tuple[int, int, str]]:
    """Sorts frame9 before frame10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", path.name)]
