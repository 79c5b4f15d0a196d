"""What a glyph in a box may be, seen several ways: a digit is sure when all views together say so.

The tile classifier judges the glyph as it stands, turned, slanted and a little bolder; the context network judges it in
its surroundings. One view alone is confidently wrong now and then: of 627 fields of hands that never trained, 58 % had
to be doubtful until none was silently wrong by the combined probability of both networks, 31 % by the views of the tile
taken together.
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


CONTEXT_VETO: Final = 0.3
"""A digit to which the context network gives less than this is not sure, however clear its tile is."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One glyph's probabilities, float64 (11,), 0..9 and "not one digit".

    combined : of tile and context, sums to 1. sure : what the views of the tile agree on, 0 where the context does not.
    """

    combined: NDArray[np.float64]
    sure: NDArray[np.float64]


def judge_glyphs(reader: Reader, ink: Ink, hypotheses: Sequence[Hypothesis]) -> list[Judged]:
    """Judge glyphs of one patch, the first of their clusters first; n may be 0."""
    if not hypotheses:
        return []
    views = [view for hypothesis in hypotheses for view in _views(hypothesis.picture)]
    predictions = reader.classifier.predict(make_tiles(views))
    tiles = predictions.probabilities.reshape(len(hypotheses), VIEWS, -1).astype(np.float64)
    own = np.exp(np.log(tiles + LEAST).mean(axis=1))
    own /= own.sum(axis=1, keepdims=True)
    if reader.context is None:
        return [Judged(row, row) for row in own]
    height = float(np.median([max(h.box[3], 0.6 * h.box[2]) for h in hypotheses]))
    plain = Predictions(tiles[:, 0].astype(np.float32), predictions.not_one_digit_share)
    context = reader.context.judge(Glyphs((), tuple(hypotheses), height, ink), plain).probabilities.astype(np.float64)
    both = np.sqrt(own * (context + LEAST))
    both /= both.sum(axis=1, keepdims=True)
    return [Judged(row, np.where(seen >= CONTEXT_VETO, views, 0.0)) for row, views, seen in zip(both, own, context, strict=True)]


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
