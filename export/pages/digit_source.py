"""Real digits for generated pages: by set, with the strokes of each found once, and a tenth kept aside for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from export.data.folder import OPTIONAL_TRAINING_SETS, DataError, crop_to_ink, load_mnist
from export.data.glyphs import GlyphSet
from export.data.orand import load_orand
from export.pages.strokes import TracedSign, trace_sign

Split = Literal["train", "validation"]

VALIDATION_ONE_IN: Final = 10
"""One training digit in so many, by hash of its picture, is written on validation pages alone."""

SET_WEIGHTS: Final = {"mnist": 0.46, "chen": 0.24, "orand": 0.16, "optdigits": 0.09, "usps": 0.05}
"""How many writers take their digits from each set: small sets are drawn on more than their size asks, for their countries' forms."""

_CRUMB_SHARE: Final = 0.08
_RIM_CRUMB_SHARE: Final = 0.35
_MOST_STROKES: Final = 5
"""More strokes than that are a torn outline or a printed pattern."""
_LOOP_PENS: Final = {0: 0.2, 6: 0.1, 8: 0.1}
"""Digit -> pen in heights that must close its loop: a 0 left wide open is a U when a thin pen writes it, a 6 without a loop nothing."""
_BLOT_RADII: Final = 1.7
"""Where the line is so much wider than its median, a loop has run full: its path would lose the loop."""


@dataclass(slots=True)
class DigitSet:
    """Digits of one set and one split.

    glyphs : uint8 (h, w) each, cropped to the ink, ink up to 255. by_digit : indices of each digit's glyphs.
    slants : float32 (n,), how far the top leans right, in heights.
    """

    name: str
    glyphs: list[NDArray[np.uint8]]
    by_digit: tuple[NDArray[np.intp], ...]
    slants: NDArray[np.float32]
    _traced: dict[int, TracedSign | None] = field(default_factory=dict)

    def traced(self, index: int, digit: int) -> TracedSign | None:
        """The strokes of a glyph of this digit; None where they would not show what was written."""
        if index not in self._traced:
            self._traced[index] = _trustworthy(trace_sign(self.glyphs[index]), digit)
        return self._traced[index]


def load_digits(folder: Path, split: Split) -> tuple[DigitSet, ...]:
    """The digit sets of a data folder: MNIST always, the others where they lie there. Raises DataError."""
    sets = [load_mnist(folder, "train")]
    loaders: dict[str, Callable[[Path], GlyphSet]] = dict(OPTIONAL_TRAINING_SETS)
    loaders["orand_car_a"] = lambda at: load_orand(at, "train")
    sets += [load(folder) for name, load in loaders.items() if (folder / name).is_dir()]
    found = tuple(each for each in (_of_split(each, split) for each in sets) if all(len(indices) for indices in each.by_digit))
    if not found:
        raise DataError(f"{folder}: no set holds all ten digits for split {split}; give a folder with the whole of MNIST")
    return found


def _of_split(glyphs: GlyphSet, split: Split) -> DigitSet:
    aside = [hashlib.sha256(np.ascontiguousarray(glyph).tobytes()).digest()[3] % VALIDATION_ONE_IN == 0 for glyph in glyphs.glyphs]
    return digit_set(glyphs.take(np.array(aside, bool) == (split == "validation"), glyphs.name))


def digit_set(glyphs: GlyphSet) -> DigitSet:
    """The digits of a set that are large enough to be written, cropped to their ink."""
    kept, labels = [], []
    for glyph, label in zip(glyphs.glyphs, glyphs.labels, strict=True):
        ink = crop_to_ink(without_crumbs(glyph))
        if min(ink.shape) >= 2 and max(ink.shape) >= 8:
            kept.append(ink)
            labels.append(int(label))
    by_digit = tuple(np.flatnonzero(np.array(labels) == digit) for digit in range(10))
    return DigitSet(glyphs.name.split("_")[0], kept, by_digit, np.array([lean(ink) for ink in kept], np.float32))


def without_crumbs(glyph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A glyph without specks, and without what its neighbours left at its left and right rim."""
    mask = cv2.threshold(glyph, 100, 255, cv2.THRESH_BINARY)[1]
    count, components, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return glyph
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float32)
    areas[0] = 0
    share = areas / areas.max()
    left = stats[:, cv2.CC_STAT_LEFT]
    at_rim = (left == 0) | (left + stats[:, cv2.CC_STAT_WIDTH] >= glyph.shape[1])
    crumb = (share < _CRUMB_SHARE) | (at_rim & (share < _RIM_CRUMB_SHARE))
    crumb[0] = True
    if not (crumb[1:]).any():
        return glyph
    kept = cv2.dilate((~crumb).astype(np.uint8)[components], np.ones((3, 3), np.uint8))
    return cv2.bitwise_and(glyph, glyph, mask=kept)  # type: ignore[return-value]


def lean(ink: NDArray[np.uint8]) -> float:
    """How far the top of a sign leans to the right of its foot, in heights, by its second moments."""
    moments = cv2.moments(ink)
    return float(-moments["mu11"] / max(moments["mu02"], 1e-6))


def _trustworthy(traced: TracedSign | None, digit: int) -> TracedSign | None:
    if traced is None or len(traced.strokes) > _MOST_STROKES:
        return None
    widest = max(float(stroke[:, 2].max()) for stroke in traced.strokes)
    if widest > traced.pen / 2 * _BLOT_RADII or (digit in _LOOP_PENS and not has_loop(traced, _LOOP_PENS[digit])):
        return None
    return traced


def has_loop(traced: TracedSign, pen: float) -> bool:
    """Whether the strokes enclose something when drawn by a pen so wide, in heights."""
    high = 60
    drawn = np.zeros((high + 20, int(high * traced.width) + 30), np.uint8)
    for stroke in traced.strokes:
        cv2.polylines(drawn, [np.rint(stroke[:, :2] * high + 10).astype(np.int32)], False, 1, max(1, round(pen * high)))
    return cv2.connectedComponents(1 - drawn, connectivity=4)[0] > 2
