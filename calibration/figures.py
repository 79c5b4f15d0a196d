"""The figures by which a model is judged; pure functions of logits and labels."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tile_sets import Labels
from edge_digits.recognition.classifier import softmax
from edge_digits.recognition.weights import NOT_ONE_DIGIT

ECE_BINS: Final = 15
"""As in C. Guo et al., "On calibration of modern neural networks", 2017."""

Logits = NDArray[np.float32]


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
    """Expected calibration error over 15 equal bins of confidence, 0..100: how far confidence is from accuracy."""
    given = probabilities(logits, temperature)
    confidence, right = given.max(axis=1), given.argmax(axis=1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = [abs(float(right[bins == b].mean()) - float(confidence[bins == b].mean())) * float((bins == b).mean()) for b in np.unique(bins)]
    return 100.0 * sum(gaps)


def named(logits: Logits, temperature: float, threshold: float) -> NDArray[np.bool_]:
    """Which tiles the reader would name as a digit: the best guess is one and its confidence reaches the threshold."""
    given = probabilities(logits, temperature)
    result: NDArray[np.bool_] = (given.max(axis=1) >= threshold) & (given.argmax(axis=1) != NOT_ONE_DIGIT)
    return result


def rejected_percent(logits: Logits, temperature: float, threshold: float) -> float:
    """Share of tiles that are not named as any digit, 0..100."""
    return 100.0 - 100.0 * float(named(logits, temperature, threshold).mean())
