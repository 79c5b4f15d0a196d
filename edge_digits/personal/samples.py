"""The samples folder: source crops of one person's digits, by digit, as every command here writes and reads it.

    samples/train/0..9/*.png     what `adapt` learns from
    samples/test/0..9/*.png      kept apart, to measure with
    samples/0..9/*.png           the same without a split; all of it counts as train

A sample is stored as it was seen, before any tile rule, so that a better rule can use it again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError, InputError, InputNotFoundError, UsageError
from edge_digits.options import SourceOptions
from edge_digits.paper.single import find_single_glyph
from edge_digits.paper.tiles import Glyph
from edge_digits.personal.crops import Crop, encode_crop, read_origin
from edge_digits.sources.contents import read_contents
from edge_digits.sources.images import open_frames

Split = Literal["train", "test"]

SPLITS: Final[tuple[Split, ...]] = ("train", "test")
DIGITS: Final = range(10)
PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
TRAIN_IN_TURN: Final = 10
TEST_IN_TURN: Final = 5
"""The split "10/5": of every fifteen samples of a digit the first ten are train, the others test."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One stored picture of a digit. label : 0..9."""

    path: Path
    label: int
    split: Split


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of which the glyph was found.

    glyphs : uint8 (h, w) each, ink 255, paper 0. labels : int64 (n,), 0..9.
    skipped : one line for each picture that could not be used.
    """

    glyphs: Sequence[Glyph]
    labels: NDArray[np.int64]
    skipped: Sequence[str]

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> list[int]:
        """Number of samples of each digit, 0 to 9."""
        return [int((self.labels == digit).sum()) for digit in DIGITS]


def find_samples(folder: Path, split: Split = "train") -> list[Sample]:
    """All samples of a folder, by digit and name; with subfolders train and test, those of the asked-for split.

    A folder without a split is all train, and has no test samples. Raises UsageError when there is no such layout.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name one with folders 0 to 9, or train/ and test/ with them")
    divided = (folder / "train").is_dir() or (folder / "test").is_dir()
    root = folder / split if divided else folder
    if not divided and not any((folder / str(digit)).is_dir() for digit in DIGITS):
        raise UsageError(f"{folder}: holds no folders 0 to 9, nor train/ and test/ with them; see `edge-digits collect --help`")
    if not divided and split == "test":
        return []
    found = []
    for digit in DIGITS:
        pictures = sorted(p for p in (root / str(digit)).glob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
        found += [Sample(path, digit, split) for path in pictures]
    return found


def read_samples(samples: Sequence[Sample], options: SourceOptions | None = None) -> Samples:
    """Glyphs of samples; a picture that cannot be read or holds no ink is skipped and named."""
    glyphs, labels, skipped = [], [], []
    for sample in samples:
        try:
            glyphs.append(_read_glyph(sample, options or SourceOptions()))
        except InputError as error:
            skipped.append(str(error))
            continue
        labels.append(sample.label)
    return Samples(glyphs, np.array(labels, np.int64), skipped)


def _read_glyph(sample: Sample, options: SourceOptions) -> Glyph:
    frame = next(open_frames(sample.path, options), None)
    if frame is None:
        raise InputDecodeError(f"{sample.path}: holds no page")
    glyph = glyph_of(Crop(frame.picture, read_origin(read_contents(sample.path))))
    if not glyph.any():
        raise InputDecodeError(f"{sample.path}: no ink found; remove it from the samples")
    return glyph


def glyph_of(crop: Crop) -> Glyph:
    """The glyph of a crop, uint8 (h, w), ink 255, paper 0; all zero when there is no ink."""
    glyph = find_single_glyph(crop.close())
    # A box drawn too tight cuts its own digit; the margin around it has the rest.
    return glyph if glyph.any() else find_single_glyph(crop.picture)


def split_in_turn(index: int) -> Split:
    """Where the sample of this index (0, 1, ... of one digit) goes under the split "10/5"."""
    return "train" if index % (TRAIN_IN_TURN + TEST_IN_TURN) < TRAIN_IN_TURN else "test"


def count_samples(folder: Path, digit: int, split: Split | None = None) -> int:
    """Number of stored samples of a digit in one split, or in both together."""
    splits = SPLITS if split is None else (split,)
    return sum(len(list((folder / split / str(digit)).glob("*.png"))) for split in splits)


def store_sample(folder: Path, split: Split, digit: int, crop: Crop | NDArray[np.uint8]) -> Path:
    """Write a source crop as the next PNG of its digit; nothing is ever overwritten. Returns its path.

    digit : 0..9. crop : a Crop, or its picture alone, uint8 (h, w) grey or (h, w, 3) BGR.
    Raises UsageError for another digit or split, and when the folder cannot be written.
    """
    if digit not in DIGITS or split not in SPLITS:
        raise UsageError(f"a sample of digit {digit} for '{split}'; digits are 0 to 9, and samples are for {' or '.join(SPLITS)}")
    target = folder / split / str(digit)
    encoded = encode_crop(crop if isinstance(crop, Crop) else Crop(crop))
    try:
        target.mkdir(parents=True, exist_ok=True)
        return _write_next(target, encoded)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror}); choose another samples folder") from error


def remove_sample(path: Path) -> None:
    """Take a stored sample back. Raises UsageError where it cannot be removed."""
    try:
        path.unlink()
    except OSError as error:
        raise UsageError(f"{path}: sample cannot be removed ({error.strerror})") from error


def _write_next(target: Path, encoded: bytes) -> Path:
    number = _next_number(target)
    while True:
        path = target / f"{number:04d}.png"
        try:
            with path.open("xb") as file:
                file.write(encoded)
        except FileExistsError:  # somebody else stored one in the meantime
            number += 1
        else:
            return path


def _next_number(folder: Path) -> int:
    numbers = [int(match.group()) for path in folder.iterdir() if (match := re.match(r"\d+", path.stem))]
    return max(numbers, default=0) + 1


def require_some(samples: Samples, folder: Path) -> None:
    """Raises InputNotFoundError when no sample could be used."""
    if len(samples) == 0:
        why = f"; the first reason: {samples.skipped[0]}" if samples.skipped else ""
        raise InputNotFoundError(f"{folder}: no usable samples{why}")
