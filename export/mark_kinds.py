"""Marks that are not one digit, kind by kind: on which of them a model is judged apart, see calibration/robustness.py.

Three origins: the held-out parts of the sets that train (letters, signs, scripts), what export/negatives.py makes, here from
test digits, and printed signs of which nothing trains. A kind's name says so: `made_...` always has relatives in
training, `printed_...` never, any other if the training record lists `<kind>_train`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import make_tile
from export.augment import augmented_tile
from export.data.collect import load_holdouts, load_negative_holdouts
from export.data.folder import crop_to_ink
from export.data.glyphs import GlyphSet
from export.data.printed_signs import load_printed_signs
from export.negatives import MAKERS

MOST_A_KIND: Final = 500
SEED: Final = 20_27
STRENGTH: Final = 0.5
"""How strongly made and printed marks are bent, as the made negatives of the hold-outs are; written ones are left as they are."""

Tiles = NDArray[np.uint8]


def marks_by_kind(folder: Path, limit: int | None = None) -> dict[str, Tiles]:
    """Kind -> tiles uint8 (n, 28, 28), at most 500 of each; all are "not one digit".

    folder : data folder; kinds whose set it lacks are left out. limit : at most so many of each, for a trial run.
    Raises DataError, MissingExtraError.
    """
    most = min(MOST_A_KIND, limit or MOST_A_KIND)
    rng = np.random.default_rng(SEED)
    kinds: dict[str, Tiles] = {}
    for each in load_negative_holdouts(folder):
        chosen = rng.permutation(len(each))[:most]
        kinds[each.name.removesuffix("_holdout")] = np.array([make_tile(each.glyphs[index]) for index in chosen], np.uint8)
    test = load_holdouts(folder, limit).get("mnist_test")
    if test is not None:
        digits = GlyphSet(test.name, [crop_to_ink(glyph) for glyph in test.glyphs], test.labels)
        for name, make in MAKERS.items():
            made = [augmented_tile(crop_to_ink(make(rng, digits)), rng, STRENGTH) for _ in range(most)]
            kinds[f"made_{name}"] = np.array(made, np.uint8)
    for each in load_printed_signs():
        drawn = [augmented_tile(each.glyphs[index % len(each)], rng, STRENGTH) for index in range(most)]
        kinds[each.name] = np.array(drawn, np.uint8)
    return kinds
