"""One person's digits for fine-tuning: a folder of folders 0..9, or one labelled page; checked before anything is learned.

Pictures may have any size, polarity and paper: each goes through the product's own search for the one glyph in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputNotFoundError, UsageError
from edge_digits.options import SourceOptions
from edge_digits.paper.tiles import TILE_SIDE_PX, Glyph, make_tile
from edge_digits.personal.adaptation import FEWEST_SAMPLES
from edge_digits.personal.pairing import pair_labels, parse_labels
from edge_digits.personal.samples import DIGITS, Split, find_samples, glyph_of, read_samples
from edge_digits.reader import Reader
from edge_digits.sources.images import open_frames

SAME_PICTURE_LEVELS: Final = 0.5
"""Two tiles that differ by less, as mean over all pixels in grey levels of 255, show one picture. The most alike digits that one
person wrote twice differ by 0.94 (500 samples of one hand); a picture saved again as JPEG differs by 0.1 to 0.6 in the median."""

SURE: Final = 0.9
"""A base model that gives another digit this probability is sure that the label is wrong."""

LISTED: Final = 5
"""So many names stand in a message; the number of the others follows."""


@dataclass(frozen=True, slots=True)
class OwnSamples:
    """Digits of one person.

    glyphs : uint8 (h, w) each, ink up to 255, paper 0. tiles : uint8 (n, 28, 28), by the tile rule. labels : int64 (n,), 0..9.
    names : where each came from. remarks : lines for people about what was left out.
    """

    glyphs: Sequence[Glyph]
    tiles: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: Sequence[str]
    remarks: Sequence[str] = field(default=())

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> list[int]:
        """Number of samples of each digit, 0 to 9."""
        return [int((self.labels == digit).sum()) for digit in DIGITS]

    def take(self, keep: NDArray[np.bool_], remarks: Sequence[str] | None = None) -> OwnSamples:
        """The samples for which keep, bool (n,), is true."""
        index = np.flatnonzero(keep)
        glyphs, names = [self.glyphs[i] for i in index], [self.names[i] for i in index]
        return OwnSamples(glyphs, self.tiles[keep], self.labels[keep], names, self.remarks if remarks is None else remarks)


def load_folder(folder: Path, split: Split = "train") -> OwnSamples:
    """The samples of a folder with 0..9, or with train/ and test/ of them; pictures that cannot be used are named in the remarks.

    Raises UsageError when the folder has another layout.
    """
    glyphs: list[Glyph] = []
    labels, names, remarks = [], [], []
    for sample in find_samples(folder, split):
        found = read_samples([sample])
        remarks += [f"left out {line}" for line in found.skipped]
        if len(found):
            glyphs.append(found.glyphs[0])
            labels.append(sample.label)
            names.append(str(sample.path.relative_to(folder)))
    return _samples(glyphs, labels, names, remarks)


def load_page(photo: Path, labels: str) -> OwnSamples:
    """The digits of a photographed page. labels : what stands on it, a blank between lines.

    Raises InputError when the page cannot be read, UsageError when the labels do not fit what was found, line by line.
    """
    frame = next(open_frames(photo, SourceOptions()))
    paired = pair_labels(Reader().read_frame(frame), frame, parse_labels(labels))
    glyphs = [glyph_of(item.crop) for item in paired]
    names = [f"{photo.name} digit {number}" for number in range(1, len(paired) + 1)]
    empty = [index for index, glyph in enumerate(glyphs) if not glyph.any()]
    samples = _samples(glyphs, [item.label for item in paired], names, [f"left out {names[index]}: no ink found" for index in empty])
    return samples.take(np.array([glyph.any() for glyph in glyphs], bool))


def _samples(glyphs: list[Glyph], labels: list[int], names: list[str], remarks: list[str]) -> OwnSamples:
    tiles = np.array([make_tile(glyph) for glyph in glyphs], np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)
    return OwnSamples(glyphs, tiles, np.array(labels, np.int64), names, remarks)


def check(samples: OwnSamples, source: Path) -> OwnSamples:
    """The samples without repeated pictures, and remarks on digits of which there is none.

    Raises InputNotFoundError without any usable sample; UsageError for one picture under two labels, for samples of one digit
    alone, and for fewer than 10.
    """
    if len(samples) == 0:
        why = f"; the first reason: {samples.remarks[0]}" if samples.remarks else ""
        raise InputNotFoundError(f"{source}: no usable samples{why}")
    samples = _without_repeats(samples)
    counts = samples.counts()
    present = [digit for digit in DIGITS if counts[digit]]
    if len(present) == 1:
        raise UsageError(f"{source}: all {len(samples)} samples are of the digit {present[0]}; give samples of at least two digits")
    if len(samples) < FEWEST_SAMPLES:
        raise UsageError(f"{source}: {len(samples)} samples are too few to check that learning helps; give at least {FEWEST_SAMPLES}")
    if len(present) < len(DIGITS):
        absent = ", ".join(str(digit) for digit in DIGITS if not counts[digit])
        remark = f"no samples of {absent}: nothing is learned of how they are written here"
        return samples.take(np.ones(len(samples), bool), [*samples.remarks, remark])
    return samples


def _without_repeats(samples: OwnSamples) -> OwnSamples:
    keep = np.ones(len(samples), bool)
    remarks = list(samples.remarks)
    for first, second in same_pictures(samples.tiles, samples.tiles):
        if first >= second or not keep[first]:
            continue
        if samples.labels[first] != samples.labels[second]:
            one, other = samples.names[first], samples.names[second]
            raise UsageError(f"{one} and {other} are one picture under two labels; remove the wrong one")
        if keep[second]:
            remarks.append(f"left out {samples.names[second]}: the same picture as {samples.names[first]}")
        keep[second] = False
    return samples.take(keep, remarks)


def require_apart(train: OwnSamples, test: OwnSamples) -> None:
    """Raises UsageError when a picture is among both: a test on what was learned measures memory."""
    pairs = same_pictures(train.tiles, test.tiles)
    if pairs:
        named = list(dict.fromkeys(f"{test.names[second]} (as {train.names[first]})" for first, second in pairs))
        raise UsageError(f"{listed(named)}: both in train and in test; remove them from one of the two")


def same_pictures(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Pairs (i, j) of tiles first[i] and second[j], uint8 (n, 28, 28) and (m, 28, 28), that show one picture."""
    pairs = []
    others = second.reshape(len(second), TILE_SIDE_PX**2).astype(np.int16)
    for index, tile in enumerate(first.reshape(len(first), TILE_SIDE_PX**2).astype(np.int16)):
        differences = np.abs(others - tile).mean(axis=1)
        pairs += [(index, int(other)) for other in np.flatnonzero(differences < SAME_PICTURE_LEVELS)]
    return pairs


def is_doubtful(samples: OwnSamples, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Of which labels the model is sure that they are other digits, bool (n,). probabilities : float32 (n, 11), of the base."""
    digits = probabilities[:, : len(DIGITS)]
    result: NDArray[np.bool_] = (digits.argmax(axis=1) != samples.labels) & (digits.max(axis=1) >= SURE)
    return result


def doubtful(samples: OwnSamples, probabilities: NDArray[np.float32]) -> list[str]:
    """A line for each of those labels."""
    read = probabilities[:, : len(DIGITS)].argmax(axis=1)
    return [
        f"{samples.names[i]}: labelled {samples.labels[i]}, read as {read[i]} with {probabilities[i, read[i]]:.3f}"
        for i in np.flatnonzero(is_doubtful(samples, probabilities))
    ]


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
