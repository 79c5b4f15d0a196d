"""Glyphs: every piece of ink that might be a digit, with the ways to cut it and to join it with its neighbours.

No decision is taken here. A pen stroke may be half a digit (the detached bar of a 5) or two digits that touch; each
cluster of neighbouring fragments is handed on with all its hypotheses, runs of one to four fragments from left to
right, and the classifier's judgement of them picks the best path (recognition/decode.py). Method: over-segmentation
and lattice, as in the classical readers of cheque amounts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.connected import connected_ink
from edge_digits.paper.ink import Ink
from edge_digits.paper.touching import split_touching

Grey = NDArray[np.uint8]

SMALLEST_GLYPH_PX: Final = 7
SPECK_SHARE: Final = 0.22
"""Pieces lower and narrower than this share of the typical glyph height are specks: points, commas, dust."""
LARGEST_SHARE: Final = 4.0
"""Pieces higher than this many typical glyph heights are no writing: page edges, shadows, drawings."""
LARGEST_AT_EDGE: Final = 1.6
"""The same for pieces that touch the page's edge: the surroundings of a sheet begin there."""
INNER_SHARE: Final = 0.2
"""Pieces at the page's edge do not count for the typical height, unless nearly all ink touches it (a close-up)."""
MOST_PIECES: Final = 2500
"""Pages with more pieces are noise or close print: only the largest are looked at, so that time stays bounded."""
LONGEST_RUN: Final = 4
WIDEST_RUN: Final = 1.5
"""Joined fragments wider than this many heights are no digit."""
FAINTEST_LEVEL: Final = 96
"""Grey level (of 255) given at least to every pixel that counts as stroke."""
MOST_FRAGMENTS: Final = 40
"""A cluster of more fragments is a scribble or shadow: no digit string touches itself that often."""
FAINT_SHARE: Final = 0.28
EDGE_WEIGHT: Final = 0.05
"""Pieces this much fainter than the page's strong ink are paper texture, print-through or a safety pattern."""
JOIN_GAP_SHARE: Final = 0.22
"""Parts of one digit above each other (the bar of a 5) are at most this share of the typical height apart."""
SIDE_GAP_SHARE: Final = 0.22
"""The same for parts beside each other (an open 4)."""
SMALLEST_MARK_PX: Final = 4
"""Pieces of fewer pixels are noise even as a decimal point."""

SEEN: Final = -1
"""Piece of a fragment that is no piece of connected ink, but was seen on the whole page (recognition/seen_digits.py)."""

SHARP_SHARE: Final = 0.45
"""A stroke falls to paper within a few pixels; the shading of a crease or a shadow does not. Share of a piece's own
darkness that its sharpest edge must fall by."""
EDGE_REACH_SHARE: Final = 1 / 110


@dataclass(frozen=True, slots=True)
class Fragment:
    """A connected piece of ink, or a part of one that was cut.

    box : x, y, width, height in page pixels. shape : uint8 (height, width), 0 outside the piece, its grey levels
    within, its strong ink 255.
    piece : number of the connected piece it was cut from; fragments of one piece share it. SEEN for what was seen only.
    """

    box: tuple[int, int, int, int]
    shape: Grey
    piece: int = 0


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
    pieces : int32 (n, 5), x, y, width, height and pixels of every connected piece of ink, specks too: signs are sought there.
    """

    clusters: tuple[tuple[Fragment, ...], ...]
    hypotheses: tuple[Hypothesis, ...]
    typical_height: float
    ink: Ink
    pieces: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 5), np.int32))


def find_glyphs(ink: Ink) -> Glyphs:
    """Propose digits: connected pieces of ink, cut where strokes may touch, joined where strokes may have broken."""
    return cut_glyphs(find_pieces(ink))[0]


def find_pieces(ink: Ink) -> Glyphs:
    """The same before anything is cut: the fragments of each cluster are whole pieces."""
    pieces, marks = _connected_pieces(ink)
    inner = [p for p in pieces if not _touches_edge(p, ink)]
    height = typical_height(inner if _area(inner) > INNER_SHARE * _area(pieces) else pieces)
    pieces = [p for p in pieces if _is_writing(p, height, ink)]
    clusters = [tuple(sorted(group, key=_middle)) for group in _neighbours(pieces, height)]
    clusters = [cluster for cluster in clusters if len(cluster) <= MOST_FRAGMENTS]
    hypotheses = [h for index, cluster in enumerate(clusters) for h in _hypotheses(index, cluster, height)]
    return Glyphs(tuple(clusters), tuple(hypotheses), height, ink, marks)


def cut_glyphs(glyphs: Glyphs, among: Collection[int] | None = None) -> tuple[Glyphs, NDArray[np.intp]]:
    """Glyphs whose pieces are cut wherever strokes may touch.

    glyphs : of find_pieces. among : indices of the clusters that are cut; all where none are named.
    Returns the glyphs, and for each of their hypotheses its index among the given ones, -1 for a new one.
    """
    old: dict[int, list[int]] = {}
    for at, hypothesis in enumerate(glyphs.hypotheses):
        old.setdefault(hypothesis.cluster, []).append(at)
    clusters: list[tuple[Fragment, ...]] = []
    hypotheses: list[Hypothesis] = []
    known: list[int] = []
    for index, cluster in enumerate(glyphs.clusters):
        whole = among is not None and index not in among
        fragments = cluster if whole else tuple(sorted((f for p in cluster for f in _cut(p, glyphs.typical_height)), key=_middle))
        if len(fragments) > MOST_FRAGMENTS:
            continue
        if len(fragments) == len(cluster):
            mine = [replace(glyphs.hypotheses[at], cluster=len(clusters)) for at in old.get(index, ())]
            known += old.get(index, ())
            clusters.append(cluster)
        else:
            mine = _hypotheses(len(clusters), fragments, glyphs.typical_height)
            known += [-1] * len(mine)
            clusters.append(fragments)
        hypotheses += mine
    return replace(glyphs, clusters=tuple(clusters), hypotheses=tuple(hypotheses)), np.array(known, np.intp)


def _middle(fragment: Fragment) -> float:
    return fragment.box[0] + fragment.box[2] / 2


def _connected_pieces(ink: Ink) -> tuple[list[Fragment], NDArray[np.int32]]:
    """Connected ink that is sharp and strong enough to be written, and the boxes and areas of all that is connected."""
    labels, stats = connected_ink(ink.strokes)
    boxes, areas = stats[:, :4], stats[:, cv2.CC_STAT_AREA]
    large = (np.maximum(boxes[:, 2], boxes[:, 3]) >= SMALLEST_GLYPH_PX) & (areas >= SMALLEST_GLYPH_PX)
    large[0] = False
    marks = stats[1:][areas[1:] >= SMALLEST_MARK_PX]
    if not large.any():
        return [], marks
    if np.count_nonzero(large) > MOST_PIECES:
        large &= areas >= np.partition(areas[large], -MOST_PIECES)[-MOST_PIECES]
    fall = edge_fall(ink.darkness)
    found, levels, weights = [], [], []
    for label in np.flatnonzero(large):
        x, y, w, h = (int(v) for v in boxes[label])
        window = slice(y, y + h), slice(x, x + w)
        mask = labels[window] == label
        level = quantile(ink.darkness[window][mask], 0.8)
        if quantile(fall[window][mask], 0.9) < SHARP_SHARE * level:
            continue
        shape = cv2.convertScaleAbs(ink.darkness[window], alpha=255.0 / max(1.0, level))
        found.append(Fragment((x, y, w, h), np.maximum(shape, FAINTEST_LEVEL) * mask, int(label)))
        levels.append(level)
        # Squared darkness counts: a page may hold more shaded paper than ink. What hangs on the edge is not the page.
        weights.append(float(areas[label]) * level**2 * (EDGE_WEIGHT if _touches_edge(found[-1], ink) else 1.0))
    strong = _weighted_quantile(np.array(levels), np.array(weights), 0.5) if found else 0.0
    return [piece for piece, level in zip(found, levels, strict=True) if level >= FAINT_SHARE * strong], marks


def edge_fall(darkness: Grey) -> Grey:
    """How much lighter the lightest pixel nearby is: near a stroke's own darkness on strokes, small on soft shading.

    darkness : uint8 (h, w). Returns uint8 (h, w).
    """
    reach = max(6, round(max(darkness.shape) * EDGE_REACH_SHARE))
    small = cv2.resize(darkness, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) if min(darkness.shape) > 2 else darkness
    lightest = cv2.erode(small, np.ones((reach | 1, reach | 1), np.uint8))
    return np.asarray(cv2.subtract(darkness, cv2.resize(lightest, darkness.shape[::-1], interpolation=cv2.INTER_LINEAR)), np.uint8)


def quantile(values: Grey, share: float) -> float:
    """The value that this share of the values, at least one, does not exceed. values : uint8 (n,), put into another order."""
    position = int(share * (values.size - 1))
    values.partition(position)
    return float(values[position])


def _weighted_quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), share * weights.sum())])


def _area(pieces: list[Fragment]) -> int:
    return sum(int(np.count_nonzero(p.shape)) for p in pieces)


def _touches_edge(piece: Fragment, ink: Ink) -> bool:
    x, y, w, h = piece.box
    height, width = ink.strokes.shape
    return x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1


def typical_height(pieces: list[Fragment]) -> float:
    """Height of the page's writing in pixels: the median over pieces, each counted by its own height, so that specks
    do not pull it down."""
    if not pieces:
        return 0.0
    heights = np.sort(np.array([max(p.box[3], 0.6 * p.box[2]) for p in pieces]))
    weights = np.cumsum(heights)
    return float(heights[np.searchsorted(weights, weights[-1] / 2)])


def _is_writing(piece: Fragment, height: float, ink: Ink) -> bool:
    _, _, w, h = piece.box
    if max(w, h) < SPECK_SHARE * height:
        return False
    largest = LARGEST_AT_EDGE if _touches_edge(piece, ink) else LARGEST_SHARE
    return h <= largest * height and w <= 4 * largest * height


def _cut(piece: Fragment, height: float) -> list[Fragment]:
    x, y, _, _ = piece.box
    parts = []
    for left, top, shape in split_touching(piece.shape, height):
        parts.append(Fragment((x + left, y + top, shape.shape[1], shape.shape[0]), shape, piece.piece))
    return parts


def _neighbours(pieces: list[Fragment], height: float) -> list[list[Fragment]]:
    """Groups of pieces that may be parts of one digit: close to each other, one of them too small to stand alone."""
    parent = list(range(len(pieces)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    boxes = np.array([piece.box for piece in pieces], np.float64).reshape(-1, 4)
    order = np.argsort(boxes[:, 0], kind="stable").tolist()
    for i, j in _joining(boxes[order], height):
        parent[root(order[i])] = root(order[j])
    groups: dict[int, list[Fragment]] = {}
    for i in order:
        groups.setdefault(root(i), []).append(pieces[i])
    return list(groups.values())


def _joining(boxes: NDArray[np.float64], height: float) -> list[tuple[int, int]]:
    """Pairs of boxes that may hold parts of one digit. boxes : x, y, width, height, (n, 4), from left to right."""
    left = boxes[:, 0]
    # Only those that begin before another one ends, and a little behind it, are compared with it.
    ends = np.searchsorted(left, left + boxes[:, 2] + JOIN_GAP_SHARE * height, side="right")
    counts = np.maximum(0, ends - np.arange(1, len(boxes) + 1))
    i = np.repeat(np.arange(len(boxes)), counts)
    j = i + 1 + np.arange(len(i)) - np.repeat(np.cumsum(counts) - counts, counts)
    (ax, ay, aw, ah), (bx, by, bw, bh) = boxes[i].T, boxes[j].T
    gap_x = np.maximum(ax, bx) - np.minimum(ax + aw, bx + bw)
    gap_y = np.maximum(ay, by) - np.minimum(ay + ah, by + bh)
    both = np.maximum(ay + ah, by + bh) - np.minimum(ay, by)
    smaller = np.minimum(ah, bh)
    too_high = (both > 1.6 * np.maximum(height, smaller)) & (both > 1.15 * np.maximum(ah, bh))
    above = (-gap_x > 0.3 * np.maximum(1, np.minimum(aw, bw))) & (gap_y <= JOIN_GAP_SHARE * height)
    beside = (gap_x <= SIDE_GAP_SHARE * height) & (gap_y <= 0) & (smaller < 0.8 * height)
    joined = ~too_high & (((gap_x < 0) & (gap_y < 0)) | above | beside)
    return list(zip(i[joined].tolist(), j[joined].tolist(), strict=True))


def _hypotheses(index: int, cluster: tuple[Fragment, ...], height: float) -> list[Hypothesis]:
    found = []
    for first in range(len(cluster)):
        for last in range(first, min(first + LONGEST_RUN, len(cluster))):
            run = cluster[first : last + 1]
            box = enclosing(run)
            if last > first and box[2] > WIDEST_RUN * max(height, box[3]):
                continue
            found.append(Hypothesis(index, first, last, box, run[0].shape if first == last else put_together(run)))
    return found


def enclosing(fragments: Sequence[Fragment]) -> tuple[int, int, int, int]:
    """Smallest box around fragments, at least one: x, y, width, height in page pixels."""
    left, top = min(f.box[0] for f in fragments), min(f.box[1] for f in fragments)
    right, bottom = max(f.box[0] + f.box[2] for f in fragments), max(f.box[1] + f.box[3] for f in fragments)
    return left, top, right - left, bottom - top


def put_together(fragments: Sequence[Fragment]) -> Grey:
    """All ink of fragments, at least one: uint8 (h, w), ink 255, paper 0, cut to their box."""
    left, top, width, height = enclosing(fragments)
    picture = np.zeros((height, width), np.uint8)
    for fragment in fragments:
        x, y, w, h = fragment.box
        window = picture[y - top : y - top + h, x - left : x - left + w]
        np.maximum(window, fragment.shape, out=window)
    return picture
