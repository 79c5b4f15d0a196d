"""Folds of a cross-validation: every class in every fold, and a picture that occurs twice never on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Fold:
    """Indices of what trains and of what is left out, int64 (n,), ascending."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]


def deal_folds(parts: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]], count: int, seed: int) -> list[Fold]:
    """Folds over several sets laid one after the other; those of a set do not depend on the sets beside it.

    parts : images uint8 (n, h, w) and labels uint8 (n,) of each set. count : at least 2.
    Equal pictures of one set and label share a fold.
    """
    if count < 2:
        raise ValueError(f"count is {count}; a cross-validation has at least 2 folds")
    fold_of = np.concatenate([_fold_of(images, labels, count, seed) for images, labels in parts])
    return [Fold(np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number)) for number in range(count)]


def _fold_of(images: NDArray[np.uint8], labels: NDArray[np.uint8], count: int, seed: int) -> NDArray[np.int64]:
    """The fold of each picture, int64 (n,): of each class the different pictures are dealt in a drawn order."""
    rng = np.random.default_rng(seed)
    fold_of = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        picture = np.unique(images[members].reshape(len(members), -1), axis=0, return_inverse=True)[1].reshape(-1)
        dealt = rng.permutation(int(picture.max()) + 1) % count
        fold_of[members] = dealt[picture]
    return fold_of
