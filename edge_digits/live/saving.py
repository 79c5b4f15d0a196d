"""Keeps what was settled: the picture, the picture with its digits drawn on, the JSON, and a crop of each number.

A file is written whole or not at all, and none is overwritten. A disk that is full ends nothing: it is told once, and
again when there is room.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import UsageError
from edge_digits.reading.draw import annotate
from edge_digits.reading.reading import Box, Reading
from edge_digits.sources.frame import Frame

CROP_MARGIN: Final = 0.25
"""Paper kept around a number, in heights of the number."""


def make_folder(folder: Path, option: str = "--save") -> None:
    """Make the folder and make sure that it can be written to. Raises UsageError that names the option."""
    trial = folder / ".edge-digits-trial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{option} {folder}: cannot be written to ({reason}); give a folder you may write to") from error


def crop_of(frame: Frame, box: Box) -> NDArray[np.uint8]:
    """The frame's own pixels around a number; uint8 (h, w) or (h, w, 3), at least one pixel."""
    x, y, w, h = box
    margin = round(CROP_MARGIN * h)
    top, left = min(max(0, y - margin), frame.height - 1), min(max(0, x - margin), frame.width - 1)
    return frame.picture[top : max(top + 1, y + h + margin), left : max(left + 1, x + w + margin)]


class Keeper:
    """Writes into one folder. report : is told in one line when something could not be kept, and when that is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lost = 0

    def keep_page(self, frame: Frame, reading: Reading, entry: dict[str, Any]) -> Path | None:
        """Write NAME.png, NAME-read.png and NAME.json; NAME is the time of day. Returns the path of the plain picture.

        None when the folder has gone or the disk is full; then no part of it is left behind.
        """
        stem = self._free_stem("")
        path = self.folder / f"{stem}.png"
        with self._told("page"):
            files = {
                path: _png(frame.picture),
                self.folder / f"{stem}-read.png": _png(annotate(frame, reading)),
                self.folder / f"{stem}.json": (json.dumps(entry, ensure_ascii=False) + "\n").encode(),
            }
            _write_all(files)
            return path
        return None

    def keep_crop(self, frame: Frame, box: Box, identity: int) -> Path | None:
        """Write the crop of a number. Returns its path, None when it could not be kept."""
        path = self.folder / f"{self._free_stem(f'-number-{identity}')}-number-{identity}.png"
        with self._told("crop"):
            _write_all({path: _png(crop_of(frame, box))})
            return path
        return None

    def _free_stem(self, ending: str) -> str:
        """The time of day, counted on where a file of it is there already."""
        now = stem = _time_of_day()
        counted = 1
        while (self.folder / f"{stem}{ending}.png").exists():
            counted += 1
            stem = f"{now}-{counted}"
        return stem

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._lost += 1
            if self._lost == 1:
                reason = error.strerror or error
                print(f"edge-digits: {self.folder}: {what} not saved ({reason}); make room or check the folder", file=sys.stderr)
        else:
            if self._lost:
                print(f"edge-digits: {self.folder}: saving goes on, {self._lost} times it could not", file=sys.stderr)
            self._lost = 0


def _time_of_day() -> str:
    return datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")


def _png(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def _write_all(files: dict[Path, bytes]) -> None:
    """Write all files or none. Raises OSError."""
    unfinished = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished[path].open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, part in unfinished.items():
            part.replace(path)
    except OSError:
        for part in unfinished.values():
            part.unlink(missing_ok=True)
        raise
