"""What is written in each box of a field: pieces of ink given to the boxes, as glyphs that a classifier can judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.forms.patches import Patch
from edge_digits.paper.connected import connected_ink
from edge_digits.paper.glyphs import FAINTEST_LEVEL, Hypothesis

Grey = NDArray[np.uint8]

SPECK_SHARE: Final = 0.12
"""A piece of ink smaller than this share of its box's height is dirt, or the rest of a printed frame."""
INNER_SHARE: Final = 0.1
"""Rim of a box, in shares of its height, in which the rest of a frame may lie: pieces that stay within it are none of the pen's."""
STRAY_SHARE: Final = 0.25
"""A piece with more than this share of its ink in another box, or beyond the field, is no tail that hangs over."""
REACH_SHARE: Final = 0.3
"""How far above and below its box ink still belongs to it, in heights of the box."""
FULL_LEVEL: Final = 0.8
"""The quantile of a glyph's darkness that becomes 255, as paper/glyphs.py has it."""


@dataclass(frozen=True, slots=True)
class CellInk:
    """What stands in one box.

    box : of the ink, x, y, width, height in pixels of the patch. glyph : uint8 (height, width), ink 255, paper 0.
    level : darkness of the ink, 0..255. crossed : whether ink runs on into another box, or far out of the field.
    """

    box: tuple[int, int, int, int]
    glyph: Grey
    level: float
    crossed: bool

    def hypothesis(self, cluster: int) -> Hypothesis:
        """The glyph in the form in which the page reader's rooms take it."""
        return Hypothesis(cluster, 0, 0, self.box, self.glyph)


def ink_of_cells(patch: Patch) -> list[CellInk | None]:
    """What stands in each box of a field, None where nothing does."""
    strokes, count = patch.ink.strokes, len(patch.cells)
    owner, inner = _owners(patch)
    masks = [np.zeros_like(strokes) for _ in patch.cells]
    crossed = np.zeros(count, bool)
    labels, stats = connected_ink(strokes)
    for label in range(1, len(stats)):
        x, y, w, h = (int(value) for value in stats[label, :4])
        window = slice(y, y + h), slice(x, x + w)
        piece = labels[window] == label
        if max(w, h) < SPECK_SHARE * patch.cells[0][3] or not (piece & inner[window]).any():
            continue
        parts = np.bincount(owner[window][piece], minlength=count + 1) / stats[label, cv2.CC_STAT_AREA]
        main = int(parts[1:].argmax())
        others = [index for index in np.flatnonzero(parts[1:] > STRAY_SHARE).tolist() if index != main]
        left = piece.copy()
        for index in others:
            own = piece & (owner[window] == index + 1)
            masks[index][window][own] = 255
            left &= ~own
        masks[main][window][left] = 255
        if others or parts[0] > STRAY_SHARE:
            crossed[[main, *others]] = True
    return [_cell_ink(patch, mask, cut=bool(cut)) for mask, cut in zip(masks, crossed, strict=True)]


def _owners(patch: Patch) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """For each pixel the box that its ink belongs to, from 1, 0 for none; and whether it lies well within a box. Both (h, w)."""
    height, width = patch.ink.strokes.shape
    owner, inner = np.zeros((height, width), np.int32), np.zeros((height, width), bool)
    edges = [0.0]
    for left, right in zip(patch.cells, patch.cells[1:], strict=False):
        edges.append((left[0] + left[2] + right[0]) / 2)
    edges.append(float(width))
    for index, (x, y, w, h) in enumerate(patch.cells):
        reach, rim = REACH_SHARE * h, INNER_SHARE * h
        first, last = max(edges[index], x - reach), min(edges[index + 1], x + w + reach)
        owner[max(0, round(y - reach)) : round(y + h + reach), max(0, round(first)) : round(last)] = index + 1
        inner[max(0, round(y + rim)) : round(y + h - rim), max(0, round(x + rim)) : round(x + w - rim)] = True
    return owner, inner


def _cell_ink(patch: Patch, mask: Grey, *, cut: bool) -> CellInk | None:
    if not mask.any():
        return None
    x, y, w, h = cv2.boundingRect(mask)
    window = slice(y, y + h), slice(x, x + w)
    shape, darkness = mask[window] > 0, patch.ink.darkness[window]
    level = float(np.quantile(darkness[shape], FULL_LEVEL))
    scaled = cv2.convertScaleAbs(darkness, alpha=255.0 / max(1.0, level))
    glyph = np.where(shape, np.maximum(scaled, FAINTEST_LEVEL), 0).astype(np.uint8)
    return CellInk((x, y, w, h), glyph, level, cut)
