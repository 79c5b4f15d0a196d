"""Judging glyphs in their surroundings: what is corrected, what is left alone, and how it is handed to the engine."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Glyphs, Hypothesis
from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.paper.surroundings import PATCH_SHAPE
from edge_digits.recognition.classifier import Predictions
from edge_digits.recognition.context import BATCH, CAUTION, HOPELESS, POSSIBLE_ONE, ContextClassifier
from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT

SHARE = 0.3
Rows = NDArray[np.float32]


class Engine:
    """Corrects every patch by the darkness of its page channel: `gain` on label 7; keeps what it was asked."""

    def __init__(self, gain: float = 0.0) -> None:
        self.gain, self.calls = gain, []

    def run(self, output: str, inputs: Rows) -> Rows:
        assert output == "corrections"
        self.calls.append(inputs)
        corrections = np.zeros((len(inputs), len(LABELS)), np.float32)
        corrections[:, 7] = self.gain * inputs[:, 0].max(axis=(1, 2))
        corrections[:, 0] = inputs[:, 1].sum(axis=(1, 2)) / 1000
        return corrections

    @property
    def sizes(self) -> list[int]:
        return [len(call) for call in self.calls]


def page_of(count: int) -> Glyphs:
    """Solid glyphs in a row, each a pixel wider than the last but for nine."""
    darkness = np.zeros((40, 20 * max(1, count)), np.uint8)
    hypotheses = []
    for index in range(count):
        width = 3 + index % 9
        darkness[10:30, 20 * index + 4 : 20 * index + 4 + width] = 180
        hypotheses.append(Hypothesis(index, 0, 0, (20 * index + 4, 10, width, 20), np.full((20, width), 255, np.uint8)))
    page = Page(255 - darkness, np.eye(3), darkness.shape[::-1], False)
    return Glyphs((), tuple(hypotheses), 20.0, Ink(darkness, darkness, np.zeros_like(darkness), 1.0, page))


def rows_of(*garbage: float) -> Predictions:
    """Digit 1 with what is left of "not one digit"."""
    rows = np.zeros((len(garbage), len(LABELS)), np.float32)
    rows[:, NOT_ONE_DIGIT] = garbage
    rows[:, 1] = 1 - rows[:, NOT_ONE_DIGIT]
    return Predictions(rows)


def classifier(engine: Engine) -> ContextClassifier:
    return ContextClassifier(engine, SHARE)  # type: ignore[arg-type]


def test_corrections_are_added_to_what_the_tile_said() -> None:
    engine = Engine(20.0)
    before = rows_of(0.2, 0.9)
    judged = classifier(engine).judge(page_of(2), before)
    assert judged.not_one_digit_share == SHARE
    assert judged.probabilities.argmax(axis=1).tolist() == [7, 7]
    assert judged.probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert before.probabilities[0].tolist() == pytest.approx([0, 0.8, 0, 0, 0, 0, 0, 0, 0, 0, 0.2])
    left = judged.probabilities[0]
    assert left[7] > 0.9
    assert left[NOT_ONE_DIGIT] < 0.01


def test_corrections_of_nothing_change_nothing() -> None:
    chance = np.random.default_rng(2).dirichlet(np.full(11, 40), 5).astype(np.float32)
    engine = Engine()
    engine.run = lambda output, inputs: np.zeros((len(inputs), 11), np.float32)  # type: ignore[method-assign]
    judged = classifier(engine).judge(page_of(5), Predictions(chance)).probabilities
    assert (judged[:, :NOT_ONE_DIGIT].argmax(axis=1) == chance[:, :NOT_ONE_DIGIT].argmax(axis=1)).all()
    # Caution alone moves the odds of "not one digit".
    odds = judged[:, NOT_ONE_DIGIT] / (1 - judged[:, NOT_ONE_DIGIT])
    assert odds == pytest.approx(np.exp(CAUTION) * chance[:, NOT_ONE_DIGIT] / (1 - chance[:, NOT_ONE_DIGIT]), rel=1e-3)


def test_a_stroke_that_is_surely_a_one_stays_possible() -> None:
    rows = np.zeros((2, 11), np.float32)
    rows[:, 1], rows[:, NOT_ONE_DIGIT] = (0.95, 0.6), (0.05, 0.4)
    engine = Engine()
    refused = np.zeros(11, np.float32)
    refused[NOT_ONE_DIGIT] = 30.0
    engine.run = lambda output, inputs: np.tile(refused, (len(inputs), 1))  # type: ignore[method-assign]
    judged = classifier(engine).judge(page_of(2), Predictions(rows)).probabilities
    assert judged[0, 1] == pytest.approx(POSSIBLE_ONE)
    assert judged[1, 1] < 0.01


def test_the_hopeless_are_not_looked_at_again() -> None:
    engine = Engine(20.0)
    before = rows_of(0.1, HOPELESS, 0.5, 1.0)
    judged = classifier(engine).judge(page_of(4), before)
    assert engine.sizes == [2]
    assert (judged.probabilities[[1, 3]] == before.probabilities[[1, 3]]).all()
    assert judged.probabilities[[0, 2]].argmax(axis=1).tolist() == [7, 7]


def test_what_is_settled_stays_as_it_is() -> None:
    engine = Engine()
    before = rows_of(0.5, 0.01, 0.5)
    judged = classifier(engine).judge(page_of(3), before, np.array([False, True, False]))
    assert engine.sizes == [2]
    assert (judged.probabilities[1] == before.probabilities[1]).all()
    assert (judged.probabilities[0] != before.probabilities[0]).any()


@pytest.mark.parametrize("count", [0, 3])
def test_without_hope_the_engine_rests(count: int) -> None:
    engine = Engine()
    judged = classifier(engine).judge(page_of(count), rows_of(*[1.0] * count))
    assert engine.calls == []
    assert judged.not_one_digit_share == SHARE
    assert judged.probabilities.shape == (count, len(LABELS))


def test_many_go_in_batches_and_keep_their_order() -> None:
    count = 2 * BATCH + 5
    glyphs, engine = page_of(count), Engine()
    whole = classifier(engine).judge(glyphs, rows_of(*[0.4] * count)).probabilities
    assert engine.sizes == [BATCH, BATCH, 5]
    assert all((call.dtype, call.shape[1:]) == (np.float32, (2, *PATCH_SHAPE)) for call in engine.calls)
    assert all(call.min() >= 0.0 and call.max() <= 1.0 for call in engine.calls)
    # Glyphs nine apart are as wide as each other, and only they are judged alike.
    assert whole[9:18, 0] == pytest.approx(whole[:9, 0], rel=1e-3)
    assert np.unique(np.round(whole[:9, 0], 9)).size > 5


def test_a_probability_of_zero_stays_finite() -> None:
    rows = np.zeros((1, 11), np.float32)
    rows[0, 4] = 1.0
    judged = classifier(Engine(5.0)).judge(page_of(1), Predictions(rows)).probabilities
    assert np.isfinite(judged).all()
    assert judged[0].argmax() == 4


def test_corrections_of_patches_alone() -> None:
    patches = np.zeros((BATCH + 1, 2, *PATCH_SHAPE), np.uint8)
    patches[-1] = 255
    engine = Engine(2.0)
    corrections = classifier(engine).corrections(patches)
    assert engine.sizes == [BATCH, 1]
    assert corrections[:, 7].tolist() == [0.0] * BATCH + [2.0]
