"""Mixes the sets into epochs: which glyph, how strongly changed, in which batch. Everything follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.augment import augmented_tile
from export.data.collect import TrainingData
from export.data.glyphs import GlyphSet
from export.negatives import make_negative
from export.styles import foreign_form

DIGIT_WEIGHTS: Final = {"mnist_train": 0.60, "orand_train": 0.17, "chen_train": 0.12, "usps_train": 0.10, "optdigits_tra": 0.07}
"""Share of each set among the digits; sets that are not there leave their share to the others."""

MADE_NEGATIVE_WEIGHT: Final = 0.5
NEGATIVE_WEIGHTS: Final = {
    "letters_train": 0.10,
    "symbols_train": 0.05,
    "omniglot_train": 0.09,
    "cyrillic_train": 0.06,
    "fonts": 0.12,
    "mined": 0.30,
}

UNTOUCHED_SHARE: Final = 0.2
"""Share of glyphs that go through the tile rule as they are, so that clean digits stay known."""

WEAKEST: Final = 0.1


@dataclass(frozen=True, slots=True)
class MixtureOptions:
    """Sizes of an epoch; negative_share is the share of "not one digit" in every epoch, 0..1."""

    tiles: int = 100_000
    batch: int = 256
    negative_share: float = 0.27


class Mixture(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Batches of one epoch at a time; item i is the batch i as (tiles uint8 (b, 1, 28, 28), labels int64 (b,)).

    The batch i of the epoch e is the same whoever makes it, in whichever order: workers and resuming change nothing.
    """

    def __init__(self, data: TrainingData, seed: int, options: MixtureOptions | None = None) -> None:
        self.options = options or MixtureOptions()
        self.seed = seed
        self.sets: tuple[GlyphSet, ...] = (*data.digits, *data.negatives)
        self.digits = data.digits[0]
        self.shares = _shares(data, self.options.negative_share)
        self.epoch = 0
        self.strength = 1.0
        self._order: NDArray[np.int64] = np.zeros((0, 2), np.int64)

    def start_epoch(self, epoch: int, strength: float = 1.0) -> None:
        """Lay out the epoch: every set gives its share, no glyph twice before all of its set were taken."""
        self.epoch, self.strength = epoch, strength
        rng = np.random.default_rng([self.seed, epoch])
        rows = []
        for index, share in self.shares.items():
            count = round(share * self.options.tiles)
            size = len(self.sets[index]) if index >= 0 else 1
            chosen = np.concatenate([rng.permutation(size) for _ in range(-(-count // size))])[:count] if index >= 0 else np.zeros(count)
            rows.append(np.stack([np.full(count, index), chosen], axis=1).astype(np.int64))
        self._order = rng.permutation(np.concatenate(rows))

    def __len__(self) -> int:
        return len(self._order) // self.options.batch

    def __getitem__(self, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
        if not 0 <= batch < len(self):
            raise IndexError(batch)
        rng = np.random.default_rng([self.seed, self.epoch, batch])
        size = self.options.batch
        tiles = np.zeros((size, 1, TILE_SIDE_PX, TILE_SIDE_PX), np.uint8)
        labels = np.zeros(size, np.int64)
        for row, (index, chosen) in enumerate(self._order[batch * size : (batch + 1) * size]):
            tiles[row, 0], labels[row] = self._sample(int(index), int(chosen), rng)
        return torch.from_numpy(tiles), torch.from_numpy(labels)

    def _sample(self, index: int, chosen: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        strength = 0.0 if rng.random() < UNTOUCHED_SHARE else self.strength * rng.uniform(WEAKEST, 1.0)
        if index < 0:
            return augmented_tile(make_negative(rng, self.digits), rng, strength), NOT_ONE_DIGIT
        source = self.sets[index]
        glyph, label = source.glyphs[chosen], int(source.labels[chosen])
        if strength > 0:
            glyph = foreign_form(glyph, label, rng)
        return augmented_tile(glyph, rng, strength), label


def _shares(data: TrainingData, negative_share: float) -> dict[int, float]:
    """Index of a set -> its share of the epoch; -1 are the made negatives."""
    digit = [DIGIT_WEIGHTS.get(each.name, 0.05) for each in data.digits]
    other = [NEGATIVE_WEIGHTS.get(each.name, 0.05) for each in data.negatives]
    total_other = MADE_NEGATIVE_WEIGHT + sum(other)
    shares = {index: (1 - negative_share) * weight / sum(digit) for index, weight in enumerate(digit)}
    shares |= {len(digit) + index: negative_share * weight / total_other for index, weight in enumerate(other)}
    shares[-1] = negative_share * MADE_NEGATIVE_WEIGHT / total_other
    return shares


def start_worker(_: int) -> None:
    """Each worker process is one thread: OpenCV's own threads would fight over the cores."""
    cv2.setNumThreads(0)
