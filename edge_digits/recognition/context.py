"""Judges glyphs in their surroundings: corrects what the tile classifier said by what stands around each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Glyphs
from edge_digits.paper.surroundings import PATCH_SHAPE, make_surroundings
from edge_digits.recognition.classifier import Predictions, softmax
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import NOT_ONE_DIGIT

HOPELESS: Final = 0.995
"""What the tile classifier calls "not one digit" with this probability is not looked at again."""
LEAST_PROBABILITY: Final = 1e-6
BATCH: Final = 64
"""Patches a run: the maps of so many stay in the second cache of a processor."""


class ContextClassifier:
    """The context network, ready to judge. Built once; calls are re-entrant."""

    def __init__(self, engine: Engine, not_one_digit_share: float) -> None:
        """engine : of a model with input `surroundings` [n, 2, 48, 64] and output `corrections` [n, 11].

        not_one_digit_share : share of "not one digit" for which the corrected probabilities hold, 0..1.
        """
        self.engine, self.not_one_digit_share = engine, not_one_digit_share

    def judge(self, glyphs: Glyphs, predictions: Predictions) -> Predictions:
        """The predictions, corrected where the tile classifier left any hope of a digit."""
        seen = np.flatnonzero(predictions.probabilities[:, NOT_ONE_DIGIT] < HOPELESS)
        if not len(seen):
            return replace(predictions, not_one_digit_share=self.not_one_digit_share)
        patches = make_surroundings(glyphs.ink, [glyphs.hypotheses[i] for i in seen], glyphs.typical_height)
        logits = np.log(np.maximum(predictions.probabilities[seen], LEAST_PROBABILITY)) + self.corrections(patches)
        probabilities = predictions.probabilities.copy()
        probabilities[seen] = softmax(logits)
        return Predictions(probabilities, self.not_one_digit_share)

    def corrections(self, patches: NDArray[np.uint8]) -> NDArray[np.float32]:
        """patches : uint8 (n, 2, 48, 64), n at least 1. Returns float32 (n, 11), to be added to log-probabilities."""
        inputs = np.multiply(patches.reshape(-1, 2, *PATCH_SHAPE), np.float32(1 / 255), dtype=np.float32)
        parts = [self.engine.run("corrections", inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
        return np.concatenate(parts)
