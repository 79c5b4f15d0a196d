"""Invented hands: drawn digits that wander, and what a writer may do to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.personal.samples import Split, store_sample
from tests.strokes import draw_digit

Picture = NDArray[np.uint8]
Habit = Callable[[Picture], Picture]


def mirrored(ink: Picture) -> Picture:
    """A writer who turns a digit round, as children do."""
    return np.ascontiguousarray(ink[:, ::-1])


def write_samples(folder: Path, each: int, habits: Mapping[int, Habit], *, seed: int = 1, split: Split = "train", shift: int = 0) -> Path:
    """Store `each` drawings of every digit, tilted and stretched by chance, with the habits of one hand.

    shift : added to each label, modulo ten; anything but 0 labels them wrongly.
    """
    chance = np.random.default_rng(seed)
    for digit in range(10):
        for _ in range(each):
            ink = cv2.copyMakeBorder(draw_digit(digit, 90, chance.uniform(6, 10)), 25, 25, 25, 25, cv2.BORDER_CONSTANT, value=0)
            ink = habits.get(digit, lambda same: same)(np.asarray(ink, np.uint8))
            matrix = cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), chance.uniform(-8, 8), chance.uniform(0.9, 1.1))
            matrix[0, 1] += chance.uniform(-0.15, 0.15)
            tilted = cv2.warpAffine(ink, matrix, (ink.shape[1], ink.shape[0]))
            store_sample(folder, split, (digit + shift) % 10, np.asarray(245 - tilted * (205 / 255), np.uint8))
    return folder
