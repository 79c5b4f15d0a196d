"""Judges glyphs in their surroundings: corrects what the tile classifier said by what stands around each of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.options import RecognitionOptions
from edge_digits.paper.glyphs import Glyphs
from edge_digits.paper.surroundings import PATCH_SHAPE, make_surroundings
from edge_digits.recognition.classifier import Predictions, softmax
from edge_digits.recognition.companions import as_companion_input, open_companion
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import NOT_ONE_DIGIT, WEIGHTS_FOLDER, ModelFile

HOPELESS: Final = 0.995
"""What the tile classifier calls "not one digit" with this probability is not looked at again."""
LEAST_PROBABILITY: Final = 3e-3
"""The tile classifier is never surer than this: it knows the digits of generated pages better than any on real paper, and what
it is sure of could not be corrected."""
CAUTION: Final = 1.3
"""Added to the logit of "not one digit": real pages hold more marks like digits than generated ones do."""
SURE_ONE: Final = 0.9
POSSIBLE_ONE: Final = 0.2
"""What is left to a stroke whose tile is a 1 with SURE_ONE, however little it looks like one from further away."""
REJECT_THRESHOLD: Final = 0.5
"""Digits below this probability are "?" unless the user asks otherwise: seen in its surroundings, a glyph is told with fewer doubts."""
BATCH: Final = 64
"""Patches a run: the maps of so many stay in the second cache of a processor."""


class ContextClassifier:
    """The context network, ready to judge. Built once; calls are re-entrant."""

    def __init__(self, engine: Engine, not_one_digit_share: float, file: ModelFile | None = None) -> None:
        """engine : of a model with input `surroundings` [n, 2, 48, 64] and output `corrections` [n, 11].

        not_one_digit_share : share of "not one digit" for which the corrected probabilities hold, 0..1.
        file : the published file that the engine runs.
        """
        self.engine, self.not_one_digit_share, self.file = engine, not_one_digit_share, file

    def judge(self, glyphs: Glyphs, predictions: Predictions, settled: NDArray[np.bool_] | None = None) -> Predictions:
        """The predictions, corrected where the tile classifier left any hope of a digit.

        settled : bool (n,), hypotheses that are surely a digit and are left as they are.
        """
        hopeful = predictions.probabilities[:, NOT_ONE_DIGIT] < HOPELESS
        seen = np.flatnonzero(hopeful if settled is None else hopeful & ~settled)
        if not len(seen):
            return replace(predictions, not_one_digit_share=self.not_one_digit_share)
        patches = make_surroundings(glyphs.ink, [glyphs.hypotheses[i] for i in seen], glyphs.typical_height)
        logits = np.log(np.maximum(predictions.probabilities[seen], LEAST_PROBABILITY)) + self.corrections(patches)
        logits[:, NOT_ONE_DIGIT] += CAUTION
        probabilities = predictions.probabilities.copy()
        tiles = predictions.probabilities[seen]
        probabilities[seen] = _leave_ones_open(_agreed_digits(softmax(logits), tiles), tiles)
        return Predictions(probabilities, self.not_one_digit_share)

    def corrections(self, patches: NDArray[np.uint8]) -> NDArray[np.float32]:
        """patches : uint8 (n, 2, 48, 64), n at least 1. Returns float32 (n, 11), to be added to log-probabilities."""
        inputs = as_companion_input(patches.reshape(-1, 2, *PATCH_SHAPE))
        parts = [self.engine.run("corrections", inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
        return np.concatenate(parts)


def _agreed_digits(judged: NDArray[np.float32], tiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Which digit it is: the geometric mean of both opinions, for the tile shows its strokes larger. Whether it is one: as judged."""
    both = np.sqrt((tiles[:, :NOT_ONE_DIGIT] + LEAST_PROBABILITY) * (judged[:, :NOT_ONE_DIGIT] + np.float32(1e-9)))
    both *= (1.0 - judged[:, NOT_ONE_DIGIT:]) / both.sum(axis=1, keepdims=True)
    return np.hstack([both, judged[:, NOT_ONE_DIGIT:]])


def _leave_ones_open(judged: NDArray[np.float32], tiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """A stroke whose tile is surely a 1 stays possible: a lone 1 and the end of a line look alike, and the row it stands in decides."""
    open_ones = (tiles[:, 1] >= SURE_ONE) & (judged[:, NOT_ONE_DIGIT] > 1.0 - POSSIBLE_ONE)
    judged[open_ones] = 0.0
    judged[open_ones, 1], judged[open_ones, NOT_ONE_DIGIT] = POSSIBLE_ONE, 1.0 - POSSIBLE_ONE
    return judged


def load_context(options: RecognitionOptions | None = None, folder: Path = WEIGHTS_FOLDER) -> ContextClassifier | None:
    """The context network of a folder of models, verified and self-tested; None where it holds none.

    Runs on the CPU in the precision that the options ask for. Raises ModelError, MissingExtraError.
    """
    companion = open_companion("context", options, folder)
    return None if companion is None else ContextClassifier(companion.engine, companion.card.not_one_digit_share, companion.file)
