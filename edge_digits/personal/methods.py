"""The ways to fit a head, among which cross-validation chooses: regression, class means, or one around the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_digits.personal.class_means import shift_of_means
from edge_digits.personal.head import Difference, FitOptions, Outputs, fit_head
from edge_digits.personal.jitter import copies_of


@dataclass(frozen=True, slots=True)
class Own:
    """One person's digits. outputs : of n digits as they were written. labels : int64 (n,), 0..9.

    copies : of the same digits jittered, in the same order, one Outputs a jitter.
    """

    outputs: Outputs
    labels: NDArray[np.int64]
    copies: tuple[Outputs, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Own:
        """The chosen digits with their copies."""
        return Own(self.outputs.take(index), self.labels[index], tuple(copy.take(index) for copy in self.copies))

    def with_copies(self) -> tuple[Outputs, NDArray[np.int64]]:
        """All that is learned from, and its labels: the digits, then as many copies as so many digits need."""
        copies = self.copies[: copies_of(len(self))]
        return join([self.outputs, *copies]), np.tile(self.labels, 1 + len(copies))


def join(parts: Sequence[Outputs]) -> Outputs:
    """Outputs one below the other; at least one."""
    return Outputs(np.concatenate([part.logits for part in parts]), np.concatenate([part.features for part in parts]))


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

    def fit(self, own: Own, kept: Kept, temperature: float) -> Difference:
        """The head's difference; zero where there are no own digits."""
        digits, labels = own.with_copies()
        start = None
        if self.name != "regression":
            start = shift_of_means(digits, labels, kept.outputs, kept.labels, temperature)
        if start is not None and self.name == "means":
            return start
        return fit_head(digits, labels, kept.outputs, FitOptions(self.strength, self.reserve_weight, temperature), start)


METHODS: Final = (
    Method("both", 0.0001, 32.0),
    Method("both", 0.0001, 64.0),
    Method("regression", 0.00003, 32.0),
    Method("means"),
)
"""The most that each can learn comes first."""
