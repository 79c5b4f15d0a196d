"""Which way up a page is: turned so that the finder sees digits best.

Only asked where the finder is not sure of the digits as they stand; a page that reads well costs nothing. Digits that are some digit
either way (0, 8, the pair 6 and 9) tell nothing, so that in doubt the page stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Glyphs
from edge_digits.paper.overview import GLYPH_HEIGHT_PX, MULTIPLE, Overview, make_overview, writing_height
from edge_digits.recognition.classifier import Classifier, Predictions
from edge_digits.recognition.companions import CELL_PX
from edge_digits.recognition.finder import Finder, PageMaps, digits_a_cell, digits_seen
from edge_digits.recognition.glyph_turns import turn_of_glyphs
from edge_digits.recognition.weights import NOT_ONE_DIGIT

MOST_PIXELS: Final = 65_536
"""Of a larger overview only the part with most ink is looked at in all four directions."""
INKED: Final = 80
"""Pixels of an overview darker than this (of 255) are ink."""
READS_WELL: Final = 0.6
"""A page whose digits are seen with such sureness stands as it should."""
STRIP: Final = 4.0
"""A picture so many times wider than high holds a line of writing, which does not stand on a side."""
LEAST_PROBABILITY: Final = 0.3
"""A cell whose best digit is less probable than this counts nothing."""
LEAST_WORTH: Final = 6.0
"""About two digits."""
UPENDED: Final = 2
LEAST_GAIN: Final = {1: 2.0, 2: 1.3, 3: 2.0}
ONE_DIGIT: Final = 3.0
"""For each turn by how much more must be seen after it, and so much besides."""
LEAST_SHARE: Final = 0.12
"""Of the ink so much must be digits' after the turn: some letters are digits when they lie, as in 'bath', 4709."""
LEAST_SURENESS: Final = 0.4
"""And they must be seen with such sureness: of 245 pages that lay on a side or upside down 237 reach it once righted, while of a page of
text on its side 300 cells look a little like digits."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at a part of the page brought.

    seen : how many digits, each counted by its probability. worth : the same, each digit counted by the square of the probability of the
    digit that it most likely is, both times about four a digit. share : of the ink that is digits', 0..1.
    """

    seen: float
    worth: float
    share: float


def find_turn(finder: Finder, classifier: Classifier, glyphs: Glyphs, predictions: Predictions, maps: PageMaps) -> int:
    """Quarter turns counter-clockwise, 0..3, that bring the page upright; 0 wherever that is not clear.

    predictions : one row for each of glyphs.hypotheses, in their order. maps : of these glyphs, as the page stands.
    """
    if not glyphs.hypotheses:
        return 0
    whole = make_overview(glyphs, GLYPH_HEIGHT_PX / maps.scale)
    look = _look(maps, whole.picture)
    if look.worth >= READS_WELL * look.seen > 0:
        return 0
    rows, columns = _densest(whole.picture)
    worth = _look(_part(maps, rows, columns), whole.picture[rows, columns]).worth
    height, width = glyphs.ink.strokes.shape
    possible = (UPENDED,) if width >= STRIP * height else tuple(LEAST_GAIN)
    lying = make_overview(glyphs, writing_height(glyphs, lying=True)) if len(possible) > 1 else whole
    looks = {quarters: _turned_look(finder, whole if quarters == UPENDED else lying, quarters) for quarters in possible}
    best = max(looks, key=lambda quarters: looks[quarters].worth)
    seen = looks[best]
    if max(worth, seen.worth) < LEAST_WORTH:
        turn = turn_of_glyphs(glyphs, predictions, classifier)
        return turn if turn in possible else 0
    more = seen.worth >= LEAST_GAIN[best] * worth + ONE_DIGIT
    return best if more and seen.share >= LEAST_SHARE and seen.worth >= LEAST_SURENESS * seen.seen else 0


def _turned_look(finder: Finder, overview: Overview, quarters: int) -> _Look:
    picture = np.ascontiguousarray(np.rot90(overview.picture[_densest(overview.picture)], quarters))
    return _look(finder.look_at(Overview(picture, overview.scale)), picture)


def _look(maps: PageMaps, picture: NDArray[np.uint8]) -> _Look:
    digits = maps.classes[:NOT_ONE_DIGIT].max(axis=0)
    worth = np.where(digits >= LEAST_PROBABILITY, digits, 0.0) ** 2 * digits_a_cell(maps)
    inked = picture > INKED
    share = float(maps.strokes[inked].mean()) if inked.any() else 0.0
    return _Look(digits_seen(maps), float(worth.sum()), share)


def _part(maps: PageMaps, rows: slice, columns: slice) -> PageMaps:
    """rows, columns : multiples of a cell, in pixels of the overview."""
    down, across = slice(rows.start // CELL_PX, rows.stop // CELL_PX), slice(columns.start // CELL_PX, columns.stop // CELL_PX)
    return PageMaps(maps.strokes[rows, columns], maps.classes[:, down, across], maps.sizes[:, down, across], maps.scale)


def _densest(picture: NDArray[np.uint8]) -> tuple[slice, slice]:
    """The part of MOST_PIXELS at most, about square, that holds most ink; its sides and corner are multiples of MULTIPLE."""
    height, width = picture.shape
    side = int(MOST_PIXELS**0.5) // MULTIPLE * MULTIPLE
    down = min(height, max(side, MOST_PIXELS // width // MULTIPLE * MULTIPLE))
    across = min(width, MOST_PIXELS // down // MULTIPLE * MULTIPLE)
    table = cv2.integral((picture > INKED).astype(np.uint8))
    top, left = np.arange(0, height - down + 1, MULTIPLE)[:, None], np.arange(0, width - across + 1, MULTIPLE)[None]
    ink = table[top + down, left + across] - table[top, left + across] - table[top + down, left] + table[top, left]
    row, column = np.unravel_index(int(ink.argmax()), ink.shape)
    return slice(int(row) * MULTIPLE, int(row) * MULTIPLE + down), slice(int(column) * MULTIPLE, int(column) * MULTIPLE + across)
