"""Digits that the finder sees and no hypothesis holds: cut out of the ink by its maps, then judged like all the others.

Some hang on a word, a frame or each other where no thin place lies; of some a rule took a stroke away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import FAINTEST_LEVEL, SEEN, Fragment, Glyphs, Hypothesis, quantile
from edge_digits.paper.ink import HALF_MAXIMUM, Ink
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier, Predictions
from edge_digits.recognition.companions import CELL_PX
from edge_digits.recognition.finder import PageMaps, digit_ink
from edge_digits.recognition.weights import NOT_ONE_DIGIT

LEAST_PROBABILITY: Final = 0.5
"""Of a cell that it is the middle of a digit."""
SAME_DIGIT: Final = 0.4
"""Of two boxes that share this much of the smaller one, the surer is the digit."""
HELD: Final = 0.65
"""A digit is held by a hypothesis whose box shares so much with it (intersection over union): found on 80 generated pages, of which
0.41 of the digits were missed or confused with it, 0.42 with 0.5."""
HELD_TIGHTLY: Final = 0.85
"""The same once its ink is known, whose box is exact."""
MARGIN: Final = 0.12
"""The box told by the maps is looked at with so much of its longer side around it: they are a quarter as fine as the overview."""
LEAST_DARKNESS: Final = 10
LEAST_NOISE: Final = 3.0
"""Ink of such a digit is at least so dark (of 255), and so many times the noise of the paper: less than of ink that nobody has seen."""
LEAST_PX: Final = 12
SMALLEST_PX: Final = (4, 6)
"""Pixels of its ink, and its width and height: less is no digit."""
INK_QUANTILE: Final = 0.8

Boxes = NDArray[np.float64]


def add_seen_digits(glyphs: Glyphs, maps: PageMaps, predictions: Predictions, classifier: Classifier) -> tuple[Glyphs, Predictions]:
    """Glyphs with what only the finder sees, each a cluster of its own whose one fragment has the piece SEEN, and all predictions.

    predictions : one row for each of glyphs.hypotheses, in their order.
    """
    fragments = find_seen_digits(glyphs, maps)
    if not fragments:
        return glyphs, predictions
    first = len(glyphs.clusters)
    added = [Hypothesis(first + at, 0, 0, fragment.box, fragment.shape) for at, fragment in enumerate(fragments)]
    rows = classifier.predict(make_tiles([hypothesis.picture for hypothesis in added])).probabilities
    clusters = (*glyphs.clusters, *((fragment,) for fragment in fragments))
    return (
        replace(glyphs, clusters=clusters, hypotheses=(*glyphs.hypotheses, *added)),
        replace(predictions, probabilities=np.concatenate([predictions.probabilities, rows])),
    )


def find_seen_digits(glyphs: Glyphs, maps: PageMaps) -> list[Fragment]:
    """The ink of digits that the maps show and no hypothesis holds."""
    boxes = boxes_of_digits(maps)
    known = np.array([h.box for h in glyphs.hypotheses], np.float64).reshape(-1, 4)
    boxes = boxes[_most_in_common(boxes, known) <= HELD]
    if not len(boxes):
        return []
    of_digits = digit_ink(maps, glyphs.ink)
    found = [fragment for box in boxes if (fragment := _cut_out(glyphs.ink, of_digits, box)) is not None]
    tight = np.array([fragment.box for fragment in found], np.float64).reshape(-1, 4)
    return [fragment for fragment, held in zip(found, _most_in_common(tight, known), strict=True) if held <= HELD_TIGHTLY]


def boxes_of_digits(maps: PageMaps) -> Boxes:
    """Where the maps show a digit: float64 (n, 4), x, y, width, height in page pixels, surest first, none of them twice."""
    middle = 1.0 - maps.classes[NOT_ONE_DIGIT]
    smooth = np.where(middle >= LEAST_PROBABILITY, cv2.blur(middle, (3, 3)), np.float32(0.0))
    rows, columns = np.nonzero((smooth > 0.0) & (smooth >= cv2.dilate(smooth, np.ones((3, 3), np.uint8))))
    order = np.argsort(-smooth[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    height, width = maps.sizes[:, rows, columns].astype(np.float64) / maps.scale
    x, y = (columns + 0.5) * CELL_PX / maps.scale, (rows + 0.5) * CELL_PX / maps.scale
    boxes = np.stack([x - width / 2, y - height / 2, width, height], axis=1)
    shared = _intersections(boxes, boxes)
    areas = width * height
    doubled = shared > SAME_DIGIT * np.minimum(areas[:, None], areas[None])
    kept = np.zeros(len(boxes), bool)
    for at in range(len(boxes)):
        kept[at] = not (doubled[at] & kept).any()
    return boxes[kept]


def _cut_out(ink: Ink, of_digits: NDArray[np.bool_], box: NDArray[np.float64]) -> Fragment | None:
    """The ink in a box that the finder takes for a digit's; None where there is hardly any."""
    x, y, w, h = box
    margin = MARGIN * max(w, h)
    left, top = max(0, int(x - margin)), max(0, int(y - margin))
    window = slice(top, max(top, int(y + h + margin) + 1)), slice(left, max(left, int(x + w + margin) + 1))
    darkness = ink.darkness[window]
    on = of_digits[window] & (darkness > max(LEAST_DARKNESS, LEAST_NOISE * ink.noise))
    if np.count_nonzero(on) < LEAST_PX:
        return None
    level = quantile(darkness[on], INK_QUANTILE)
    on &= darkness > HALF_MAXIMUM * level
    rows, columns = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
    if np.count_nonzero(on) < LEAST_PX or columns[-1] - columns[0] + 1 < SMALLEST_PX[0] or rows[-1] - rows[0] + 1 < SMALLEST_PX[1]:
        return None
    levels = np.where(on, np.maximum(cv2.convertScaleAbs(darkness, alpha=255.0 / level), FAINTEST_LEVEL), 0).astype(np.uint8)
    shape = levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Fragment((left + int(columns[0]), top + int(rows[0]), shape.shape[1], shape.shape[0]), shape, SEEN)


def _most_in_common(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """For each box the largest intersection over union with one of the others, 0 where there are none."""
    shared = _intersections(boxes, others)
    areas = boxes[:, 2] * boxes[:, 3], others[:, 2] * others[:, 3]
    return np.asarray((shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)).max(axis=1, initial=0.0), np.float64)


def _intersections(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Areas that boxes (n, 4) and (m, 4) share, float64 (n, m)."""
    sides = []
    for axis in (0, 1):
        high = np.minimum((a[:, axis] + a[:, axis + 2])[:, None], (b[:, axis] + b[:, axis + 2])[None])
        sides.append(np.maximum(high - np.maximum(a[:, axis][:, None], b[:, axis][None]), 0.0))
    return np.asarray(sides[0] * sides[1], np.float64)
