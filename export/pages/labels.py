"""Which of the glyphs that our own rooms propose on a generated page are digits: the truth for training on proposals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.weights import NOT_ONE_DIGIT

SAME: Final = 0.75
"""A proposal that shares this much of its box with a written digit's is that digit."""
NEAREST_IS_SAME: Final = 0.55
"""The proposal nearest to a digit is it already when it shares this much: ink found on a photograph is thinner or fatter."""
NOT_SAME: Final = 0.5
"""Below this it is no digit: a half, a pair. Between, nobody can say, and it is left out."""
MARGIN: Final = 0.1
"""Boxes grow by this share of their longer side first: else a stroke's width would decide about a 1."""

UNDECIDED: Final = 255


def label_boxes(proposed: Sequence[tuple[int, int, int, int]], boxes: NDArray[np.float64], digits: Sequence[int]) -> NDArray[np.uint8]:
    """A label for each proposed box.

    proposed : x, y, width, height in page pixels. boxes : float64 (k, 4), the written digits' boxes in the same pixels.
    digits : what each of them is, 0..9.
    Returns uint8 (n,): 0..9, NOT_ONE_DIGIT, or UNDECIDED.
    """
    labels = np.full(len(proposed), NOT_ONE_DIGIT, np.uint8)
    if not len(boxes) or not len(proposed):
        return labels
    shared = shared_area(_grown(np.array(proposed, np.float64)), _grown(boxes))
    nearest = shared.argmax(axis=1)
    most = shared.max(axis=1)
    best_of_digit = shared.argmax(axis=0)
    is_best = best_of_digit[nearest] == np.arange(len(proposed))
    same = (most >= SAME) | (is_best & (most >= NEAREST_IS_SAME))
    labels[same] = np.asarray(digits, np.uint8)[nearest[same]]
    labels[~same & (most >= NOT_SAME)] = UNDECIDED
    return labels


def shared_area(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box of a (n, 4) with every box of b (k, 4), each x, y, width, height: float64 (n, k)."""
    left = np.maximum(a[:, None, 0], b[None, :, 0])
    top = np.maximum(a[:, None, 1], b[None, :, 1])
    right = np.minimum((a[:, 0] + a[:, 2])[:, None], (b[:, 0] + b[:, 2])[None])
    bottom = np.minimum((a[:, 1] + a[:, 3])[:, None], (b[:, 1] + b[:, 3])[None])
    both = np.maximum(0, right - left) * np.maximum(0, bottom - top)
    either = (a[:, 2] * a[:, 3])[:, None] + (b[:, 2] * b[:, 3])[None] - both
    return np.asarray(both / np.maximum(either, 1e-9), np.float64)


def _grown(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    margin = MARGIN * boxes[:, 2:].max(axis=1, keepdims=True)
    return np.hstack([boxes[:, :2] - margin, boxes[:, 2:] + 2 * margin])
