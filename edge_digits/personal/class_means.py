"""Nearest class mean with shrinkage: where one person's digits lie beside those of all others, in closed form.

Each class is taken for a normal cloud around its mean, all with one covariance (R. A. Fisher's linear discriminant, 1936), which
gives a linear head. The person's mean of a digit is drawn to that of all hands by how few samples there are (W. James and
C. Stein, 1961). What this head differs by from the one of all hands is what the person's hand differs by. Features are no
normal clouds, and their head is far too sure: only a tenth of the difference is taken, set by trial.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.personal.head import Difference, Floats, Outputs
from edge_digits.recognition.adapted import DIGITS

PRIOR_SAMPLES: Final = 10
"""So many samples and copies of a digit count as much as all other hands together."""
TRUST: Final = 0.1
COVARIANCE_SHRINKAGE: Final = 0.1
"""Share of a round cloud in the covariance (O. Ledoit and M. Wolf, 2004); without it thin directions rule."""


def shift_of_means(
    own: Outputs, labels: NDArray[np.int64], reserve: Outputs, reserve_labels: NDArray[np.uint8], temperature: float
) -> Difference:
    """The difference of heads between one person's class means and those of all hands.

    labels : int64 (n,), 0..9; a digit without samples stays where it is. reserve : of all ten digits.
    reserve_labels : uint8 (m,), 0..9. temperature : the model's own, > 0.
    """
    everyone, features = reserve.features.astype(np.float64), own.features.astype(np.float64)
    means = np.stack([everyone[reserve_labels == digit].mean(axis=0) for digit in range(DIGITS)])
    spread = everyone - means[reserve_labels]
    covariance = spread.T @ spread / len(everyone)
    round_part = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    precision = np.linalg.inv((1.0 - COVARIANCE_SHRINKAGE) * covariance + COVARIANCE_SHRINKAGE * round_part)
    moved = means.copy()
    for digit in np.unique(labels):
        mine = features[labels == digit]
        moved[digit] = (mine.sum(axis=0) + PRIOR_SAMPLES * means[digit]) / (len(mine) + PRIOR_SAMPLES)
    (weights, bias), (shipped_weights, shipped_bias) = _discriminant(moved, precision), _discriminant(means, precision)
    scale = TRUST * temperature
    return Difference((scale * (weights - shipped_weights)).astype(np.float32), (scale * (bias - shipped_bias)).astype(np.float32))


def _discriminant(means: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Weights (k, 10) and bias (10,) of log-densities around means (10, k), up to what all classes share."""
    return precision @ means.T, -0.5 * np.einsum("cj,jk,ck->c", means, precision, means)
