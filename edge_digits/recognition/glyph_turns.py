"""Which way up a page is by its glyphs alone: turned so that most of them become digits.

Asked where the finder sees no digits in any direction, as of writing that it takes for print.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Fragment, Glyphs, enclosing, put_together
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier, Predictions
from edge_digits.recognition.weights import NOT_ONE_DIGIT

LEAST_GAIN: Final = 2.0
GAIN_A_GLYPH: Final = 0.15
"""Log-probability that a turn must gain over the page as it stands, and so much more for every glyph looked at: about one
sure digit more among five."""
FEWEST_TO_TURN: Final = 3
FEWEST_TO_UPEND: Final = 5
"""Glyphs needed for a quarter turn and for a half: few letters upside down are digits too, as in 'bath', 4709."""
MOSTLY_DIGITS: Final = -0.5
"""Mean log-probability that the glyphs of a turned page must reach: a page of text has its digits too, however it is held.
Where most glyphs stand above each other rather than beside, which lines that lie on a side do, a quarter turn needs less."""
STACKED: Final = ((0.75, -1.7), (0.5, -1.0))
"""Shares of glyphs whose nearest neighbour stands above or below, and the mean log-probability that is enough there.

With these values alone, of 44 photographed pages with digits no upright one is turned, and 33 of those lying on their right
side, 33 on their left and 15 upside down are righted; none of 61 pages of text, signs, drawings or nothing is turned."""
FLOOR: Final = 0.1
"""A glyph is no digit at all below this probability: letters and stains would rule the sum by how sure they are none."""
LOG_FLOOR: Final = math.log(FLOOR)
STROKE: Final = 1
"""A bar is a 1 or a dash, according to how it lies: it has no say."""
MOST_GLYPHS: Final = 32
SIZES: Final = (0.45, 2.2)
"""Glyphs between these shares of the typical height have a say."""


def turn_of_glyphs(glyphs: Glyphs, predictions: Predictions, classifier: Classifier) -> int:
    """Quarter turns counter-clockwise, 0..3, that bring the page upright; 0 wherever that is not clear.

    predictions : one row for each of glyphs.hypotheses, in their order.
    """
    fitting = _pieces(glyphs)
    pieces = fitting[:: -(-len(fitting) // MOST_GLYPHS) or 1]
    least = LEAST_GAIN + GAIN_A_GLYPH * len(pieces)
    if len(pieces) < FEWEST_TO_TURN or _most_to_gain(glyphs, pieces, predictions) < least:
        return 0
    pictures = [put_together(piece) for piece in pieces]
    worth = []
    for quarters in range(4):
        turned = [np.ascontiguousarray(np.rot90(picture, quarters)) for picture in pictures]
        worth.append(float(_digit_logs(classifier.predict(make_tiles(turned)).probabilities).sum()))
    best = int(np.argmax(worth))
    too_few = best == 2 and len(pieces) < FEWEST_TO_UPEND
    if too_few or worth[best] - worth[0] < least:
        return 0
    stacked = 0.0 if best == 2 else _stacked(pieces, fitting)
    needed = next((mean for share, mean in STACKED if stacked >= share), MOSTLY_DIGITS)
    return best if worth[best] >= needed * len(pieces) else 0


def _pieces(glyphs: Glyphs) -> list[list[Fragment]]:
    """The fragments of each connected piece of a digit's size.

    Pieces stay what they are when the page is turned. Clusters and cuts do not: digits of a number that lies on its side
    stand above each other as the parts of one digit do, and each looks as wide as two.
    """
    pieces: dict[int, list[Fragment]] = {}
    for cluster in glyphs.clusters:
        for fragment in cluster:
            pieces.setdefault(fragment.piece, []).append(fragment)
    return [piece for piece in pieces.values() if _fits(piece, glyphs.typical_height)]


def _bounds(piece: list[Fragment]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    x, y, w, h = enclosing(piece)
    return x, y, x + w, y + h


def _fits(piece: list[Fragment], height: float) -> bool:
    return SIZES[0] * height <= max(enclosing(piece)[2:]) <= SIZES[1] * height


def _stacked(pieces: list[list[Fragment]], among: list[list[Fragment]]) -> float:
    """Share of the pieces whose nearest neighbour among all stands above or below them, not beside."""
    mine, others = (np.array([_bounds(piece) for piece in group], np.float64) for group in (pieces, among))
    beside = np.maximum(mine[:, None, 0], others[None, :, 0]) - np.minimum(mine[:, None, 2], others[None, :, 2])
    above = np.maximum(mine[:, None, 1], others[None, :, 1]) - np.minimum(mine[:, None, 3], others[None, :, 3])
    distance = np.hypot(np.maximum(beside, 0.0), np.maximum(above, 0.0))
    distance[(mine[:, None] == others[None]).all(axis=2)] = np.inf
    row, nearest = np.arange(len(mine)), distance.argmin(axis=1)
    return float((above[row, nearest] > beside[row, nearest]).mean())


def _most_to_gain(glyphs: Glyphs, pieces: list[list[Fragment]], predictions: Predictions) -> float:
    """What a turn could gain at most: all that the pieces lack of being sure digits as they stand."""
    logs = _digit_logs(predictions.probabilities)
    bars = predictions.probabilities.argmax(axis=1) == STROKE
    known = {hypothesis.box: 0.0 if bars[i] else float(logs[i]) for i, hypothesis in enumerate(glyphs.hypotheses)}
    lacking = 0.0
    for piece in pieces:
        lacking -= known.get(enclosing(piece), LOG_FLOOR)
    return lacking


def _digit_logs(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each row the log-probability of its best digit other than a bar, at least log FLOOR."""
    digits = probabilities[:, :NOT_ONE_DIGIT].astype(np.float64)
    digits[:, STROKE] = 0.0
    return np.asarray(np.log(np.maximum(digits.max(axis=1), FLOOR)), np.float64)
