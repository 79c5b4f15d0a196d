"""The head's fit on numbers alone: where it must not move, where it must, and that it is the loss's minimum."""

from __future__ import annotations

import numpy as np

from edge_digits.personal.head import FitOptions, Outputs, fit_head, softmax

CHANCE = np.random.default_rng(3)
WEIGHTS = CHANCE.normal(0, 1, (16, 11)).astype(np.float32)


def outputs(features: np.ndarray) -> Outputs:
    return Outputs((features @ WEIGHTS).astype(np.float32), features.astype(np.float32))


RESERVE = outputs(CHANCE.normal(0, 1, (300, 16)))
OWN = outputs(CHANCE.normal(0.5, 1, (60, 16)))
LABELS = CHANCE.integers(0, 10, 60)


def test_nothing_to_learn_moves_nothing() -> None:
    none = outputs(np.zeros((0, 16)))
    learned = fit_head(none, np.zeros(0, np.int64), RESERVE, FitOptions())
    assert np.abs(learned.weights).max() == 0
    assert np.abs(learned.bias).max() == 0


def test_it_learns_and_a_strong_pull_holds_it() -> None:
    errors, moves = [], []
    for strength in (0.001, 0.1, 100.0):
        learned = fit_head(OWN, LABELS, RESERVE, FitOptions(strength))
        errors.append(int((learned.apply(OWN).argmax(axis=1) != LABELS).sum()))
        moves.append(float(np.abs(learned.weights).max()))
    assert errors[0] < errors[2]
    assert moves[0] > moves[1] > moves[2]
    assert moves[2] < 0.01


def test_a_heavier_reserve_keeps_more_of_its_answers() -> None:
    kept = []
    for weight in (0.01, 10.0):
        learned = fit_head(OWN, LABELS, RESERVE, FitOptions(0.001, weight))
        kept.append(int((learned.apply(RESERVE).argmax(axis=1) == RESERVE.logits[:, :10].argmax(axis=1)).sum()))
    assert kept[0] < kept[1]


def test_it_is_the_minimum_of_the_loss_it_names() -> None:
    strength, weight, temperature = 0.02, 1.5, 1.7

    def loss(weights: np.ndarray, bias: np.ndarray) -> float:
        scale = np.sqrt((RESERVE.features.astype(np.float64) ** 2).sum(axis=1).mean())
        own = softmax((OWN.logits[:, :10] + OWN.features @ weights + bias) / temperature)[np.arange(60), LABELS]
        wanted = softmax(RESERVE.logits[:, :10].astype(np.float64) / temperature)
        now = softmax((RESERVE.logits[:, :10] + RESERVE.features @ weights + bias).astype(np.float64) / temperature)
        size = ((weights * scale) ** 2).sum() + (bias**2).sum()
        kept = -(wanted * np.log(now)).sum(axis=1).mean()
        return float(-np.log(own).mean() + weight * kept + strength / 2 * size / temperature**2)

    learned = fit_head(OWN, LABELS, RESERVE, FitOptions(strength, weight, temperature))
    best = loss(learned.weights, learned.bias)
    assert best < loss(np.zeros((16, 10)), np.zeros(10)) - 0.05
    for _ in range(20):
        aside = CHANCE.normal(0, 0.05, (16, 10)), CHANCE.normal(0, 0.05, 10)
        assert best < loss(learned.weights + aside[0], learned.bias + aside[1])
