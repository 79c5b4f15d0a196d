"""Digits as other pens, hands, papers and lights give them, so that it can be measured what a model bears.

A tile is enlarged to four times its size before anything is done to it. What changes the stroke goes through the tile
rule; what changes paper and light becomes a picture of one digit, dark on its paper, and goes the way on which the
product reads such pictures (edge_digits/paper/single.py). What comes out are tiles again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.tile_sets import Tiles
from edge_digits.paper.single import find_single_glyph
from edge_digits.paper.tiles import TILE_SIDE_PX, make_tile

Picture = NDArray[np.uint8]

SCALE: Final = 4
STROKE_CHANGE_PX: Final = 1.5
"""Of the width of a stroke, in pixels of a tile."""
TILT_DEG: Final = 15.0

PAPER_LEVEL: Final = 235
PEN_LEVEL: Final = 30
"""Grey levels of white paper and of a dark pen in a picture, of 255."""
GREY_PAPER_LEVEL: Final = 128
WEAK_CONTRAST: Final = 0.25
NOISE_LEVELS: Final = 2.0
"""Standard deviation of a sensor's noise, in grey levels: no camera gives a faint stroke without any."""
SEED: Final = 15

STROKE_REACH_PX: Final = 9
"""Within this many pixels of the enlarged glyph lies the darkest point of a pixel's own stroke."""
FAINTEST_STROKE: Final = 48.0
EDGE_GAIN: Final = 6.0

_WIDE: Final = round(STROKE_CHANGE_PX * SCALE) + 1
_DISK: Final = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_WIDE, _WIDE))
_WIDER_DISK: Final = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_WIDE + 2, _WIDE + 2))
"""A disk of w pixels takes or adds w - 1 pixels of a stroke's width."""


def enlarge(tile: NDArray[np.uint8]) -> Picture:
    """uint8 (28, 28) to uint8 (112, 112), ink up to 255."""
    side = SCALE * TILE_SIDE_PX
    return np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def sharpen(ink: Picture) -> Picture:
    """The same strokes with steep edges, each where its ink falls to half of what it is in the stroke's middle.

    Enlarging leaves slopes as wide as the stroke itself, of which an erosion would take darkness instead of width.
    """
    darkest = np.maximum(cv2.dilate(ink, np.ones((STROKE_REACH_PX, STROKE_REACH_PX), np.uint8)).astype(np.float32), FAINTEST_STROKE)
    return np.asarray(np.clip(255.0 * (EDGE_GAIN * (ink / darkest - 0.5) + 0.5), 0, 255), np.uint8)


def thicken(ink: Picture) -> Picture:
    """Every stroke 1.5 px wider, in tile pixels. ink : uint8 (112, 112)."""
    return np.asarray(cv2.dilate(ink, _DISK), np.uint8)


def erode(ink: Picture) -> Picture:
    """Every stroke 1.5 px narrower; what was narrower than that is gone, and digits fall apart."""
    return np.asarray(cv2.erode(ink, _DISK), np.uint8)


def thin(ink: Picture) -> Picture:
    """Every stroke 1.5 px narrower, but where nothing would be left, it stays as it is: no pen draws a stroke without width."""
    eroded = erode(ink)
    return np.asarray(cv2.max(eroded, cv2.subtract(ink, cv2.dilate(eroded, _WIDER_DISK))), np.uint8)


def tilt(ink: Picture, degrees: float) -> Picture:
    """Turned about the middle, counter-clockwise."""
    middle = (ink.shape[0] - 1) / 2.0
    turn = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
    return np.asarray(cv2.warpAffine(ink, turn, ink.shape[::-1], flags=cv2.INTER_LINEAR), np.uint8)


def photograph(ink: Picture, paper: int, pen: int, rng: np.random.Generator) -> Picture:
    """The glyph as a picture: uint8 (112, 112), ink at level `pen` on paper at level `paper`, with a sensor's noise."""
    picture = paper - (paper - pen) * ink.astype(np.float32) / 255.0 + NOISE_LEVELS * rng.standard_normal(ink.shape, np.float32)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


Disturbance = Callable[[Picture, np.random.Generator], Picture]
"""ink uint8 (112, 112), ink 255 -> the disturbed glyph, ink 255 on paper 0, as the tile rule takes it."""


def _read_picture(paper: int, pen: int) -> Disturbance:
    return lambda ink, rng: find_single_glyph(photograph(ink, paper, pen, rng))


DISTURBANCES: Final[dict[str, Disturbance]] = {
    "enlarged": lambda ink, _: ink,
    "sharpened": lambda ink, _: sharpen(ink),
    "stroke_plus_1.5_px": lambda ink, _: thicken(sharpen(ink)),
    "stroke_minus_1.5_px": lambda ink, _: thin(sharpen(ink)),
    "eroded_1.5_px": lambda ink, _: erode(sharpen(ink)),
    "tilt_plus_15_deg": lambda ink, _: tilt(ink, TILT_DEG),
    "tilt_minus_15_deg": lambda ink, _: tilt(ink, -TILT_DEG),
    "photographed": _read_picture(PAPER_LEVEL, PEN_LEVEL),
    "contrast_x0.25": _read_picture(PAPER_LEVEL, round(PAPER_LEVEL - WEAK_CONTRAST * (PAPER_LEVEL - PEN_LEVEL))),
    "grey_background": _read_picture(GREY_PAPER_LEVEL, round(PEN_LEVEL * GREY_PAPER_LEVEL / PAPER_LEVEL)),
    "inverted": _read_picture(PEN_LEVEL, PAPER_LEVEL),
}
"""By name; see also CONTROLS."""

CONTROLS: Final = ("enlarged", "sharpened", "photographed", "eroded_1.5_px")
"""The first three disturb nothing, they tell what the ways themselves cost; the last leaves digits in pieces that a thin pen
would not. None of them belongs to what a model has to bear."""


def disturb(tiles: Tiles, name: str) -> Tiles:
    """The tiles of disturbed digits, always the same for the same tiles. tiles : uint8 (n, 28, 28), n may be 0. Returns the same shape."""
    disturbance, rng = DISTURBANCES[name], np.random.default_rng(SEED)
    return np.array([make_tile(disturbance(enlarge(tile), rng)) for tile in tiles], np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)
