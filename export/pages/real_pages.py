"""Real photographs with known digits: cheque fields with a box for each digit, and pages of text without any.

They are seen at other sizes and in other light each time, so that a few hundred pictures stand for many.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.data.folder import DataError
from export.data.orand import ChequeField, load_orand_strings
from export.pages.sheet import WrittenDigit
from export.pages.view import Photograph

TEXT_PAGES: Final = (
    "paper/breta_*.jpg",
    "scenes/dewarp_*.jpg",
    "scenes/desk_notepad.jpg",
    "paper/brenda_t0[134578].jpg",
    "paper/donut_*.jpg",
)
"""Photographs of handwriting, print or bare paper that hold hardly any written digit."""
TEXT_SHARE: Final = 0.45
KEPT_ASIDE_ONE_IN: Final = 10
SIZES: Final = (0.6, 2.2)


@dataclass(frozen=True, slots=True)
class RealPages:
    """fields : cheque fields. texts : uint8 (h, w) pictures without digits."""

    fields: tuple[ChequeField, ...]
    texts: tuple[NDArray[np.uint8], ...]


def load_real_pages(data: Path, split: str) -> RealPages:
    """Every tenth picture of each kind is for split "validation", the others for "train". Raises DataError."""
    wanted = split == "validation"
    fields = [f for at, f in enumerate(load_orand_strings(data, "train")) if (at % KEPT_ASIDE_ONE_IN == 0) == wanted]
    if not fields:
        raise DataError(f"{data}: too few cheque fields for split {split}; fetch orand_car_a again")
    texts = []
    paths = sorted(path for pattern in TEXT_PAGES for path in data.glob(pattern))
    for path in [p for at, p in enumerate(paths) if (at % KEPT_ASIDE_ONE_IN == 0) == wanted]:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise DataError(f"{path}: is no picture; fetch it again")
        texts.append(np.asarray(picture, np.uint8))
    return RealPages(tuple(fields), tuple(texts))


def make_real_page(pages: RealPages, seed: int, index: int, text_share: float = TEXT_SHARE) -> Photograph:
    """Picture `index` of a seed: a cheque field, or, for text_share of them, a part of a page of text."""
    rng = np.random.default_rng((seed, index, 2))
    if pages.texts and rng.random() < text_share:
        return _text(pages.texts[int(rng.integers(len(pages.texts)))], rng)
    return _cheque(pages.fields[int(rng.integers(len(pages.fields)))], rng)


def _text(picture: NDArray[np.uint8], rng: np.random.Generator) -> Photograph:
    height, width = picture.shape
    h, w = (int(side * rng.uniform(0.35, 1.0)) for side in (height, width))
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    scale = float(rng.uniform(0.7, 1.3))
    part = cv2.resize(picture[top : top + h, left : left + w], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Photograph(_relit(np.asarray(part, np.uint8), rng), (), (), "text", "page", ())


def _cheque(field: ChequeField, rng: np.random.Generator) -> Photograph:
    scale = float(np.exp(rng.uniform(*np.log(SIZES))))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(field.grey, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    across, down = picture.shape[1] / field.grey.shape[1], picture.shape[0] / field.grey.shape[0]
    boxes = [(x * across, y * down, w * across, h * down) for x, y, w, h, _ in field.boxes]
    digits = tuple(WrittenDigit(box[4], place, 0, 0) for box, place in zip(field.boxes, boxes, strict=True))
    return Photograph(_relit(picture, rng), digits, (), "cheque", "crop", (field.digits,))


def _relit(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Other contrast, sharpness and noise."""
    changed = picture.astype(np.float32) * float(rng.uniform(0.75, 1.05)) + float(rng.uniform(-10, 20))
    if rng.random() < 0.4:
        changed = cv2.GaussianBlur(changed, (0, 0), float(rng.uniform(0.4, 1.2)))
    changed += rng.normal(0, float(rng.uniform(0, 5)), changed.shape).astype(np.float32)
    return np.clip(changed, 0, 255).astype(np.uint8)
