"""Looks at a whole page at once: which ink is a written digit's, and where digits have their middle.

Words, print and frames are told from digits by what stands around them, further away than the surroundings of one glyph reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.options import RecognitionOptions
from edge_digits.paper.connected import connected_ink
from edge_digits.paper.glyphs import Glyphs
from edge_digits.paper.ink import Ink
from edge_digits.paper.overview import GLYPH_HEIGHT_PX, Overview, make_overview, writing_height
from edge_digits.recognition.classifier import Predictions, softmax
from edge_digits.recognition.companions import CELL_PX, as_companion_input, open_companion
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT, WEIGHTS_FOLDER, ModelFile

CLASSES: Final = len(LABELS)
SIZES: Final = (-1.0, 4.0)
"""Natural logarithms of the smallest and the largest digit, in cells."""
LARGEST_LOGIT: Final = 30.0
CORE_SHARE: Final = 0.3
"""Share of a digit's height and width within which cells are its middle, as export/pages/crops.py marks them."""
LARGEST_MISJUDGEMENT: Final = 0.45
"""Natural logarithm of the factor by which digits may be larger or smaller than was thought."""
MIXED: Final = (0.02, 0.9)
"""A connected piece of ink of which this share is digits hangs together with something else: a frame, a line, a letter."""
LARGE: Final = 2.5
"""And of which a side is longer than so many heights of the page's writing."""
STROKE_PROBABILITY: Final = 0.25
"""From this on a pixel of such a piece stays."""

SHARE_WEIGHT: Final = 1.3
CLASS_WEIGHT: Final = 1.0
"""How far the finder's word counts, in logits, beside those who saw the glyph larger: whether its ink is a digit's, and what has its middle
there."""
TRUST: Final = 2.5
"""Taken from the logit of "not one digit": what the finder has seen need not be doubted as much as without it (context.CAUTION)."""
SURE_TILE, SURE_CLASS, SURE_SHARE = 0.98, 0.9, 0.8
"""A digit that reaches all three is settled. Of 46,000 hypotheses of 243 pages and strings 1,200 were, and no page was read otherwise
for it; on a clean page most digits are."""
LEAST_SHARE: Final = 0.06
"""The finder is never surer than this that something is or is not a digit: surer, it refused writing as neat as print."""
WHICH_WEIGHT: Final = 0.7
LEAST_OF_ONE: Final = 0.02
"""Which digit it is counts less: it sees strokes too small. Of the ten it gives none less than this."""
LEAST_PROBABILITY: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PageMaps:
    """What the finder network says of a page.

    strokes : float32 (h, w), probability of each pixel of the overview that it is a written digit's ink. classes : float32
    (11, h / 4, w / 4), probabilities of each cell that a digit has its middle there, the last that none has. sizes : float32
    (2, h / 4, w / 4), height and width of that digit in overview pixels. scale : overview pixels a page pixel.
    """

    strokes: NDArray[np.float32]
    classes: NDArray[np.float32]
    sizes: NDArray[np.float32]
    scale: float


class Finder:
    """The finder network, ready to look. Built once; calls are re-entrant."""

    def __init__(self, engine: Engine, file: ModelFile | None = None) -> None:
        """engine : of a model with input `pages` [n, 1, h, w] and output `maps` [n, 29, h / 4, w / 4]. file : that it runs."""
        self.engine, self.file = engine, file

    def look(self, glyphs: Glyphs) -> PageMaps:
        """The maps of a page, looked at once more where its digits turn out to be larger or smaller than was thought.

        A page without glyphs is not looked at: no ink is a digit's.
        """
        if not glyphs.hypotheses:
            return _nothing(glyphs)
        height_px = writing_height(glyphs)
        maps = self.look_at(make_overview(glyphs, height_px))
        factor = _misjudged(maps)
        if abs(np.log(factor)) > LARGEST_MISJUDGEMENT:
            again = self.look_at(make_overview(glyphs, height_px * factor))
            if digits_seen(again) > digits_seen(maps):
                return again
        return maps

    def look_at(self, overview: Overview) -> PageMaps:
        """The maps of one overview."""
        maps = self.engine.run("maps", as_companion_input(overview.picture[None, None]))[0]
        rows, columns = maps.shape[1:]
        blocks = maps[: CELL_PX**2].reshape(CELL_PX, CELL_PX, rows, columns).transpose(2, 0, 3, 1)
        logits = np.clip(blocks.reshape(rows * CELL_PX, columns * CELL_PX), -LARGEST_LOGIT, LARGEST_LOGIT)
        strokes = 1.0 / (1.0 + np.exp(-logits))
        classes = softmax(maps[CELL_PX**2 : CELL_PX**2 + CLASSES].reshape(CLASSES, -1).T).T.reshape(CLASSES, rows, columns)
        sizes = np.exp(np.clip(maps[CELL_PX**2 + CLASSES :], *SIZES)) * CELL_PX
        return PageMaps(strokes.astype(np.float32), np.ascontiguousarray(classes, np.float32), sizes.astype(np.float32), overview.scale)


def _nothing(glyphs: Glyphs) -> PageMaps:
    height, width = (-(-side // CELL_PX) for side in glyphs.ink.strokes.shape)
    classes = np.zeros((CLASSES, height, width), np.float32)
    classes[NOT_ONE_DIGIT] = 1.0
    return PageMaps(np.zeros((height * CELL_PX, width * CELL_PX), np.float32), classes, np.ones_like(classes[:2]), 1.0)


def digits_a_cell(maps: PageMaps) -> NDArray[np.float32]:
    """For each cell how many digits it is, about, if it is the middle of one: one by the cells that a digit of its size takes."""
    return np.asarray(1.0 / np.maximum(1.0, maps.sizes.prod(axis=0) * (CORE_SHARE / CELL_PX) ** 2), np.float32)


def digits_seen(maps: PageMaps) -> float:
    """How many digits a page shows, about, each counted by its probability."""
    return float(((1.0 - maps.classes[NOT_ONE_DIGIT]) * digits_a_cell(maps)).sum())


def _misjudged(maps: PageMaps) -> float:
    """By which factor the digits found are higher than the overview meant them to be; 1 where none is found."""
    middle = 1.0 - maps.classes[NOT_ONE_DIGIT]
    if float(middle.max()) < 0.5:
        return 1.0
    heights, weights = maps.sizes[0].ravel(), middle.ravel()
    order = np.argsort(heights)
    reached = np.cumsum(weights[order])
    return float(heights[order][np.searchsorted(reached, reached[-1] / 2)]) / GLYPH_HEIGHT_PX


def digit_ink(maps: PageMaps, ink: Ink) -> NDArray[np.bool_]:
    """Where the maps show the ink of a written digit: bool (h, w), in page pixels."""
    height, width = ink.strokes.shape
    seen = maps.strokes[: max(1, round(height * maps.scale)), : max(1, round(width * maps.scale))]
    return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR) > STROKE_PROBABILITY, np.bool_)


def without_frames(glyphs: Glyphs, maps: PageMaps) -> Ink | None:
    """The ink with digits cut free that hang together with something large; None where no digit does."""
    ink = glyphs.ink
    least = LARGE * GLYPH_HEIGHT_PX / maps.scale
    # The boxes of all pieces are known: on most pages none is large, and nothing more is computed.
    if not (glyphs.pieces[:, 2:4] > least).any():
        return None
    labels, stats = connected_ink(ink.strokes)
    large = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) > least
    large[0] = False
    of_digits = digit_ink(maps, ink)
    share = np.bincount(labels[of_digits], minlength=len(stats)) / np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    mixed = large & (share > MIXED[0]) & (share < MIXED[1])
    if not mixed.any():
        return None
    strokes = np.where(mixed[labels] & ~of_digits, 0, ink.strokes).astype(np.uint8)
    strokes.flags.writeable = False
    return replace(ink, strokes=strokes)


def evidence(maps: PageMaps, glyphs: Glyphs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each hypothesis the mean stroke probability over the ink in its box, float32 (n,), and the classes at its middle, (n, 11)."""
    found = [h.box for h in glyphs.hypotheses]
    boxes = np.array(found, np.float64).reshape(-1, 4) * maps.scale
    return shares_of_digits(maps, glyphs.ink, found), _classes_at(maps, boxes[:, :2] + boxes[:, 2:] / 2)


def shares_of_digits(maps: PageMaps, ink: Ink, found: Sequence[tuple[int, int, int, int]]) -> NDArray[np.float32]:
    """For each box, x, y, width, height in page pixels, the mean stroke probability over the ink in it: float32 (n,), 0..1."""
    boxes = np.array(found, np.float64).reshape(-1, 4) * maps.scale
    height, width = maps.strokes.shape
    size = max(1, round(ink.strokes.shape[1] * maps.scale)), max(1, round(ink.strokes.shape[0] * maps.scale))
    inked = np.zeros((height, width), np.float32)
    inked[: size[1], : size[0]] = cv2.resize(ink.strokes, size, interpolation=cv2.INTER_AREA)[:height, :width]
    left, top = np.floor(boxes[:, 0]).astype(int), np.floor(boxes[:, 1]).astype(int)
    right = np.maximum(left + 1, np.rint(boxes[:, 0] + boxes[:, 2]).astype(int))
    bottom = np.maximum(top + 1, np.rint(boxes[:, 1] + boxes[:, 3]).astype(int))
    left, right, top, bottom = np.clip(left, 0, width), np.clip(right, 0, width), np.clip(top, 0, height), np.clip(bottom, 0, height)

    def sums(values: NDArray[np.float32]) -> NDArray[np.float64]:
        table = cv2.integral(values)
        return np.asarray(table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left], np.float64)

    return (sums(inked * maps.strokes) / np.maximum(sums(inked), 1e-6)).astype(np.float32)


def _classes_at(maps: PageMaps, middles: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean of the four cells around each middle. middles : x, y in pixels of the overview, (n, 2). Returns float32 (n, 11)."""
    rows, columns = maps.classes.shape[1:]
    column, row = np.floor(middles / CELL_PX - 0.5).astype(int).T
    row, column = np.clip(row, 0, max(0, rows - 2)), np.clip(column, 0, max(0, columns - 2))
    below, right = np.minimum(row + 1, rows - 1), np.minimum(column + 1, columns - 1)
    around = [maps.classes[:, y, x] for y in (row, below) for x in (column, right)]
    return np.ascontiguousarray(np.mean(around, axis=0, dtype=np.float32).T)


def agreed(predictions: Predictions, shares: NDArray[np.float32], classes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which hypotheses are the same digit to the tile classifier and to the finder, surely: nobody else need be asked. bool (n,).

    predictions : of the tile classifier alone. shares, classes : of `evidence`.
    """
    rows = np.arange(len(predictions))
    digits = predictions.probabilities[:, :NOT_ONE_DIGIT].argmax(axis=1)
    named = predictions.probabilities[rows, digits] >= SURE_TILE, classes[rows, digits] >= SURE_CLASS
    return np.asarray(named[0] & named[1] & (shares >= SURE_SHARE), np.bool_)


def weigh(predictions: Predictions, shares: NDArray[np.float32], classes: NDArray[np.float32]) -> Predictions:
    """The predictions with what the finder saw of each hypothesis, as `evidence` tells it."""
    logits = np.log(np.maximum(predictions.probabilities, LEAST_PROBABILITY))
    seen = np.clip(shares, LEAST_SHARE, 1.0 - LEAST_SHARE)
    logits[:, NOT_ONE_DIGIT] -= SHARE_WEIGHT * np.log(seen / (1.0 - seen)) + TRUST
    none = classes[:, NOT_ONE_DIGIT:]
    which = classes[:, :NOT_ONE_DIGIT] / np.maximum(1.0 - none, LEAST_PROBABILITY)
    logits[:, NOT_ONE_DIGIT:] += CLASS_WEIGHT * np.log(np.maximum(none, LEAST_SHARE))
    logits[:, :NOT_ONE_DIGIT] += CLASS_WEIGHT * np.log(np.maximum(1.0 - none, LEAST_SHARE))
    logits[:, :NOT_ONE_DIGIT] += WHICH_WEIGHT * np.log(np.maximum(which, LEAST_OF_ONE))
    return replace(predictions, probabilities=softmax(logits))


def load_finder(options: RecognitionOptions | None = None, folder: Path = WEIGHTS_FOLDER) -> Finder | None:
    """The finder network of a folder of models, verified and self-tested; None where it holds none.

    Runs on the CPU in the precision that the options ask for. Raises ModelError, MissingExtraError.
    """
    companion = open_companion("finder", options, folder)
    return None if companion is None else Finder(companion.engine, companion.file)
