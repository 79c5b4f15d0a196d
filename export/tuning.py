"""Tiles of the glyphs that training keeps aside: confidence is fitted on them, and choices are made on them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.augment import augmented_tile
from export.data.collect import TrainingData
from export.negatives import make_negative

TUNING_STRENGTH: Final = 0.5


def tuning_tiles(data: TrainingData, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The glyphs kept aside, changed half as strongly as in training, uint8 (n, 28, 28), and labels uint8 (n,); n may be 0."""
    rng = np.random.default_rng([seed, 1 << 20])
    sources = [*data.tuning_digits, *data.tuning_negatives]
    tiles = [augmented_tile(glyph, rng, TUNING_STRENGTH) for each in sources for glyph in each.glyphs]
    labels = [int(label) for each in sources for label in each.labels]
    made = len(tiles) // 8
    if data.tuning_digits:
        tiles += [augmented_tile(make_negative(rng, data.tuning_digits[0]), rng, TUNING_STRENGTH) for _ in range(made)]
        labels += [NOT_ONE_DIGIT] * made
    return np.array(tiles, np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX), np.array(labels, np.uint8)
