"""Finds which number of a frame is which number of the frames before: by where it stands and by what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.reading import Box

NEAR: Final = 0.5
"""Boxes whose centres are closer than this share of the larger height stand in one place, even without overlap."""
MIN_OVERLAP: Final = 0.3
SAME_TEXT_BONUS: Final = 1.0
"""Of two numbers in reach the one with the same text wins, whatever the overlap (which is at most 1)."""

Named = tuple[str, Box]


def match_numbers(known: Sequence[Named], seen: Sequence[Named]) -> list[tuple[int, int]]:
    """Pairs (index in known, index in seen), each index at most once.

    First the common shift of the whole sheet is taken out, then numbers are paired by place, then what is left by text.
    """
    if not known or not seen:
        return []
    scores = _scores_by_place(known, seen, _sheet_shift(known, seen))
    pairs = _best_first(scores)
    used_known, used_seen = {k for k, _ in pairs}, {s for _, s in pairs}
    by_text = np.zeros(scores.shape)
    for k, (text, box) in enumerate(known):
        for s, (other, place) in enumerate(seen):
            if text == other and k not in used_known and s not in used_seen:
                by_text[k, s] = 1.0 / (1.0 + _distance(box, place))
    return pairs + _best_first(by_text)


def _best_first(scores: NDArray[np.float64]) -> list[tuple[int, int]]:
    scores = scores.copy()
    pairs = []
    while scores.size and scores.max() > 0:
        k, s = divmod(int(scores.argmax()), scores.shape[1])
        pairs.append((k, s))
        scores[k, :] = scores[:, s] = 0.0
    return pairs


def _scores_by_place(known: Sequence[Named], seen: Sequence[Named], shift: tuple[float, float]) -> NDArray[np.float64]:
    """(known, seen) scores, 0 where two do not stand in one place."""
    a = np.array([box for _, box in known], float)[:, None, :] + np.array([*shift, 0.0, 0.0])
    b = np.array([box for _, box in seen], float)[None, :, :]
    wide = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    high = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = wide.clip(0) * high.clip(0)
    overlap = shared / (a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - shared).clip(1e-9)
    apart = np.hypot(a[..., 0] + a[..., 2] / 2 - b[..., 0] - b[..., 2] / 2, a[..., 1] + a[..., 3] / 2 - b[..., 1] - b[..., 3] / 2)
    reach = NEAR * np.maximum(a[..., 3], b[..., 3]).clip(1.0)
    closeness = (1.0 - apart / reach).clip(0.0)
    same = np.array([[SAME_TEXT_BONUS * (t == u) for u, _ in seen] for t, _ in known])
    return np.where((overlap >= MIN_OVERLAP) | (closeness > 0), np.maximum(overlap, closeness) + same, 0.0)


def _sheet_shift(known: Sequence[Named], seen: Sequence[Named]) -> tuple[float, float]:
    """How far the sheet moved, by numbers whose text stands once in both; (0, 0) unless at least two of them agree."""
    once_known = [text for text, n in Counter(t for t, _ in known).items() if n == 1]
    once_seen = {text for text, n in Counter(t for t, _ in seen).items() if n == 1}
    places, arrivals = dict(known), dict(seen)
    moves = np.array([np.subtract(_centre(arrivals[t]), _centre(places[t])) for t in once_known if t in once_seen])
    if len(moves) < 2:
        return 0.0, 0.0
    middle = np.median(moves, axis=0)
    reach = NEAR * float(np.median([box[3] for _, box in seen]))
    agreeing = np.hypot(*(moves - middle).T) <= max(reach, 1.0)
    return (float(middle[0]), float(middle[1])) if agreeing.sum() >= max(2, len(moves) / 2) else (0.0, 0.0)


def _centre(box: Box) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def _distance(one: Box, other: Box) -> float:
    (x, y), (u, v) = _centre(one), _centre(other)
    return float(np.hypot(x - u, y - v))
