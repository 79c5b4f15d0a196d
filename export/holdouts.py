"""The hold-outs as tiles: what training is judged on and what calibration may test with, never what it learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import TILE_SIDE_PX, make_tile
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.augment import augmented_tile
from export.data.collect import HOLDOUTS, load_holdouts, load_negative_holdouts
from export.data.folder import crop_to_ink
from export.data.glyphs import GlyphSet
from export.negatives import make_negative

NEGATIVES: Final = "negatives_holdout"
MADE_NEGATIVES: Final = 2000
PER_SET: Final = 500
SEED: Final = 20_26
MADE_STRENGTH: Final = 0.5

Tiles = NDArray[np.uint8]
Labels = NDArray[np.uint8]


def holdout_tiles(folder: Path, limit: int | None = None) -> dict[str, tuple[Tiles, Labels]]:
    """Every hold-out of a data folder by the tile rule alone, and the held-out negatives.

    Returns name -> (tiles uint8 (n, 28, 28), labels uint8 (n,)).
    """
    sets = load_holdouts(folder, limit)
    found = {name: (tiles_of(each), each.labels) for name, each in sets.items()}
    if "mnist_test" in sets:
        found[NEGATIVES] = _negative_tiles(sets["mnist_test"], load_negative_holdouts(folder, limit), limit)
    return found


def tiles_of(glyphs: GlyphSet) -> Tiles:
    """uint8 (n, 28, 28); n may be 0."""
    return np.array([make_tile(glyph) for glyph in glyphs.glyphs], np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)


def _negative_tiles(digits: GlyphSet, sets: list[GlyphSet], limit: int | None) -> tuple[Tiles, Labels]:
    """Halves, pairs, letters and lines made from digits that never train, and up to 500 of every held-out set."""
    rng = np.random.default_rng(SEED)
    cropped = GlyphSet(digits.name, [crop_to_ink(glyph) for glyph in digits.glyphs], digits.labels)
    tiles = [augmented_tile(make_negative(rng, cropped), rng, MADE_STRENGTH) for _ in range(min(MADE_NEGATIVES, limit or MADE_NEGATIVES))]
    for each in sets:
        tiles += [make_tile(each.glyphs[index]) for index in rng.permutation(len(each))[:PER_SET]]
    return np.array(tiles, np.uint8), np.full(len(tiles), NOT_ONE_DIGIT, np.uint8)


__all__ = ["HOLDOUTS", "NEGATIVES", "holdout_tiles", "tiles_of"]
