"""Which of the glyphs that our own rooms propose on a generated page are digits: the truth for training on proposals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.weights import NOT_ONE_DIGIT

SAME: Final = 0.75
"""A proposal that shares this much of its box with a written digit's is that digit."""
NEAREST_IS_SAME: Final = 0.55
"""The proposal nearest to a digit is it already when it shares this much: ink found on a photograph is thinner or fatter."""
NOT_SAME: Final = 0.5
"""Below this it is no digit: a half, a pair. Between, nobody can say, and it is left out."""
NOT_SAME_BY_HAND: Final = 0.3
"""The same where boxes were drawn by hand, which lie beside their digit now and then."""
MARGIN: Final = 0.1
"""Boxes grow by this share of their longer side first: else a stroke's width would decide about a 1."""

UNDECIDED: Final = 255

WHOLE_DIGIT: Final = 0.6
"""A cluster holds a digit whose box its ink fills to this share of the height."""
NO_PART: Final = 0.35
"""Ink that fills less of a digit's box belongs to a neighbour. Between, a part of a digit stands there, and nobody can say what to read."""
LETTER_HEIGHT: Final = 0.45
"""Left-over ink this high, in digit heights, is a letter or a sign; lower is a point, a dash, the end of a line."""
LETTER_INK: Final = 0.2
"""And of at least this share of a digit's ink."""


def label_boxes(
    proposed: Sequence[tuple[int, int, int, int]], boxes: NDArray[np.float64], digits: Sequence[int], not_same: float = NOT_SAME
) -> NDArray[np.uint8]:
    """A label for each proposed box.

    proposed : x, y, width, height in page pixels. boxes : float64 (k, 4), the written digits' boxes in the same pixels.
    digits : what each of them is, 0..9. not_same : proposals that share less with every digit are none.
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
    labels[~same & (most >= not_same)] = UNDECIDED
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


def label_cluster(
    picture: NDArray[np.uint8], corner: tuple[int, int], boxes: NDArray[np.float64], digits: Sequence[int], *, letters: bool = True
) -> list[int] | None:
    """What stands in a cluster, left to right: digits, and NOT_ONE_DIGIT once for each stretch of anything else.

    picture : uint8 (h, w), all ink of the cluster. corner : its x and y in page pixels. boxes : float64 (k, 4), the written digits'
    boxes, x, y, width, height in page pixels. digits : what each of them is. letters : whether left-over ink is told as
    NOT_ONE_DIGIT; not on printed patterns. None where a digit stands in the cluster only in part.
    """
    found: list[tuple[float, int]] = []
    rest = picture.copy()
    filled = []
    for (x, y, width, height), digit in zip(boxes - [*corner, 0, 0], digits, strict=True):
        rows = slice(max(0, round(y)), max(0, min(picture.shape[0], round(y + height))))
        columns = slice(max(0, round(x)), max(0, min(picture.shape[1], round(x + width))))
        ink = picture[rows, columns]
        inked = np.flatnonzero(ink.any(axis=1)) if ink.size else np.zeros(0, np.intp)
        share = (inked[-1] - inked[0] + 1) / height if inked.size else 0.0
        if share >= WHOLE_DIGIT:
            found.append((x + width / 2, int(digit)))
            filled.append((height, np.count_nonzero(ink)))
            grown = round(MARGIN * max(width, height))
            rest[max(0, rows.start - grown) : rows.stop + grown, max(0, columns.start - grown) : columns.stop + grown] = 0
        elif share > NO_PART:
            return None
    if not found:
        return [NOT_ONE_DIGIT]
    if letters:
        height, ink_of_digit = np.median(np.array(filled), axis=0)
        _, _, stats, centroids = cv2.connectedComponentsWithStats(rest, connectivity=8)
        for (_, _, _, tall, area), middle in zip(stats[1:], centroids[1:], strict=True):
            if tall >= LETTER_HEIGHT * height and area >= LETTER_INK * ink_of_digit:
                found.append((float(middle[0]), NOT_ONE_DIGIT))
    labels = [label for _, label in sorted(found, key=lambda pair: pair[0])]
    return [label for at, label in enumerate(labels) if not (at and label == labels[at - 1] == NOT_ONE_DIGIT)]
