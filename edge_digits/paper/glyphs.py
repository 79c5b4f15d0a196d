"""Glyphs: every piece of ink that might be a digit, with the ways to cut it and to join it with its neighbours.

No decision is taken here. A pen stroke may be half a digit (the detached bar of a 5) or two digits that touch; each
cluster of neighbouring fragments is handed on with all its hypotheses, runs of one to four fragments from left to
right, and the classifier's judgement of them picks the best path (recognition/decode.py). Method: over-segmentation
and lattice, as in the classical readers of cheque amounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.ink import Ink
from edge_digits.paper.touching import split_touching

Grey = NDArray[np.uint8]

SMALLEST_GLYPH_PX: Final = 7
SPECK_SHARE: Final = 0.22
"""Pieces lower and narrower than this share of the typical glyph height are specks: points, commas, dust."""
LARGEST_SHARE: Final = 4.0
"""Pieces higher than this many typical glyph heights are no writing: page edges, shadows, drawings."""
LONGEST_RUN: Final = 4
MOST_FRAGMENTS: Final = 40
"""A cluster of more fragments is a scribble or shadow: no digit string touches itself that often."""
FAINT_SHARE: Final = 0.3
"""Pieces this much fainter than the page's strong ink are paper texture, print-through or a safety pattern."""
JOIN_GAP_SHARE: Final = 0.22


@dataclass(frozen=True, slots=True)
class Fragment:
    """A connected piece of ink, or a part of one that was cut.

    box : x, y, width, height in page pixels. shape : uint8 (height, width), 255 on ink.
    """

    box: tuple[int, int, int, int]
    shape: Grey


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A run of fragments of one cluster, taken together as one glyph.

    first, last : indices into the cluster's fragments, inclusive.
    box : x, y, width, height in page pixels. picture : uint8 (height, width), ink 255, paper 0.
    """

    cluster: int
    first: int
    last: int
    box: tuple[int, int, int, int]
    picture: Grey


@dataclass(frozen=True, slots=True)
class Glyphs:
    """All digit candidates of a page.

    clusters : the fragments of each cluster, left to right. hypotheses : all runs worth judging.
    typical_height : of the page's glyphs, in page pixels. ink : the Ink they were found in.
    """

    clusters: tuple[tuple[Fragment, ...], ...]
    hypotheses: tuple[Hypothesis, ...]
    typical_height: float
    ink: Ink


def find_glyphs(ink: Ink) -> Glyphs:
    """Propose digits: connected pieces of ink, cut where strokes may touch, joined where strokes may have broken."""
    pieces = _connected_pieces(ink)
    height = typical_height(pieces)
    pieces = [p for p in pieces if _is_writing(p, height)]
    clusters = []
    for group in _neighbours(pieces, height):
        fragments = [f for piece in group for f in _cut(piece, height)]
        fragments.sort(key=lambda f: f.box[0] + f.box[2] / 2)
        if len(fragments) <= MOST_FRAGMENTS:
            clusters.append(tuple(fragments))
    hypotheses = [h for index, cluster in enumerate(clusters) for h in _hypotheses(index, cluster, height, ink)]
    return Glyphs(tuple(clusters), tuple(hypotheses), height, ink)


def _connected_pieces(ink: Ink) -> list[Fragment]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.strokes, connectivity=8)
    if count <= 1:
        return []
    boxes = stats[:, :4]
    large = (np.maximum(boxes[:, 2], boxes[:, 3]) >= SMALLEST_GLYPH_PX) & (stats[:, cv2.CC_STAT_AREA] >= SMALLEST_GLYPH_PX)
    large[0] = False
    found = []
    for label in np.flatnonzero(large):
        x, y, w, h = (int(v) for v in boxes[label])
        mask = labels[y : y + h, x : x + w] == label
        level = float(np.percentile(ink.darkness[y : y + h, x : x + w][mask], 80))
        found.append((Fragment((x, y, w, h), np.where(mask, np.uint8(255), np.uint8(0))), level, int(mask.sum())))
    if not found:
        return []
    levels, areas = np.array([f[1] for f in found]), np.array([f[2] for f in found])
    order = np.argsort(levels)
    strong = levels[order][np.searchsorted(np.cumsum(areas[order]), 0.8 * areas.sum())]
    return [piece for piece, level, _ in found if level >= FAINT_SHARE * strong]


def typical_height(pieces: list[Fragment]) -> float:
    """Height of the page's writing in pixels: the median over pieces, each counted by its own height, so that specks
    do not pull it down."""
    if not pieces:
        return 0.0
    heights = np.sort(np.array([max(p.box[3], 0.6 * p.box[2]) for p in pieces]))
    weights = np.cumsum(heights)
    return float(heights[np.searchsorted(weights, weights[-1] / 2)])


def _is_writing(piece: Fragment, height: float) -> bool:
    _, _, w, h = piece.box
    if max(w, h) < SPECK_SHARE * height:
        return False
    return h <= LARGEST_SHARE * height and w <= 4 * LARGEST_SHARE * height


def _cut(piece: Fragment, height: float) -> list[Fragment]:
    x, y, _, _ = piece.box
    parts = []
    for left, top, shape in split_touching(piece.shape, height):
        parts.append(Fragment((x + left, y + top, shape.shape[1], shape.shape[0]), shape))
    return parts


def _neighbours(pieces: list[Fragment], height: float) -> list[list[Fragment]]:
    """Groups of pieces that may be parts of one digit: close to each other, one of them too small to stand alone."""
    parent = list(range(len(pieces)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    order = sorted(range(len(pieces)), key=lambda i: pieces[i].box[0])
    for position, i in enumerate(order):
        reach = pieces[i].box[0] + pieces[i].box[2] + JOIN_GAP_SHARE * height
        for j in order[position + 1 :]:
            if pieces[j].box[0] > reach:
                break
            if _may_join(pieces[i].box, pieces[j].box, height):
                parent[root(i)] = root(j)
    groups: dict[int, list[Fragment]] = {}
    for i in order:
        groups.setdefault(root(i), []).append(pieces[i])
    return list(groups.values())


def _may_join(a: tuple[int, int, int, int], b: tuple[int, int, int, int], height: float) -> bool:
    gap_x = max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2])
    gap_y = max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3])
    both = max(a[1] + a[3], b[1] + b[3]) - min(a[1], b[1])
    if both > 1.6 * max(height, min(a[3], b[3])) and both > 1.15 * max(a[3], b[3]):
        return False
    overlap = -gap_x / max(1, min(a[2], b[2]))
    smaller = min(a[3], b[3])
    if gap_x < 0 and gap_y < 0:
        return True
    if overlap > 0.3 and gap_y <= JOIN_GAP_SHARE * height:
        return True
    return gap_x <= 0.12 * height and gap_y <= 0 and smaller < 0.75 * height


def _hypotheses(index: int, cluster: tuple[Fragment, ...], height: float, ink: Ink) -> list[Hypothesis]:
    found = []
    for first in range(len(cluster)):
        for last in range(first, min(first + LONGEST_RUN, len(cluster))):
            run = cluster[first : last + 1]
            left, top = min(f.box[0] for f in run), min(f.box[1] for f in run)
            right, bottom = max(f.box[0] + f.box[2] for f in run), max(f.box[1] + f.box[3] for f in run)
            if len(run) > 1 and (right - left > 1.9 * max(height, bottom - top)):
                continue
            picture = np.zeros((bottom - top, right - left), np.uint8)
            for fragment in run:
                x, y, w, h = fragment.box
                window = picture[y - top : y - top + h, x - left : x - left + w]
                np.maximum(window, fragment.shape, out=window)
            shaded = soften(ink.darkness[top:bottom, left:right], picture)
            found.append(Hypothesis(index, first, last, (left, top, right - left, bottom - top), shaded))
    return found


def soften(darkness: Grey, shape: Grey) -> Grey:
    """The glyph's own grey levels within its shape, brought to full contrast.

    darkness, shape : uint8 (h, w). Returns uint8 (h, w): 0 outside the shape, 255 at its strong ink.
    """
    inside = shape > 0
    if not inside.any():
        return shape
    strong = float(np.percentile(darkness[inside], 70))
    scaled = np.minimum(255.0, darkness * (255.0 / max(1.0, strong)))
    return np.where(inside, np.maximum(scaled, 96.0), 0.0).astype(np.uint8)
