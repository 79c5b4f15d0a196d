"""The figures by which a model is judged; pure functions of logits and labels."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tile_sets import Labels
from edge_digits.recognition.classifier import softmax
from edge_digits.recognition.weights import NOT_ONE_DIGIT

ECE_BINS: Final = 15
"""As in C. Guo et al., "On calibration of modern neural networks", 2017."""

Logits = NDArray[np.float32]
Chances = NDArray[np.float32] | NDArray[np.float64]
Verdicts = NDArray[np.bool_]


def accuracy_percent(logits: Logits, labels: Labels) -> float:
    """Share of tiles named as labelled, 0..100; n > 0."""
    return 100.0 * float((logits.argmax(axis=1) == labels).mean())


def accuracy_by_label_percent(logits: Logits, labels: Labels) -> dict[int, float]:
    """Accuracy of each label that occurs."""
    right = logits.argmax(axis=1) == labels
    return {int(label): 100.0 * float(right[labels == label].mean()) for label in np.unique(labels)}


def agreement_percent(first: Logits, second: Logits) -> float:
    """Share of tiles that both name alike."""
    return 100.0 * float((first.argmax(axis=1) == second.argmax(axis=1)).mean())


def probabilities(logits: Logits, temperature: float) -> NDArray[np.float32]:
    """Calibrated probabilities, float32 (n, 11); what the runtime gives."""
    return softmax(logits / np.float32(temperature))


def negative_log_likelihood(logits: Logits, labels: Labels, temperature: float) -> float:
    """Mean over tiles of -ln(probability of the label), in nats."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    chosen = scaled[np.arange(len(labels)), labels]
    return float((np.log(np.exp(scaled).sum(axis=1)) - chosen).mean())


def calibration_error_percent(logits: Logits, labels: Labels, temperature: float) -> float:
    """Expected calibration error of the best guesses, 0..100."""
    return expected_calibration_error_percent(*_best_guesses(logits, labels, temperature))


def reliability(logits: Logits, labels: Labels, temperature: float) -> list[dict[str, float]]:
    """The bins of the calibration error that hold tiles: their number, mean confidence and accuracy, both 0..100."""
    return reliability_rows(*_best_guesses(logits, labels, temperature), counted="tiles")


def expected_calibration_error_percent(confidence: Chances, right: Verdicts) -> float:
    """How far confidence is from accuracy, over 15 equal bins of confidence, 0..100. confidence : (n,), 0..1. right : bool (n,)."""
    bins = _bins(confidence)
    gaps = [abs(float(right[bins == b].mean()) - float(confidence[bins == b].mean())) * float((bins == b).mean()) for b in np.unique(bins)]
    return 100.0 * sum(gaps)


def reliability_rows(confidence: Chances, right: Verdicts, counted: str) -> list[dict[str, float]]:
    """The same bins one by one, where they hold anything; `counted` names their number."""
    bins, rows = _bins(confidence), []
    for index in np.unique(bins):
        inside = bins == index
        means = {"confidence_percent": confidence[inside].mean(), "accuracy_percent": right[inside].mean()}
        rows.append({counted: int(inside.sum()), **{key: 100.0 * float(value) for key, value in means.items()}})
    return rows


def _best_guesses(logits: Logits, labels: Labels, temperature: float) -> tuple[NDArray[np.float32], Verdicts]:
    given = probabilities(logits, temperature)
    return given.max(axis=1), given.argmax(axis=1) == labels


def _bins(confidence: Chances) -> NDArray[np.int64]:
    return np.asarray(np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1), np.int64)


def log_odds(logits: Logits, temperature: float, label: int | Labels) -> NDArray[np.float64]:
    """ln(p / (1 - p)) of a label's calibrated probability, float64 (n,).

    label : one for all tiles, or one each. Orders tiles as the probability does, also where that is 1 to seven digits.
    """
    scaled = logits.astype(np.float64) / temperature
    chosen = np.broadcast_to(np.asarray(label), (len(scaled),))
    own = scaled[np.arange(len(scaled)), chosen]
    scaled[np.arange(len(scaled)), chosen] = -np.inf
    highest = scaled.max(axis=1, initial=-np.inf)
    others: NDArray[np.float64] = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
    odds: NDArray[np.float64] = own - others
    return odds


def selective_error_percent(logits: Logits, labels: Labels, temperature: float, coverage_percent: float) -> float:
    """Share of wrong digits among the surest tiles, 0..100.

    A tile is named by its best digit and is as sure as that digit's probability, against "not one digit" too.
    coverage_percent : which share of the tiles counts as the surest, above 0.
    """
    best = logits[:, :NOT_ONE_DIGIT].argmax(axis=1)
    order = np.argsort(-log_odds(logits, temperature, best), kind="stable")
    kept = order[: max(1, int(len(labels) * coverage_percent / 100.0))]
    return 100.0 * float((best[kept] != labels[kept]).mean())


def area_under_roc(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    """How often a positive's score is above a negative's, equal ones counted half; 0..1, 0.5 is chance.

    positives, negatives : scores (n,) and (m,), neither empty. The Mann-Whitney statistic: T. Fawcett, "An introduction to
    ROC analysis", 2006.
    """
    order = np.sort(negatives)
    below, up_to = np.searchsorted(order, positives, "left"), np.searchsorted(order, positives, "right")
    return float((below + up_to).sum() / (2.0 * len(positives) * len(negatives)))


def keeping_threshold(scores: NDArray[np.float64], kept_percent: float) -> float:
    """The lowest score up to which at least so many percent of the scores lie. scores : (n,), n > 0."""
    return float(np.sort(scores)[max(0, math.ceil(len(scores) * kept_percent / 100.0) - 1)])


def named(logits: Logits, temperature: float, threshold: float) -> NDArray[np.bool_]:
    """Which tiles the reader would name as a digit: the best guess is one and its confidence reaches the threshold."""
    given = probabilities(logits, temperature)
    result: NDArray[np.bool_] = (given.max(axis=1) >= threshold) & (given.argmax(axis=1) != NOT_ONE_DIGIT)
    return result


def rejected_percent(logits: Logits, temperature: float, threshold: float) -> float:
    """Share of tiles that are not named as any digit, 0..100."""
    return 100.0 - 100.0 * float(named(logits, temperature, threshold).mean())
