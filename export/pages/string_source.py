"""Whole numbers that people wrote on cheques, with a box a digit: real touching, joined and open digits."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from export.data.folder import DataError
from export.data.orand import ink_of_string
from export.pages.digit_source import VALIDATION_ONE_IN, Split
from export.pages.sheet import Box


@dataclass(frozen=True, slots=True)
class WrittenString:
    """ink : uint8 (h, w), ink up to 255, paper 0. digits : value and box of each, in pixels of ink, from left to right."""

    ink: NDArray[np.uint8]
    digits: tuple[tuple[int, Box], ...]


def load_strings(folder: Path, split: Split) -> tuple[WrittenString, ...]:
    """The training strings of ORAND-CAR-A, every tenth by hash for validation; empty where the folder has none. Raises DataError."""
    path = folder / "orand_car_a" / "orand_car_a.zip"
    if not path.is_file():
        return ()
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            labels: dict[str, dict[str, Any]] = json.loads(archive.read("labels.json"))
            for name in sorted(name for name in labels if name.startswith("train/")):
                content = archive.read(name)
                aside = hashlib.sha256(content).digest()[3] % VALIDATION_ONE_IN == 0
                if aside != (split == "validation"):
                    continue
                string = _string(content, labels[name]["boxes_xywh_digit"])
                if string is not None:
                    found.append(string)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    return tuple(found)


def _string(content: bytes, boxes: list[list[float]]) -> WrittenString | None:
    grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None or not boxes:
        return None
    ink = without_specks(ink_of_string(np.asarray(grey, np.uint8)))
    digits = tuple(sorted(((int(box[4]), (box[0], box[1], box[2], box[3])) for box in boxes), key=lambda each: each[1][0]))
    return WrittenString(ink, digits)


def without_specks(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink without what the printed pattern left: everything whose darkest core is small."""
    count, components, stats, _ = cv2.connectedComponentsWithStats(cv2.threshold(ink, 90, 255, cv2.THRESH_BINARY)[1], connectivity=8)
    if count < 2:
        return ink
    small = stats[:, cv2.CC_STAT_AREA] < max(8, 0.004 * ink.size)
    small[0] = True
    kept = cv2.dilate((~small).astype(np.uint8)[components], np.ones((3, 3), np.uint8))
    return np.asarray(cv2.bitwise_and(ink, ink, mask=kept), np.uint8)
