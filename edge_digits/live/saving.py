"""Keeps what was settled: the picture, the picture with its digits drawn on, and the JSON, side by side in a folder."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2

from edge_digits.errors import UsageError
from edge_digits.reading.draw import annotate
from edge_digits.reading.reading import Reading
from edge_digits.sources.frame import Frame


def make_folder(folder: Path) -> None:
    """Make the folder and make sure that it can be written to. Raises UsageError."""
    trial = folder / ".edge-digits-trial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--save {folder}: cannot be written to ({reason}); give a folder you may write to") from error


def save_page(folder: Path, frame: Frame, reading: Reading, entry: dict[str, Any]) -> Path:
    """Write NAME.png, NAME-read.png and NAME.json; NAME is the time of day, so that nothing is overwritten.

    Returns the path of the plain picture. Raises OSError when the folder has gone or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")
    path = folder / f"{stem}.png"
    for target, picture in ((path, frame.picture), (folder / f"{stem}-read.png", annotate(frame, reading))):
        good, data = cv2.imencode(".png", picture)
        if not good:
            raise OSError(f"{target}: picture cannot be encoded")
        target.write_bytes(data.tobytes())
    (folder / f"{stem}.json").write_text(json.dumps(entry, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
