"""Turns logits into the figures of a run record, and fits the temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.classifier import softmax
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.networks import ConvNetwork

BATCH: Final = 512
REJECT_THRESHOLD: Final = 0.5
"""Digits below this probability are "?" until calibration fits another."""

TEMPERATURES: Final = np.exp(np.linspace(np.log(0.2), np.log(3.0), 120))


def logits_of(network: ConvNetwork, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """tiles : uint8 (n, 28, 28). Returns float32 (n, 11), in evaluation mode."""
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(tiles), BATCH):
            batch = torch.from_numpy(as_model_input(tiles[start : start + BATCH])).to(device)
            parts.append(network(batch).float().cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, NOT_ONE_DIGIT + 1), np.float32)


def digit_figures(logits: NDArray[np.float32], labels: NDArray[np.uint8], temperature: float = 1.0) -> dict[str, float]:
    """Figures of a set of digits, in percent of n.

    accuracy : argmax over all 11 classes. accuracy_digits : argmax over the ten digits. rejected : below the threshold
    or "not one digit". wrong : named, and named wrongly.
    """
    probabilities = softmax(logits / np.float32(temperature))
    best = probabilities.argmax(axis=1)
    named = (best != NOT_ONE_DIGIT) & (probabilities.max(axis=1) >= REJECT_THRESHOLD)
    return {
        "n": len(labels),
        "accuracy": _percent(best == labels),
        "accuracy_digits": _percent(logits[:, :NOT_ONE_DIGIT].argmax(axis=1) == labels),
        "rejected": _percent(~named),
        "wrong": _percent(named & (best != labels)),
    }


def negative_figures(logits: NDArray[np.float32], temperature: float = 1.0) -> dict[str, float]:
    """Figures of a set of negatives, in percent of n: rejected at the threshold, and taken for a digit above 0.9."""
    probabilities = softmax(logits / np.float32(temperature))
    digit = probabilities[:, :NOT_ONE_DIGIT].max(axis=1)
    named = (probabilities.argmax(axis=1) != NOT_ONE_DIGIT) & (digit >= REJECT_THRESHOLD)
    return {"n": len(logits), "rejected": _percent(~named), "sure_digit": _percent(digit > 0.9)}


def all_figures(
    network: ConvNetwork, sets: Mapping[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]], temperature: float = 1.0
) -> dict[str, dict[str, float]]:
    """Figures of every hold-out, by name."""
    figures = {}
    for name, (tiles, labels) in sets.items():
        logits = logits_of(network, tiles)
        negative = len(labels) > 0 and bool((labels == NOT_ONE_DIGIT).all())
        figures[name] = negative_figures(logits, temperature) if negative else digit_figures(logits, labels, temperature)
    return figures


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """The temperature, 0.2..3, with the least negative log likelihood; 1.0 without samples."""
    if len(labels) == 0:
        return 1.0
    rows = np.arange(len(labels))
    losses = [-np.log(np.maximum(softmax(logits / np.float32(t))[rows, labels], 1e-12)).mean() for t in TEMPERATURES]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 4)


def _percent(hits: NDArray[np.bool_]) -> float:
    return round(100.0 * float(hits.mean()), 3) if hits.size else 0.0
