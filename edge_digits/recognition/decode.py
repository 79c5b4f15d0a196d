"""Chooses among hypotheses: for each cluster of fragments the path that explains its ink best as whole digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import SEEN, Fragment, Glyphs
from edge_digits.recognition.classifier import Predictions
from edge_digits.recognition.runs import Judged, align, column_boxes, sureness, together
from edge_digits.recognition.strings import ReadString, is_digits
from edge_digits.recognition.weights import DEFAULT_NOT_ONE_DIGIT_SHARE, NOT_ONE_DIGIT

SPLIT_DIGIT: Final = 0.6
"""Where ink is cut, every part must be a digit at least this sure: letters fall into strokes that look like a 1."""
SPLIT_ONE: Final = 0.9
"""The same for parts that look like a 1, which a cut makes out of any upright stroke."""
LEFTOVER_SHARE: Final = 0.2
"""Parts with less of the cluster's ink than this may be no digit: a point, a comma, the rest of a ruled line."""
SPLIT_COST: Final = 0.1
"""Log-worth that each further glyph in a cluster costs: two close strokes are sooner a 4 than an 11."""
NO_DIGIT_WORTH: Final = -2.5
"""Log-worth of ink that is explained as no digit: about a digit of probability 0.08."""


LEFTOVER: Final = 0.5
CLEAR_RUN: Final = 0.6
"""In a cluster read as digits alone with this probability, what is called no digit with LEFTOVER and more is left-over ink."""
LEAST_RUN: Final = 0.6
"""A cluster read whole counts from this probability on."""
SAME_INK: Final = 0.4
"""A digit that was only seen is another one's ink when they share more than this of the smaller box."""
EXPLAINED: Final = 0.5
"""And ink that was called no digit belongs to it when they share more than this."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One chosen glyph.

    box : x, y, width, height in page pixels. probabilities : float32 (11,).
    lean_deg : how far the axis of its ink leans from upright, 0..90 degrees.
    """

    box: tuple[int, int, int, int]
    probabilities: NDArray[np.float32]
    lean_deg: float = 0.0

    @property
    def digit(self) -> int:
        """The most probable digit, whether or not it is one."""
        return int(self.probabilities[:NOT_ONE_DIGIT].argmax())

    @property
    def digit_probability(self) -> float:
        """Probability of that digit."""
        return float(self.probabilities[:NOT_ONE_DIGIT].max())

    @property
    def garbage_probability(self) -> float:
        """Probability that this is not one digit."""
        return float(self.probabilities[NOT_ONE_DIGIT])


@dataclass(frozen=True, slots=True)
class Chosen:
    """All glyphs on the best paths, digits and others, and the page they stand on.

    not_one_digit_share : share of "not one digit" for which the probabilities hold, 0..1.
    """

    candidates: tuple[Candidate, ...]
    glyphs: Glyphs
    not_one_digit_share: float = DEFAULT_NOT_ONE_DIGIT_SHARE


def choose_digits(glyphs: Glyphs, predictions: Predictions, runs: Mapping[int, ReadString] | None = None) -> Chosen:
    """The best path through every cluster.

    predictions : one row for each of glyphs.hypotheses, in their order. runs : what was read off whole clusters, by their index.
    """
    by_cluster: dict[int, list[Judged]] = {}
    for hypothesis, row in zip(glyphs.hypotheses, predictions.probabilities, strict=True):
        by_cluster.setdefault(hypothesis.cluster, []).append((hypothesis, row))
    candidates: list[Candidate] = []
    seen: list[Candidate] = []
    for index, judged in by_cluster.items():
        cluster = glyphs.clusters[index]
        if cluster[0].piece == SEEN:
            seen.extend(Candidate(h.box, row, lean(h.picture)) for h, row in judged)
            continue
        path = _best_path(cluster, judged)
        if runs and index in runs:
            path = prefer_run(path, cluster, judged, runs[index])
            if is_digits(runs[index]) and runs[index].probability >= CLEAR_RUN:
                # What lies between digits that touch is left-over ink, no letter that would make a word of them.
                path = [c for c in path if c.garbage_probability < LEFTOVER]
        candidates.extend(path)
    return Chosen(tuple(with_seen(candidates, seen)), glyphs, predictions.not_one_digit_share)


def with_seen(chosen: list[Candidate], seen: list[Candidate]) -> list[Candidate]:
    """The glyphs of the best paths, and digits that were only seen where none of these is; ink that is explained by them goes."""
    digits = [c for c in chosen if c.garbage_probability < LEFTOVER]
    added = [c for c in seen if c.garbage_probability < LEFTOVER and not any(_covered(c, digit) > SAME_INK for digit in digits)]
    others = [c for c in chosen if c.garbage_probability < LEFTOVER or not any(_covered(c, each) > EXPLAINED for each in added)]
    return [*others, *added]


def _covered(one: Candidate, other: Candidate) -> float:
    """Share of the smaller box that both have in common."""
    across = min(one.box[0] + one.box[2], other.box[0] + other.box[2]) - max(one.box[0], other.box[0])
    down = min(one.box[1] + one.box[3], other.box[1] + other.box[3]) - max(one.box[1], other.box[1])
    return max(0, across) * max(0, down) / max(1, min(one.box[2] * one.box[3], other.box[2] * other.box[3]))


def prefer_run(path: list[Candidate], cluster: tuple[Fragment, ...], judged: list[Judged], read: ReadString) -> list[Candidate]:
    """What was read off the whole cluster where it is surer than the path over its pieces, else the path."""
    if not is_digits(read):
        return path
    if len(read.labels) == len(path) == 1 and path[0].garbage_probability < LEFTOVER:
        # Of one digit its tile shows more than a strip does.
        return path
    if read.probability < max(LEAST_RUN, sureness([c.probabilities for c in path])):
        return path
    aligned = align(cluster, judged, read)
    if aligned is None:
        boxes = column_boxes(cluster, read)
        return [Candidate(box, row) for box, row in zip(boxes, read.probabilities, strict=True)]
    rows = [together(row, judged_row) for row, (_, judged_row) in zip(read.probabilities, aligned, strict=True)]
    return [Candidate(h.box, row, lean(h.picture)) for (h, _), row in zip(aligned, rows, strict=True)]


def _best_path(cluster: tuple[Fragment, ...], judged: list[Judged]) -> list[Candidate]:
    """Dynamic programming over cuts: each run of fragments counts the log of its worth, weighted by its ink."""
    area = np.array([float(np.count_nonzero(f.shape)) for f in cluster])
    share = area / area.sum()
    best = np.full(len(cluster) + 1, -np.inf)
    best[0] = 0.0
    taken: list[Judged | None] = [None] * (len(cluster) + 1)
    for hypothesis, row in sorted(judged, key=lambda pair: pair[0].last):
        ink = float(share[hypothesis.first : hypothesis.last + 1].sum())
        score = best[hypothesis.first] + ink * _worth(row, ink) - (SPLIT_COST if hypothesis.first > 0 else 0.0)
        if score > best[hypothesis.last + 1]:
            best[hypothesis.last + 1] = score
            taken[hypothesis.last + 1] = (hypothesis, row)
    path: list[Judged] = []
    at = len(cluster)
    while at > 0:
        step = taken[at]
        if step is None:
            break
        path.append(step)
        at = step[0].first
    letters = _strokes_of_letters(path, cluster)
    steps = [Candidate(h.box, _no_digit(row) if letter else row, lean(h.picture)) for (h, row), letter in zip(path, letters, strict=True)]
    return steps[::-1]


def lean(picture: NDArray[np.uint8]) -> float:
    """Angle between the main axis of the ink and the vertical, 0..90 degrees.

    picture : uint8 (h, w), ink 255.
    """
    moments = cv2.moments(picture)
    axis = 0.5 * math.atan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"])
    return 90.0 - abs(math.degrees(axis))


def _strokes_of_letters(path: list[Judged], cluster: tuple[Fragment, ...]) -> list[bool]:
    """For each step whether it is a 1 only because a piece of ink was cut: a roof, an n or an M falls into strokes.

    Two touching 1s do occur, among other digits; a piece that is mostly 1s is a letter.
    """
    pieces = [{f.piece for f in cluster[h.first : h.last + 1]} for h, _ in path]
    ones = [int(row.argmax()) == 1 for _, row in path]
    found = []
    for mine, is_one in zip(pieces, ones, strict=True):
        together = [one for one, piece in zip(ones, pieces, strict=True) if not mine.isdisjoint(piece)]
        found.append(is_one and sum(together) > 1 and 2 * sum(together) > len(together))
    return found


def _no_digit(row: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same row with the best guess handed to "not one digit"."""
    changed = row.copy()
    best = int(changed[:NOT_ONE_DIGIT].argmax())
    changed[NOT_ONE_DIGIT] += changed[best]
    changed[best] = 0.0
    return changed


def _worth(row: NDArray[np.float32], ink: float) -> float:
    """Log-worth of a run that holds this share of its cluster's ink."""
    digit = int(row[:NOT_ONE_DIGIT].argmax())
    probability = float(row[digit])
    least = 0.0 if ink > 1.0 - LEFTOVER_SHARE else SPLIT_ONE if digit == 1 else SPLIT_DIGIT
    return max(NO_DIGIT_WORTH, float(np.log(max(1e-6, probability))) if probability >= least else NO_DIGIT_WORTH)
