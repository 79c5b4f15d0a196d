from __future__ import annotations

import numpy as np
import pytest

from export.figures import digit_figures, fit_temperature, negative_figures


def logits_for(classes: list[int], height: float = 8.0) -> np.ndarray:
    logits = np.zeros((len(classes), 11), np.float32)
    logits[np.arange(len(classes)), classes] = height
    return logits


def test_digit_figures() -> None:
    labels = np.array([0, 1, 2, 3], np.uint8)
    figures = digit_figures(logits_for([0, 1, 10, 5]), labels)
    assert figures == {"n": 4, "accuracy": 50.0, "accuracy_digits": 75.0 - 25.0, "rejected": 25.0, "wrong": 25.0}


def test_a_refused_digit_may_still_be_right_among_the_ten() -> None:
    logits = logits_for([10, 10])
    logits[0, 7] = 4.0
    logits[1, 2] = 4.0
    figures = digit_figures(logits, np.array([7, 3], np.uint8))
    assert figures["accuracy"] == 0.0
    assert figures["accuracy_digits"] == 50.0
    assert figures["rejected"] == 100.0


def test_an_unsure_digit_is_rejected() -> None:
    figures = digit_figures(logits_for([4], height=1.0), np.array([4], np.uint8))
    assert figures["accuracy"] == 100.0
    assert figures["rejected"] == 100.0


def test_negative_figures() -> None:
    figures = negative_figures(logits_for([10, 10, 10, 3]))
    assert figures == {"n": 4, "rejected": 75.0, "sure_digit": 25.0}


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_a_scale(factor: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 11)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(11, p=row / row.sum()) for row in chances.astype(np.float64)], np.uint8)
    assert fit_temperature(logits * np.float32(factor), labels) == pytest.approx(factor, rel=0.12)


def test_nothing_to_fit_on() -> None:
    assert fit_temperature(np.zeros((0, 11), np.float32), np.zeros(0, np.uint8)) == 1.0
    assert digit_figures(np.zeros((0, 11), np.float32), np.zeros(0, np.uint8))["accuracy"] == 0.0
