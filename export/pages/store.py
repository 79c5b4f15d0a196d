"""Makes pages in worker processes, each with the data loaded once, and stores them.

Apart from the command: a process that is spawned cannot import the module that was run as a program.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2

from edge_digits.errors import EdgeDigitsError, UsageError
from export.pages.truth import page_object
from export.pages.view import load_sources, make_page

JPEG_QUALITY: Final = 95
"""The picture has its own traces of compression already; storing it shall add none that can be seen."""

_worker: dict[str, Any] = {}


def start_worker(data: Path, fonts: Path | None, split: Any) -> None:
    """Load what pages are made of."""
    cv2.setNumThreads(1)
    _worker.clear()
    try:
        _worker["sources"] = load_sources(data, fonts, split)
    except EdgeDigitsError as error:
        # Raised with the first page: an error in a worker's start would only be told as a broken pool.
        _worker["error"] = error


def make_in_worker(out: Path, seed: int, only: str | None, index: int) -> dict[str, Any]:
    """Make one page, of one kind where one is named, store its picture, and give what stands on it.

    Raises UsageError, and what loading the data raised.
    """
    if "error" in _worker:
        raise _worker["error"]
    photo = make_page(_worker["sources"], seed, index, only=only)
    name = f"pages/{index:06d}.jpg"
    write_whole(out / name, cv2.imencode(".jpg", photo.picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
    return page_object(photo, name)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises UsageError."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another --out") from error
