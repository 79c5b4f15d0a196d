"""Shifted class means on numbers alone: nothing seen moves nothing, what was seen draws the head towards it."""

from __future__ import annotations

import numpy as np
import pytest

from edge_digits.personal.class_means import shift_of_means
from edge_digits.personal.head import Outputs, log_softmax
from edge_digits.personal.methods import METHODS, Kept, Method, Own

CHANCE = np.random.default_rng(4)
CENTRES = CHANCE.normal(0, 2, (10, 12))
DIGITS = np.tile(np.arange(10, dtype=np.uint8), 40)


def written(labels: np.ndarray, shift: np.ndarray | float = 0.0) -> Outputs:
    """Features around the centre of each digit, and the logits of the nearest centre."""
    features = CENTRES[labels] + shift + CHANCE.normal(0, 1, (len(labels), 12))
    digits = features @ CENTRES.T - 0.5 * (CENTRES**2).sum(axis=1)
    return Outputs(np.column_stack([digits, np.full(len(labels), -9.0)]).astype(np.float32), features.astype(np.float32))


RESERVE = written(DIGITS)
KEPT = Kept(RESERVE, DIGITS)


def test_nothing_seen_moves_nothing() -> None:
    none = Own(written(np.zeros(0, np.int64)), np.zeros(0, np.int64))
    for method in METHODS:
        learned = method.fit(none, KEPT, 1.0)
        assert np.abs(learned.weights).max() < 1e-6
        assert np.abs(learned.bias).max() < 1e-6


def test_only_what_was_seen_is_drawn() -> None:
    labels = np.array([3, 3, 7], np.int64)
    learned = shift_of_means(written(labels, 1.0), labels, RESERVE, DIGITS, 1.0)
    moved = np.abs(learned.weights).max(axis=0) > 0
    assert np.flatnonzero(moved).tolist() == [3, 7]


def test_more_samples_draw_further() -> None:
    sizes = []
    for count in (1, 5, 50):
        labels = np.full(count, 4, np.int64)
        sizes.append(float(np.abs(shift_of_means(written(labels, 1.5), labels, RESERVE, DIGITS, 1.0).weights).max()))
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.name}-{method.reserve_weight:g}")
def test_every_method_learns_a_shifted_hand(method: Method) -> None:
    shift = CENTRES[8] - CENTRES[1]
    labels = np.repeat(np.arange(10), 10)
    own, later = (written(labels, 0.5 * shift) for _ in range(2))
    learned = method.fit(Own(own, labels), KEPT, 1.0)
    right = np.arange(len(labels)), labels
    before = log_softmax(later.logits[:, :10].astype(np.float64))[right].mean()
    after = log_softmax(learned.apply(later).astype(np.float64))[right].mean()
    assert after > before + 0.005
    kept = int((learned.apply(RESERVE).argmax(axis=1) != DIGITS).sum()) - int((RESERVE.logits[:, :10].argmax(axis=1) != DIGITS).sum())
    assert kept <= 0.02 * len(DIGITS)
