"""Brings two opinions on a cluster together: the best path over its pieces, and what was read off it whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import SEEN, Fragment, Glyphs, Hypothesis, enclosing, put_together
from edge_digits.recognition.finder import PageMaps, shares_of_digits
from edge_digits.recognition.strings import ReadString, StringReader
from edge_digits.recognition.weights import NOT_ONE_DIGIT

Box = tuple[int, int, int, int]
Judged = tuple[Hypothesis, NDArray[np.float32]]

MOST_FRAGMENTS: Final = 24
"""Clusters of more fragments are words or scribbles."""
LEAST_SIDE_PX: Final = 8
WIDE_PIECE: Final = 0.45
"""A single piece at least this wide for its height may be two digits in one stroke, or pressed together."""
LEFTOVER_SHARE: Final = 0.2
"""Fragments with less of the cluster's ink than this may belong to no digit."""
LEFTOVER_COST: Final = 1.0
LEAST_PROBABILITY: Final = 1e-4
LEAST_SHARE: Final = 0.2
"""Of a cluster's ink so much must be a digit's to the finder. Read whole, words look like digits: of 148 pages of words in hands and
scripts that never trained 97 were read as empty without this, 119 with it."""


def runs_to_read(glyphs: Glyphs) -> list[int]:
    """Clusters that may hold several digits, by their index."""
    return [i for i, c in enumerate(glyphs.clusters) if len(c) <= MOST_FRAGMENTS and c[0].piece != SEEN and _may_be_several(c)]


def _may_be_several(cluster: Sequence[Fragment]) -> bool:
    _, _, width, height = enclosing(cluster)
    return min(width, height) >= LEAST_SIDE_PX and (len(cluster) > 1 or width > WIDE_PIECE * height)


def read_runs(glyphs: Glyphs, reader: StringReader, without: Collection[int] = (), maps: PageMaps | None = None) -> dict[int, ReadString]:
    """What stands in each cluster that may hold several digits, by the cluster's index.

    without : clusters that surely hold one. maps : what the finder sees; ink that is no digit's to it is not read.
    """
    chosen = [index for index in runs_to_read(glyphs) if index not in without]
    if maps is not None and chosen:
        shares = shares_of_digits(maps, glyphs.ink, [enclosing(glyphs.clusters[index]) for index in chosen])
        chosen = [index for index, share in zip(chosen, shares, strict=True) if share >= LEAST_SHARE]
    return dict(zip(chosen, reader.read([put_together(glyphs.clusters[i]) for i in chosen]), strict=True))


def align(cluster: Sequence[Fragment], judged: Sequence[Judged], read: ReadString) -> list[Judged] | None:
    """The best path over a cluster's pieces that gives exactly the labels read, or None where there is none.

    Pieces with little ink may be left out between digits, at a cost.
    """
    ink = np.array([float(np.count_nonzero(f.shape)) for f in cluster])
    share = ink / ink.sum()
    count, length = len(cluster), len(read.labels)
    by_first: dict[int, list[Judged]] = {}
    for hypothesis, row in judged:
        by_first.setdefault(hypothesis.first, []).append((hypothesis, row))
    best = np.full((length + 1, count + 1), -np.inf)
    best[0, 0] = 0.0
    taken: dict[tuple[int, int], Judged | None] = {}

    def reach(named: int, at: int, score: float, step: Judged | None) -> None:
        if score > best[named, at]:
            best[named, at], taken[named, at] = score, step

    for first, named in product(range(count), range(length + 1)):
        score = float(best[named, first])
        if share[first] < LEFTOVER_SHARE:
            reach(named, first + 1, score - LEFTOVER_COST, None)
        for hypothesis, row in by_first.get(first, ()) if named < length else ():
            probability = max(LEAST_PROBABILITY, float(row[read.labels[named]]))
            reach(named + 1, hypothesis.last + 1, score + float(np.log(probability)), (hypothesis, row))
    return _path_to(length, count, taken) if np.isfinite(best[length, count]) else None


def _path_to(named: int, at: int, taken: Mapping[tuple[int, int], Judged | None]) -> list[Judged]:
    """The pieces on the way to a number of labels and of fragments, first to last; those left out are none."""
    path: list[Judged] = []
    while at > 0:
        step = taken[named, at]
        if step is None:
            at -= 1
        else:
            path.append(step)
            named, at = named - 1, step[0].first
    return path[::-1]


def column_boxes(cluster: Sequence[Fragment], read: ReadString) -> list[Box]:
    """A box for each label by where it was read: upright cuts half way between neighbours, drawn in to the ink."""
    left, top, width, _ = enclosing(cluster)
    picture = put_together(cluster)
    middles = np.array(read.middles)
    cuts = [0, *(round(width * float(cut)) for cut in (middles[:-1] + middles[1:]) / 2), width]
    boxes = []
    for at, stop in pairwise(cuts):
        # Labels read at the very end would leave the last of them no ink.
        start = min(at, width - 1)
        part = picture[:, start : max(start + 1, stop)]
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        if not rows.size:
            rows, columns = np.array([0, picture.shape[0] - 1]), np.array([0, part.shape[1] - 1])
        boxes.append((left + start + int(columns[0]), top + int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1))
    return boxes


def together(read: NDArray[np.float32], judged: NDArray[np.float32]) -> NDArray[np.float32]:
    """One opinion of two on a digit, each float32 (11,): the geometric mean of what they say of the ten digits.

    Whether it is one at all is told by the run: a piece cut badly looks like no digit, and is one all the same.
    """
    both = np.sqrt(np.maximum(read, LEAST_PROBABILITY) * np.maximum(judged, LEAST_PROBABILITY))
    both[NOT_ONE_DIGIT] = 0.0
    both *= (1.0 - read[NOT_ONE_DIGIT]) / both.sum()
    both[NOT_ONE_DIGIT] = read[NOT_ONE_DIGIT]
    return np.asarray(both, np.float32)


def sureness(rows: Sequence[NDArray[np.float32]]) -> float:
    """Probability that every row of a path is the digit it looks most like; 0 where one is none."""
    product = 1.0
    for row in rows:
        product *= float(row[:NOT_ONE_DIGIT].max()) if row.argmax() != NOT_ONE_DIGIT else 0.0
    return product
