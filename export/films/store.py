"""Films on disk: an MJPG file each, as a webcam delivers its pictures, and one JSON line of truth each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError, UsageError
from export.films.film import FPS, HEIGHT_PX, WIDTH_PX, Take, TrueNumber, prepare, render
from export.pages.digit_source import Split
from export.pages.sheet import Box
from export.pages.view import Sources, load_sources

JPEG_QUALITY: Final = 90
TRUTH_NAME: Final = "films.jsonl"


@dataclass(frozen=True, slots=True)
class StoredFilm:
    """A film and its truth.

    other_marks : kind and box, in pixels of the sheet, of what stands there beside the numbers; faint numbers among it.
    poses : float64 (frames, 3, 3), from pixels of the sheet to those of each frame. rest_s, leave_s : when the sheet has come to
    lie still, and when it begins to go, seconds from the first frame. disturbances : (kind, from, to).
    """

    path: Path
    kind: str
    numbers: tuple[TrueNumber, ...]
    other_marks: tuple[tuple[str, Box], ...]
    poses: NDArray[np.float64]
    rest_s: float
    leave_s: float
    disturbances: tuple[tuple[str, float, float], ...]


def store_film(folder: Path, sources: Sources, seed: int, index: int) -> dict[str, Any]:
    """Render film `index` of a seed into a folder. Returns its line of truth. Raises UsageError when it cannot be written."""
    film = prepare(sources, seed, index)
    path = folder / f"{index:04d}.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH_PX, HEIGHT_PX))
    if not writer.isOpened():
        raise UsageError(f"{path}: cannot be written as MJPG; give another --out")
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, JPEG_QUALITY)
    for picture in render(film, sources, index):
        writer.write(picture)
    writer.release()
    return _truth(film, path.name)


_worker: dict[str, Sources] = {}


def start_worker(data: Path, fonts: Path | None, split: Split) -> None:
    """Prepare a process that makes films. Here, because what a spawned process starts with cannot stand in a `__main__`."""
    cv2.setNumThreads(1)
    _worker["sources"] = load_sources(data, fonts, split)


def make_in_worker(folder: Path, seed: int, index: int) -> dict[str, Any]:
    """The same as store_film, with the sources of this process."""
    return store_film(folder, _worker["sources"], seed, index)


def load_films(folder: Path) -> list[StoredFilm]:
    """The finished films of a folder, in order. Raises InputDecodeError, UsageError."""
    try:
        lines = (folder / TRUTH_NAME).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{folder}: holds no films ({error.strerror}); make some with `python -m export.films render`") from error
    try:
        return sorted((_loaded(folder, json.loads(line)) for line in lines), key=lambda film: film.path)
    except (ValueError, KeyError, TypeError) as error:
        raise InputDecodeError(f"{folder / TRUTH_NAME}: is damaged ({error}); make the films again") from error


def _truth(film: Take, name: str) -> dict[str, Any]:
    choreography = film.choreography
    return {
        "film": name,
        "kind": film.sheet.kind,
        "rest_s": choreography.rest_s,
        "leave_s": choreography.back,
        "disturbances": [list(each) for each in choreography.disturbances],
        "numbers": [[[digit, [round(v, 2) for v in box]] for digit, box in number.digits] for number in film.numbers],
        "other_marks": [[kind, [round(v, 2) for v in box]] for kind, box in film.other_marks],
        "poses": [[float(f"{v:.8g}") for v in film.pose(frame).ravel()] for frame in range(film.length)],
    }


def _loaded(folder: Path, entry: dict[str, Any]) -> StoredFilm:
    numbers = tuple(TrueNumber(tuple((digit, tuple(box)) for digit, box in digits)) for digits in entry["numbers"])
    poses = np.array(entry["poses"], np.float64).reshape(-1, 3, 3)
    disturbances = tuple((str(kind), float(start), float(end)) for kind, start, end in entry["disturbances"])
    marks = tuple((str(kind), tuple(box)) for kind, box in entry["other_marks"])
    return StoredFilm(folder / entry["film"], entry["kind"], numbers, marks, poses, entry["rest_s"], entry["leave_s"], disturbances)
