"""What the company a glyph keeps says about it: on a page of letters an l is no 1.

The classifier's probabilities hold for a certain share of glyphs that are no digits. A table of numbers holds fewer, a
letter nearly nothing else: they are brought to the share found on the page and near the glyph, by expectation and
maximisation. Method: M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a priori
probabilities", Neural Computation 14, 2002; here with a share that varies over the page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.decode import Candidate
from edge_digits.recognition.weights import DEFAULT_NOT_ONE_DIGIT_SHARE, NOT_ONE_DIGIT

FIRST_SHARE: Final = 0.3
PAGE_GLYPHS: Final = 4.0
"""The page's share starts as if this many glyphs had been seen, FIRST_SHARE of them no digits."""
NEAR_GLYPHS: Final = 3.0
"""The share near a glyph starts as if this many glyphs of the page's mixture had been seen."""
REACH: Final = 0.6
"""Distance, in digit heights, over which a neighbour's say falls to a third."""
ROUNDS: Final = 8
LOWEST_COUNTED: Final = 0.45
"""Glyphs lower than this share of a digit have no say: points and dashes stand among numbers too."""


def adapt_to_page(candidates: list[Candidate], height: float, given_share: float = DEFAULT_NOT_ONE_DIGIT_SHARE) -> list[Candidate]:
    """The same candidates with probabilities that fit the page.

    height : typical height of the page's digits, in page pixels, > 0.
    given_share : share of "not one digit" for which the candidates' probabilities hold, 0..1.
    """
    if not candidates:
        return []
    boxes = np.array([c.box for c in candidates], np.float64)
    alone = np.clip(np.array([c.garbage_probability for c in candidates]), 1e-4, 1 - 1e-4)
    evidence = alone / (1 - alone) * (1 - given_share) / given_share
    counted = np.maximum(boxes[:, 2], boxes[:, 3]) >= LOWEST_COUNTED * height
    nearness = _nearness(boxes, height) * counted[None, :]
    garbage = alone
    for _ in range(ROUNDS):
        page = (garbage[counted].sum() + PAGE_GLYPHS * FIRST_SHARE) / (counted.sum() + PAGE_GLYPHS)
        near = (nearness @ garbage + NEAR_GLYPHS * page) / (nearness.sum(axis=1) + NEAR_GLYPHS)
        odds = evidence * near / (1 - near)
        garbage = odds / (1 + odds)
    return _with_garbage(candidates, garbage)


def _nearness(boxes: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """float64 (n, n): how much the glyph of a column says about that of a row; 0 about itself."""
    left, right = boxes[:, 0], boxes[:, 0] + boxes[:, 2]
    gap = np.maximum(0.0, np.maximum(left[:, None], left[None]) - np.minimum(right[:, None], right[None])) / height
    middle = boxes[:, 1] + boxes[:, 3] / 2
    off_line = np.abs(middle[:, None] - middle[None]) / height
    nearness = np.exp(-gap / REACH - (off_line / REACH) ** 2)
    np.fill_diagonal(nearness, 0.0)
    return np.asarray(nearness, np.float64)


def _with_garbage(candidates: list[Candidate], garbage: NDArray[np.float64]) -> list[Candidate]:
    """The candidates with other probabilities of "not one digit"; the digits share the rest as before."""
    probabilities = np.array([c.probabilities for c in candidates], np.float32)
    digits = probabilities[:, :NOT_ONE_DIGIT]
    digits *= ((1 - garbage) / np.maximum(digits.sum(axis=1), 1e-9)).astype(np.float32)[:, None]
    probabilities[:, NOT_ONE_DIGIT] = garbage
    return [replace(c, probabilities=row) for c, row in zip(candidates, np.minimum(probabilities, np.float32(1)), strict=True)]
