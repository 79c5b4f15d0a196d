"""ORAND-CAR-A: digit strings of bank cheques, whole or cut into single digits by their boxes.

The strings lie on a printed pattern, so paper has to become 0 first; what stays of neighbours and pattern at a box's
rim is left in, because a reader of real paper meets it too.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.data.folder import DataError
from export.data.glyphs import GlyphSet

# Ink at least this many grey levels darker than the paper around it counts as pen at all.
LEAST_CONTRAST: Final = 24.0


@dataclass(frozen=True, slots=True)
class ChequeField:
    """One field of a cheque. name : file in the archive. grey : uint8 (h, w) as scanned. digits : "0".."9", left to right.

    boxes : x, y, w, h in pixels of grey, and the digit, for each.
    """

    name: str
    grey: NDArray[np.uint8]
    digits: str
    boxes: tuple[tuple[float, float, float, float, int], ...]


def load_orand(folder: Path, part: str) -> GlyphSet:
    """Single digits of the strings; part is "train" or "val". Raises DataError."""
    glyphs: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for string in load_orand_strings(folder, part):
        ink = ink_of_string(string.grey)
        for *box, digit in string.boxes:
            glyph = _cut(ink, box)
            if glyph.size and int(glyph.max()) >= 128:
                glyphs.append(glyph)
                labels.append(digit)
    return GlyphSet(f"orand_{part}", glyphs, np.array(labels, np.uint8))


def load_orand_strings(folder: Path, part: str) -> list[ChequeField]:
    """The whole strings, in the order of their names; part is "train" or "val". Raises DataError."""
    path = folder / "orand_car_a" / "orand_car_a.zip"
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            strings: dict[str, dict[str, Any]] = json.loads(archive.read("labels.json"))
            for name in sorted(n for n in strings if n.startswith(f"{part}/")):
                grey = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)
                if grey is None:
                    raise DataError(f"{path}: {name} is no picture; fetch the archive again")
                boxes = tuple((*box[:4], int(box[4])) for box in strings[name]["boxes_xywh_digit"])
                found.append(ChequeField(name, np.asarray(grey, np.uint8), strings[name]["string"], boxes))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; see export/README.md for the layout of a data folder") from error
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    return found


def ink_of_string(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """grey : uint8 (h, w), dark pen on light paper. Returns uint8 (h, w), ink up to 255, paper 0."""
    side = max(15, grey.shape[0] // 2) | 1
    paper = cv2.medianBlur(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)), 15).astype(np.float32)
    darkness = np.clip(paper - grey, 0, None)
    level, _ = cv2.threshold(np.clip(darkness, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    middle = max(float(level), LEAST_CONTRAST)
    # From half the Otsu level (paper) to one and a half (full ink): soft edges stay soft.
    ink = (darkness - 0.6 * middle) * (255.0 / (0.9 * middle))
    return np.clip(ink, 0, 255).astype(np.uint8)


def _cut(ink: NDArray[np.uint8], box: Sequence[float]) -> NDArray[np.uint8]:
    x, y, w, h = box
    left, top = max(0, round(x)), max(0, round(y))
    return np.ascontiguousarray(ink[top : max(top, round(y + h)), left : max(left, round(x + w))])
