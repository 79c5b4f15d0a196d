"""Collects every set that a data folder holds into training, tuning and hold-out sets, and says what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from export.data.download import cache_folder, download_set
from export.data.folder import (
    OPTIONAL_TRAINING_SETS,
    DataError,
    crop_to_ink,
    load_chen,
    load_mnist,
    load_optdigits,
    load_semeion,
    load_usps,
    shrink,
)
from export.data.fonts import load_fonts
from export.data.glyphs import SOURCE_SIDE_PX, GlyphSet
from export.data.mined import load_mined
from export.data.negative_sets import NEGATIVE_SETS
from export.data.orand import load_orand

TUNING_ONE_IN: Final = 50
"""One glyph in so many of the training sets, by hash, is kept aside to fit the temperature; it never trains."""

HOLDOUTS: Final[dict[str, tuple[str, Callable[[Path], GlyphSet]]]] = {
    "mnist_test": ("mnist", lambda folder: load_mnist(folder, "test")),
    "usps_test": ("usps", lambda folder: load_usps(folder, "test")),
    "semeion": ("semeion", load_semeion),
    "optdigits_tes": ("optdigits", lambda folder: load_optdigits(folder, "tes")),
    "chen_holdout": ("chen_mnist", lambda folder: load_chen(folder, "holdout")),
    "orand_val": ("orand_car_a", lambda folder: load_orand(folder, "val")),
}
"""Name of a hold-out -> (folder it lies in, loader)."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What trains and what tunes.

    digits, negatives : sets that train; digits[0] is MNIST. tuning_digits, tuning_negatives : the part kept aside.
    missing : names of sets that the folder does not hold.
    """

    digits: tuple[GlyphSet, ...]
    negatives: tuple[GlyphSet, ...]
    tuning_digits: tuple[GlyphSet, ...]
    tuning_negatives: tuple[GlyphSet, ...]
    missing: tuple[str, ...]


def find_data(folder: Path | None) -> Path:
    """The local folder given, or the cache with MNIST downloaded into it.

    Raises DataError when the folder is not there, DownloadError when MNIST cannot be fetched.
    """
    if folder is None:
        cache = cache_folder()
        download_set("mnist", cache)
        return cache
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the folder that holds mnist/ by --data, or leave --data out to download MNIST")
    return folder


def load_training(folder: Path, fonts: Path | None = None, mined: Path | None = None, limit: int | None = None) -> TrainingData:
    """All training sets of a folder.

    fonts : folder of handwriting fonts whose letters are negatives. mined : npz of `python -m export.mine`.
    limit : at most so many glyphs of each set, for a trial run. Raises DataError when MNIST is not there or a set is damaged.
    """
    missing = []
    digits = [load_mnist(folder, "train")]
    for name, loader in (OPTIONAL_TRAINING_SETS | {"orand_car_a": lambda at: load_orand(at, "train")}).items():
        if (folder / name).is_dir():
            digits.append(loader(folder))
        else:
            missing.append(name)
    others = []
    for name, load in NEGATIVE_SETS.items():
        if (folder / name).is_dir():
            others.append(load(folder, "train"))
        else:
            missing.append(name)
    if fonts is not None:
        others.append(load_fonts(fonts))
    if mined is not None:
        others.append(load_mined(mined))
    prepared = [_prepare(each, limit) for each in digits]
    prepared_others = [_prepare(each, limit) for each in others]
    return TrainingData(
        digits=tuple(part[0] for part in prepared),
        negatives=tuple(part[0] for part in prepared_others if len(part[0])),
        tuning_digits=tuple(part[1] for part in prepared if len(part[1])),
        tuning_negatives=tuple(part[1] for part in prepared_others if len(part[1])),
        missing=tuple(missing),
    )


def load_holdouts(folder: Path, limit: int | None = None) -> dict[str, GlyphSet]:
    """Every hold-out of digits that the folder holds, by name; untouched, for the tile rule alone."""
    found = {}
    for name, (place, load) in HOLDOUTS.items():
        if (folder / place).is_dir():
            found[name] = _first(load(folder), limit)
    return found


def load_negative_holdouts(folder: Path, limit: int | None = None) -> list[GlyphSet]:
    """The held-out parts of the negative sets that the folder holds."""
    return [_first(load(folder, "holdout"), limit) for name, load in NEGATIVE_SETS.items() if (folder / name).is_dir()]


def _prepare(glyphs: GlyphSet, limit: int | None) -> tuple[GlyphSet, GlyphSet]:
    """Crop and shrink every glyph once, then split off the tuning part by hash."""
    glyphs = _first(glyphs, limit)
    ready = GlyphSet(glyphs.name, [shrink(crop_to_ink(glyph), SOURCE_SIDE_PX) for glyph in glyphs.glyphs], glyphs.labels)
    tuning = np.array([hashlib.sha256(glyph.tobytes()).digest()[1:3] < _tuning_bound() for glyph in ready.glyphs], bool)
    return ready.take(~tuning), ready.take(tuning)


def _tuning_bound() -> bytes:
    return (65536 // TUNING_ONE_IN).to_bytes(2, "big")


def _first(glyphs: GlyphSet, limit: int | None) -> GlyphSet:
    return glyphs if limit is None else GlyphSet(glyphs.name, glyphs.glyphs[:limit], glyphs.labels[:limit])
