"""Cuts pieces of ink only where the whole is not surely one digit: most digits touch no other, and cuts cost time."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from edge_digits.paper.glyphs import Glyphs, cut_glyphs
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier, Predictions
from edge_digits.recognition.weights import NOT_ONE_DIGIT

SURE: Final = 0.98
"""A piece that is one digit with this probability is not cut: no path over its parts would be worth more (decode.SPLIT_COST)."""
WIDEST: Final = 1.3
TALLEST: Final = 1.6
"""A piece wider than this many of its heights, or taller than so many typical ones, may be several digits however sure it looks."""


def cut_where_unsure(glyphs: Glyphs, predictions: Predictions, classifier: Classifier) -> tuple[Glyphs, Predictions]:
    """Glyphs cut where they may be several digits, and the predictions for all their hypotheses.

    glyphs : of find_pieces. predictions : one row for each of glyphs.hypotheses, in their order.
    """
    cut, known = cut_glyphs(glyphs, set(range(len(glyphs.clusters))) - sure_digits(glyphs, predictions))
    probabilities = np.zeros((len(cut.hypotheses), predictions.probabilities.shape[1]), np.float32)
    probabilities[known >= 0] = predictions.probabilities[known[known >= 0]]
    new = np.flatnonzero(known < 0)
    if len(new):
        probabilities[new] = classifier.predict(make_tiles([cut.hypotheses[at].picture for at in new])).probabilities
    return cut, replace(predictions, probabilities=probabilities)


def sure_digits(glyphs: Glyphs, predictions: Predictions) -> set[int]:
    """Indices of the clusters that are one piece and surely one digit."""
    sure = set()
    for hypothesis, row in zip(glyphs.hypotheses, predictions.probabilities, strict=True):
        _, _, width, height = hypothesis.box
        one_digit = width <= WIDEST * height and height <= TALLEST * glyphs.typical_height
        if one_digit and len(glyphs.clusters[hypothesis.cluster]) == 1 and float(row[:NOT_ONE_DIGIT].max()) >= SURE:
            sure.add(hypothesis.cluster)
    return sure
