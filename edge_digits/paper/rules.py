"""Ruled lines, grids and box frames: found by their length, taken out of the ink, strokes that cross them repaired."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

PIECE_SHARE: Final = 1 / 36
"""A rule shows as straight runs of at least this share of the page's long side, even when it is tilted by a degree or two."""
SMALLEST_PIECE_PX: Final = 24
RULE_SHARE: Final = 1 / 7
"""Runs that join up to this share of the page's side are a rule; the bar of a 7 or a minus stays shorter."""
SHORTEST_RULE: Final = 3
SHORTEST_ON_STRIP: Final = 4
STRIP_SHARE: Final = 0.5
"""A rule is at least so many pieces long; across a strip narrower than this share of its length, where the stem of a 7
takes a good part of the way, one more."""
THICKEST_RULE_SHARE: Final = 1 / 130
JOIN_SHARE: Final = 1 / 60


def find_rules(ink: Mask) -> Mask:
    """Pixels of long straight lines, horizontal or vertical within about three degrees.

    ink : uint8 (h, w), 0 or 255. Returns uint8 (h, w), 255 on rules.
    """
    if max(ink.shape) < SMALLEST_PIECE_PX / PIECE_SHARE or min(ink.shape) < 2:
        return _find_horizontal(ink) | _transposed(_find_horizontal(_transposed(ink)))
    # Rules are long: half the resolution finds them as well, in a quarter of the time.
    averaged = cv2.resize(ink, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    half = np.asarray(cv2.threshold(averaged, 100, 255, cv2.THRESH_BINARY)[1], np.uint8)
    rules = _find_horizontal(half) | _transposed(_find_horizontal(_transposed(half)))
    full = cv2.resize(rules, ink.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.dilate(full, np.ones((3, 3), np.uint8)), np.uint8) & ink


def _transposed(mask: Mask) -> Mask:
    return np.asarray(cv2.transpose(mask), np.uint8)


def _find_horizontal(ink: Mask) -> Mask:
    height, width = ink.shape
    longest = max(height, width)
    piece = max(SMALLEST_PIECE_PX // 2, round(longest * PIECE_SHARE))
    if width < 2 * piece:
        return np.zeros_like(ink)
    runs = np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8)), np.uint8)
    runs = _drop_thick(runs, max(3, round(longest * THICKEST_RULE_SHARE)))
    if cv2.countNonZero(runs) == 0:
        return runs
    join = max(5, round(longest * JOIN_SHARE))
    joined = cv2.morphologyEx(cv2.dilate(runs, np.ones((3, 1), np.uint8)), cv2.MORPH_CLOSE, np.ones((1, join), np.uint8))
    # Outlines are cheaper than labels for so few and so long pieces. Outer ones first, each with the holes that follow it.
    outlines, tree = cv2.findContours(np.asarray(joined, np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    shortest = SHORTEST_ON_STRIP if width < STRIP_SHARE * longest else SHORTEST_RULE
    least = max(shortest * piece, width * RULE_SHARE)
    is_rule = [_is_rule(np.asarray(outline, np.int32), least) for outline in outlines]
    # A hole goes with the outline around it; an outer one has no parent, -1.
    owner = [own if tree[0, own, 3] < 0 else int(tree[0, own, 3]) for own in range(len(outlines))]
    kept = [outline for outline, own in zip(outlines, owner, strict=True) if is_rule[own]]
    rules = np.zeros_like(ink)
    cv2.drawContours(rules, kept, -1, 255, cv2.FILLED)
    # The run stops where the rule steps to the next pixel row: the joined form covers the steps.
    return rules & ink


def _is_rule(outline: NDArray[np.int32], least: float) -> bool:
    _, _, width, height = cv2.boundingRect(outline)
    return width >= least and height <= max(8, 0.12 * width)


def _drop_thick(runs: Mask, thickest: int) -> Mask:
    """A filled patch (a shadow, a stamp) has long runs too, many rows of them."""
    thick = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((thickest + 1, 1), np.uint8))
    return np.asarray(cv2.subtract(runs, cv2.dilate(thick, np.ones((3, 3), np.uint8))), np.uint8)


def erase_rules(ink: Mask, rules: Mask) -> Mask:
    """Take rules out of the ink and close the gaps they leave in strokes that cross or touch them.

    ink, rules : uint8 (h, w), 0 or 255. Returns uint8 (h, w).
    """
    if not rules.any():
        return ink
    band = np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8)), np.uint8)
    strokes = np.asarray(cv2.subtract(ink, band), np.uint8)
    gap = _thickness(rules) + 5
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    bridges = np.asarray(cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, kernel), np.uint8) & ink & band
    return strokes | bridges


def _thickness(rules: Mask) -> int:
    """Typical thickness of the rules in pixels."""
    distance = cv2.distanceTransform(rules, cv2.DIST_L1, 3)
    ridge = distance[distance > 0]
    return max(1, round(2 * float(np.percentile(ridge, 80)) - 1)) if ridge.size else 1
