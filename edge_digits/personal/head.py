"""Fits the last layer: multinomial logistic regression among the ten digits, held to the shipped head, in numpy alone.

What is learned is a difference to the shipped head, pulled to zero (biased regularisation: W. Kienzle and K. Chellapilla,
"Personalized handwriting recognition via biased regularization", ICML 2006), while on the reserve the answers of the
shipped model are kept as they were (learning without forgetting: Z. Li and D. Hoiem, ECCV 2016). The loss is convex;
it is minimised by quasi-Newton steps, the first of them in the metric of a fixed bound of its curvature (D. Boehning, 1992).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.adapted import DIGITS

STEPS: Final = 60
"""Enough: after 2,000 steps on trial no weight differed by 0.6 % of the largest, and no digit was read otherwise."""
MEMORY: Final = 8
SHORTEST_STEP: Final = 1e-4
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

    def plus(self, other: Difference) -> Difference:
        """Both together."""
        return Difference(self.weights + other.weights, self.bias + other.bias)


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


def fit_head(own: Outputs, labels: NDArray[np.int64], reserve: Outputs, options: FitOptions, start: Difference | None = None) -> Difference:
    """Fit the head's difference to own samples while the reserve keeps its answers.

    labels : int64 (n,), 0..9, of the own samples. n may be 0, then the difference is zero.
    reserve : of digits only. start : what it is pulled to instead of zero.
    """
    start = start or no_difference(own)
    scale = _typical_norm(reserve.features)
    features = np.concatenate([own.features, reserve.features]).astype(np.float64) / scale
    inputs = np.column_stack([features, np.ones(len(features))])
    kept = reserve.logits[:, :DIGITS].astype(np.float64) / options.temperature
    logits = np.concatenate([start.apply(own), start.apply(reserve)]).astype(np.float64) / options.temperature
    wanted = np.concatenate([np.eye(DIGITS)[labels], softmax(kept)])
    share = np.concatenate(
        [
            np.full(len(own), 1.0 / max(1, len(own))),
            np.full(len(reserve), options.reserve_weight / max(1, len(reserve))),
        ]
    )
    moved = _minimise(inputs, logits, wanted, share, options.strength) * options.temperature
    learned = Difference((moved[:-1] / scale).astype(np.float32), moved[-1].astype(np.float32))
    return start.plus(learned)


def no_difference(outputs: Outputs) -> Difference:
    """The shipped head itself, for the features of these outputs."""
    return Difference(np.zeros((outputs.features.shape[1], DIGITS), np.float32), np.zeros(DIGITS, np.float32))


def _minimise(inputs: Floats, logits: Floats, wanted: Floats, share: Floats, strength: float) -> Floats:
    """Limited-memory BFGS (J. Nocedal, 1980), begun in the metric of the fixed bound; softmax's loss curves nowhere more than it."""
    bound = 0.5 * (inputs * share[:, None]).T @ inputs + strength * np.eye(inputs.shape[1])
    inverse = np.asarray(np.linalg.inv(bound), np.float64)

    def loss_and_slope(now: Floats) -> tuple[float, Floats]:
        log_likely = log_softmax(logits + inputs @ now)
        error = (np.exp(log_likely) - wanted) * share[:, None]
        loss = -float((share[:, None] * wanted * log_likely).sum()) + 0.5 * strength * float((now**2).sum())
        return loss, inputs.T @ error + strength * now

    now = np.zeros((inputs.shape[1], logits.shape[1]))
    loss, slope = loss_and_slope(now)
    steps: deque[tuple[Floats, Floats]] = deque(maxlen=MEMORY)
    for _ in range(STEPS):
        ahead = -_scaled(slope, steps, inverse)
        down, length = float((ahead * slope).sum()), 1.0
        while True:
            tried = now + length * ahead
            new_loss, new_slope = loss_and_slope(tried)
            if new_loss <= loss + 1e-4 * length * down or length < SHORTEST_STEP:
                break
            length *= 0.5
        if new_loss >= loss:
            break
        change, bend = tried - now, new_slope - slope
        if float((change * bend).sum()) > 0.0:
            steps.append((change, bend))
        now, loss, slope = tried, new_loss, new_slope
        if float(np.abs(change).max()) < CONVERGED:
            break
    return now


def _scaled(slope: Floats, steps: deque[tuple[Floats, Floats]], inverse: Floats) -> Floats:
    """The slope times an estimate of the inverse curvature: the two loops over the last steps."""
    direction, along = slope.copy(), []
    for change, bend in reversed(steps):
        share = float((change * direction).sum()) / float((change * bend).sum())
        direction -= share * bend
        along.append(share)
    direction = inverse @ direction
    for (change, bend), share in zip(steps, reversed(along), strict=True):
        direction += (share - float((bend * direction).sum()) / float((change * bend).sum())) * change
    return direction


def _typical_norm(features: NDArray[np.float32]) -> float:
    """Root mean square length of the features, so that strength means the same for every model."""
    return float(np.sqrt((features.astype(np.float64) ** 2).sum(axis=1).mean())) or 1.0


def log_softmax(logits: Floats) -> Floats:
    """Row-wise logarithm of softmax of (n, k)."""
    shifted: Floats = logits - logits.max(axis=1, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float64)


def softmax(logits: Floats) -> Floats:
    """Row-wise softmax of (n, k)."""
    return np.asarray(np.exp(log_softmax(logits)), np.float64)
