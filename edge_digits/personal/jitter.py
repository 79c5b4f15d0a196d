"""Copies of a person's few digits as the same hand might have written them on another day: turned, sheared and stretched a little.

A head that is fitted to ten digits of each kind learns those ten; one that is fitted to them and to such copies learns the hand
(P. Simard, D. Steinkraus and J. Platt, "Best practices for convolutional neural networks", ICDAR 2003). The ways are few and fixed,
in pairs of opposites, so that the same samples always give the same head.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import TILE_SIDE_PX, make_tile

SCALE: Final = 4
"""A tile is enlarged so much on the way: at its own size strokes are two pixels wide, and would blur."""
JITTERS: Final = ((10.0, 0.0, 1.1), (-10.0, 0.0, 1 / 1.1), (0.0, 0.22, 1.0), (0.0, -0.22, 1.0), (5.0, 0.1, 1.2), (-5.0, -0.1, 1 / 1.2))
"""Of each copy: clockwise turn in degrees, shear sideways for downwards, width for height. Smaller ones gained less on trial."""
MOST_ROWS: Final = 2000
"""Of samples and copies together; more samples need fewer copies, and a small machine its time."""


def copies_of(count: int) -> int:
    """How many copies of each of so many samples are made; always pairs."""
    return min(len(JITTERS), 2 * max(0, (MOST_ROWS // max(1, count) - 1) // 2))


def jittered(tiles: NDArray[np.uint8], jitter: int) -> NDArray[np.uint8]:
    """One copy of each tile. tiles : uint8 (n, 28, 28), ink 255. jitter : index into JITTERS. Returns the same shape."""
    turn_deg, shear, widening = JITTERS[jitter]
    turn = math.radians(turn_deg)
    turned = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    stretched = np.array([[math.sqrt(widening), shear], [0.0, 1.0 / math.sqrt(widening)]])
    linear = SCALE * turned @ stretched
    side = SCALE * TILE_SIDE_PX
    middle = np.full(2, (TILE_SIDE_PX - 1) / 2)
    place = np.column_stack([linear, np.full(2, (side - 1) / 2) - linear @ middle])
    large = [cv2.warpAffine(tile, place, (side, side), flags=cv2.INTER_LINEAR) for tile in tiles]
    return np.array([make_tile(np.asarray(ink, np.uint8)) for ink in large], np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)
