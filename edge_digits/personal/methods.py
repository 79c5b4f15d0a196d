"""The ways to fit a head, among which cross-validation chooses: regression, class means, or one around the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_digits.personal.class_means import shift_of_means
from edge_digits.personal.head import Difference, FitOptions, Outputs, fit_head


@dataclass(frozen=True, slots=True)
class Kept:
    """What must not be forgotten: digits of many hands. labels : uint8 (m,), 0..9."""

    outputs: Outputs
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.bool_]) -> Kept:
        """The chosen rows."""
        return Kept(self.outputs.take(index), self.labels[index])


@dataclass(frozen=True, slots=True)
class Method:
    """One way to fit a head.

    name : "regression" pulled to the shipped head, shifted class "means" alone, or "both": regression pulled to those means.
    strength, reserve_weight : as in FitOptions; they have no part in "means".
    """

    name: Literal["regression", "means", "both"]
    strength: float = 0.0
    reserve_weight: float = 0.0

    def fit(self, own: Outputs, labels: NDArray[np.int64], kept: Kept, temperature: float) -> Difference:
        """The head's difference. labels : int64 (n,), 0..9; n may be 0, then it is zero."""
        start = None
        if self.name != "regression":
            start = shift_of_means(own, labels, kept.outputs, kept.labels, temperature)
        if start is not None and self.name == "means":
            return start
        return fit_head(own, labels, kept.outputs, FitOptions(self.strength, self.reserve_weight, temperature), start)


METHODS: Final = (
    Method("both", 0.003, 4.0),
    Method("both", 0.003, 16.0),
    Method("regression", 0.0003, 4.0),
    Method("means"),
)
"""The most that each can learn comes first."""
