"""What a glyph in a box may be, seen several ways: a digit is sure when its least sure view is.

The tile classifier judges the glyph as it stands, turned, slanted and a little bolder; the context network judges it in
its surroundings. One view alone is confidently wrong now and then, all of them hardly ever: of 2,860 digits of
validation hands, 88 % had a least sure view of 0.90 and more, and none of these was wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Glyphs, Hypothesis
from edge_digits.paper.ink import Ink
from edge_digits.paper.tiles import make_tiles
from edge_digits.reader import Reader
from edge_digits.recognition.classifier import Predictions
from edge_digits.recognition.weights import NOT_ONE_DIGIT

Grey = NDArray[np.uint8]

TURNS_DEG: Final = (-7.0, 7.0)
SLANTS: Final = (-0.15, 0.15)
BOLDER_PX: Final = 2
RIM_PX: Final = 6
VIEWS: Final = 2 + len(TURNS_DEG) + len(SLANTS)
LEAST: Final = 1e-4
"""A view never rules a digit out altogether."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One glyph's probabilities, float64 (11,), rows of 0..9 and "not one digit".

    combined : of all views together, sums to 1. least : the lowest that any view gives.
    """

    combined: NDArray[np.float64]
    least: NDArray[np.float64]


def judge_glyphs(reader: Reader, ink: Ink, hypotheses: Sequence[Hypothesis]) -> list[Judged]:
    """Judge glyphs of one patch, the first of their clusters first; n may be 0."""
    if not hypotheses:
        return []
    views = [view for hypothesis in hypotheses for view in _views(hypothesis.picture)]
    predictions = reader.classifier.predict(make_tiles(views))
    tiles = predictions.probabilities.reshape(len(hypotheses), VIEWS, -1).astype(np.float64)
    seen = tiles
    if reader.context is not None:
        height = float(np.median([max(h.box[3], 0.6 * h.box[2]) for h in hypotheses]))
        plain = Predictions(tiles[:, 0].astype(np.float32), predictions.not_one_digit_share)
        context = reader.context.judge(Glyphs((), tuple(hypotheses), height, ink), plain).probabilities.astype(np.float64)
        seen = np.concatenate([tiles, context[:, None]], axis=1)
    found = []
    for rows in seen:
        # The views of the tile are one opinion, the context another.
        own = np.exp(np.log(rows[:VIEWS] + LEAST).mean(axis=0))
        both = np.sqrt(own * (rows[VIEWS] + LEAST)) if len(rows) > VIEWS else own
        found.append(Judged(both / both.sum(), rows.min(axis=0)))
    return found


def _views(glyph: Grey) -> list[Grey]:
    framed = np.asarray(cv2.copyMakeBorder(glyph, RIM_PX, RIM_PX, RIM_PX, RIM_PX, cv2.BORDER_CONSTANT, value=0), np.uint8)
    height, width = framed.shape
    moves = [cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0) for angle in TURNS_DEG]
    moves += [np.array([[1, slant, -slant * height / 2], [0, 1, 0]], np.float64) for slant in SLANTS]
    moved = [np.asarray(cv2.warpAffine(framed, move, (width, height)), np.uint8) for move in moves]
    return [framed, *moved, np.asarray(cv2.dilate(framed, np.ones((BOLDER_PX, BOLDER_PX), np.uint8)), np.uint8)]


def best_digit(judged: Judged) -> int:
    """The most probable digit, whether or not it is one."""
    return int(judged.combined[:NOT_ONE_DIGIT].argmax())
