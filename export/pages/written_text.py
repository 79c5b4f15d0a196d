"""Words that people really wrote, cut out of photographed pages of running text on which no digit stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.data.folder import DataError
from export.data.orand import ink_of_string
from export.pages.canvas import Canvas
from export.pages.digit_source import Split
from export.pages.pens import Pen

TEXT_PAGES: Final = (
    "breta_text1", "breta_text2", "breta_text3", "breta_text4", "breta_text5",
    "breta_test2", "breta_test3", "breta_test4", "breta_page09",
)  # fmt: skip
"""Looked through: words alone, no digit."""
VALIDATION_PAGES: Final = ("breta_text5",)

_WORD_GAP_PX: Final = 9
_LEAST_PX: Final = 9
_TALLEST_PX: Final = 90
_RIM_SHARE: Final = 0.06


@dataclass(frozen=True, slots=True)
class WordSet:
    """Words of one page, so of one hand. words : uint8 (h, w) each, ink up to 255. height_px : the usual height of a word."""

    words: tuple[NDArray[np.uint8], ...]
    height_px: float


def load_words(folder: Path, split: Split) -> tuple[WordSet, ...]:
    """The words of each page of TEXT_PAGES that lies in folder/paper; none where none does. Raises DataError."""
    found = []
    for name in TEXT_PAGES:
        path = folder / "paper" / f"{name}.jpg"
        if not path.is_file() or (name in VALIDATION_PAGES) != (split == "validation"):
            continue
        grey = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise DataError(f"{path}: no picture; fetch it again")
        words = cut_words(np.asarray(grey, np.uint8))
        if len(words) > 10:
            found.append(WordSet(tuple(words), float(np.median([word.shape[0] for word in words]))))
    return tuple(found)


def cut_words(grey: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The words of a page, uint8 (h, w), dark pen on light paper; single letters and what lies at its rim are left out."""
    ink = _ink_of_page(grey)
    mask = cv2.threshold(ink, 110, 255, cv2.THRESH_BINARY)[1]
    joined = cv2.dilate(mask, np.ones((3, _WORD_GAP_PX), np.uint8))
    count, components, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    height, width = grey.shape
    found = []
    for index in range(1, count):
        x, y, w, h, _ = (int(value) for value in stats[index])
        inside = (
            x > width * _RIM_SHARE and x + w < width * (1 - _RIM_SHARE) and y > height * _RIM_SHARE and y + h < height * (1 - _RIM_SHARE)
        )
        if not inside or not _LEAST_PX <= h - 2 <= _TALLEST_PX or w < h * 1.15 or w > 8 * h:
            continue
        own = (components[y : y + h, x : x + w] == index).astype(np.uint8)
        word = np.asarray(cv2.bitwise_and(ink[y : y + h, x : x + w], ink[y : y + h, x : x + w], mask=own), np.uint8)
        if 0.03 < float((word > 128).mean()) < 0.5:
            found.append(word)
    return found


def _ink_of_page(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As of a string, but with paper found on a small picture: a page is large."""
    small = np.asarray(cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), np.uint8)
    paper = cv2.medianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), 9)
    flat = 255 - np.asarray(cv2.subtract(cv2.resize(paper, (grey.shape[1], grey.shape[0])), grey), np.uint8)
    return ink_of_string(flat)


def write_words(canvas: Canvas, words: WordSet, pen: Pen, place: tuple[float, float, float], room: float, rng: np.random.Generator) -> None:
    """Strings words of one hand from place (x, middle y, height of a word, in pixels) on, as many as fit into so many pixels."""
    x, y, height = place
    scale = height / words.height_px
    stretch, slant = float(np.exp(rng.normal(0, 0.08))), float(rng.normal(0, 0.08))
    first = int(rng.integers(len(words.words)))
    end = x + room
    for index in range(40):
        word = words.words[(first + index) % len(words.words)]
        h, w = word.shape[0] * scale, word.shape[1] * scale * stretch
        if x + w > end:
            return
        top = y - h / 2 + float(rng.normal(0, height * 0.04))
        corners = np.array([[x + slant * h, top, 1], [x + w + slant * h, top, 1], [x, top + h, 1]], np.float32)
        drawn = canvas.layer(pen).draw_bitmap(word, corners)
        canvas.add_clutter("word", canvas.clip(drawn)[0] if drawn is not None else None)
        x += w + height * float(rng.uniform(0.3, 0.9))
