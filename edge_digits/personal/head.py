"""Fits the last layer: multinomial logistic regression among the ten digits, held to the shipped head, in numpy alone.

What is learned is a difference to the shipped head, pulled to zero (biased regularisation: W. Kienzle and K. Chellapilla,
"Personalized handwriting recognition via biased regularization", ICML 2006), while on the reserve the answers of the
shipped model are kept as they were (learning without forgetting: Z. Li and D. Hoiem, ECCV 2016). The loss is convex;
it is minimised by accelerated gradient steps in the metric of a fixed bound of its curvature (D. Boehning, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.adapted import DIGITS

STEPS: Final = 300
CONVERGED: Final = 1e-3
"""Stop when no score moves by more than this in a step, in units of logits per unit feature."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the shipped model says of n tiles.

    logits : float32 (n, 11). features : float32 (n, k).
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.logits)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Outputs:
        """The chosen rows."""
        return Outputs(self.logits[index], self.features[index])


@dataclass(frozen=True, slots=True)
class Difference:
    """What is added to the digits' logits. weights : float32 (k, 10), bias : float32 (10,)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def apply(self, outputs: Outputs) -> NDArray[np.float32]:
        """Adapted logits of the digits, float32 (n, 10), before they are levelled against "not one digit"."""
        return outputs.logits[:, :DIGITS] + outputs.features @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How strongly the head is held.

    strength : weight of the pull towards the shipped head, > 0; small values let it move.
    reserve_weight : weight of the whole reserve against the whole of the own samples, > 0.
    temperature : the model's own, by which logits are divided before softmax.
    """

    strength: float = 0.01
    reserve_weight: float = 1.0
    temperature: float = 1.0


def fit_head(own: Outputs, labels: NDArray[np.int64], reserve: Outputs, options: FitOptions) -> Difference:
    """Fit the head's difference to own samples while the reserve keeps its answers.

    labels : int64 (n,), 0..9, of the own samples. n may be 0, then the difference is zero.
    reserve : of digits only.
    """
    scale = _typical_norm(reserve.features)
    features = np.concatenate([own.features, reserve.features]).astype(np.float64) / scale
    inputs = np.column_stack([features, np.ones(len(features))])
    logits = np.concatenate([own.logits, reserve.logits])[:, :DIGITS].astype(np.float64) / options.temperature
    wanted = np.concatenate([np.eye(DIGITS)[labels], softmax(logits[len(own) :])])
    share = np.concatenate(
        [
            np.full(len(own), 1.0 / max(1, len(own))),
            np.full(len(reserve), options.reserve_weight / max(1, len(reserve))),
        ]
    )
    moved = _minimise(inputs, logits, wanted, share, options.strength) * options.temperature
    return Difference((moved[:-1] / scale).astype(np.float32), moved[-1].astype(np.float32))


def _minimise(inputs: Floats, logits: Floats, wanted: Floats, share: Floats, strength: float) -> Floats:
    """Nesterov's steps; the curvature of softmax's loss is nowhere above one half of the weighted inputs' own."""
    bound = 0.5 * (inputs * share[:, None]).T @ inputs + strength * np.eye(inputs.shape[1])
    inverse = np.linalg.inv(bound)
    now = ahead = np.zeros((inputs.shape[1], logits.shape[1]))
    momentum = 1.0
    for _ in range(STEPS):
        error = (softmax(logits + inputs @ ahead) - wanted) * share[:, None]
        step = ahead - inverse @ (inputs.T @ error + strength * ahead)
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        change = step - now
        ahead = step + (momentum - 1.0) / following * change
        now, momentum = step, following
        if float(np.abs(change).max()) < CONVERGED:
            break
    return now


def _typical_norm(features: NDArray[np.float32]) -> float:
    """Root mean square length of the features, so that strength means the same for every model."""
    return float(np.sqrt((features.astype(np.float64) ** 2).sum(axis=1).mean())) or 1.0


def softmax(logits: Floats) -> Floats:
    """Row-wise softmax of (n, k)."""
    shifted: Floats = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float64)
