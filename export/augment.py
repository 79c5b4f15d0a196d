"""Makes one written glyph look like many others: pen, tilt, stretch, wobble, paper and camera; then the tile rule.

Everything is done to the glyph at about twice tile resolution, never to the tile, so that what the model sees in training went
through `edge_digits.paper.tiles.make_tile` exactly as what it sees on paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.tiles import BOX_SIDE_PX, make_tile, stroke_width

Glyph = NDArray[np.uint8]

CANVAS_PX: Final = 64
RIM_PX: Final = 6
"""Free rim of the canvas, so that a thick pen and a wobble stay inside."""
_GRID: Final = 5
_CELL_PX: Final = 16
_X, _Y = np.meshgrid(np.arange(CANVAS_PX, dtype=np.float32), np.arange(CANVAS_PX, dtype=np.float32))
_DISKS: Final = {side: cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)) for side in range(2, 16)}
_LEVELS: Final = np.arange(256, dtype=np.float32)
_NOISE: Final = np.random.default_rng(0).normal(0.0, 1.0, (256, 256)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class AugmentOptions:
    """How far each disturbance may go at strength 1; angles in degrees, pen widths in pixels of the 20 px box."""

    rotation_deg: float = 15.0
    shear: float = 0.3
    stretch: float = 0.22
    elastic_px: float = 2.2
    thinnest_pen_px: float = 1.1
    thickest_pen_px: float = 4.6
    pen_share: float = 0.55
    hard_edge_share: float = 0.35
    blur_share: float = 0.3
    uneven_ink_share: float = 0.12
    noise_share: float = 0.15
    break_share: float = 0.06
    residue_share: float = 0.10
    low_resolution_share: float = 0.15
    jpeg_share: float = 0.04


def augment(glyph: Glyph, rng: np.random.Generator, strength: float = 1.0, options: AugmentOptions | None = None) -> Glyph:
    """One random variant of a glyph.

    glyph : uint8 (h, w), ink up to 255, paper 0, any size. strength : 0 leaves nearly everything as it is, 1 is full.
    Returns uint8 (64, 64) or smaller, ink up to 255, paper 0.
    """
    options = options or AugmentOptions()
    ink = _warp(glyph, rng, strength, options)
    # One draw for all switches: drawing is a fifth of the whole cost otherwise.
    chance = rng.random(9) / max(strength, 1e-6)
    if chance[0] < options.pen_share:
        ink = _set_pen(ink, rng, options)
    if chance[1] < options.break_share:
        _break_strokes(ink, rng)
    if chance[2] < options.residue_share:
        _add_residue(ink, rng)
    if chance[3] < options.uneven_ink_share:
        ink = _uneven_ink(ink, rng)
    if chance[4] < options.blur_share:
        ink = cv2.GaussianBlur(ink, (7, 7), rng.uniform(0.6, 2.2))
    if chance[5] < options.hard_edge_share:
        ink = _harden(ink, rng)
    if chance[6] < options.noise_share:
        ink = _add_noise(ink, rng)
    if chance[7] < options.low_resolution_share:
        side = int(rng.integers(22, 48))
        ink = cv2.resize(ink, (side, side), interpolation=cv2.INTER_AREA)
    if chance[8] < options.jpeg_share:
        ink = _jpeg(ink, rng)
    return ink


def augmented_tile(glyph: Glyph, rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.uint8]:
    """A random variant of a glyph as uint8 (28, 28); the untouched glyph's tile where the variant has no ink left."""
    if strength <= 0:
        return make_tile(glyph)
    tile = make_tile(augment(glyph, rng, strength))
    return tile if tile.any() else make_tile(glyph)


def _warp(glyph: Glyph, rng: np.random.Generator, strength: float, options: AugmentOptions) -> Glyph:
    """Rotation, shear, stretch and a smooth wobble in one sampling step; the ink is fitted into the canvas."""
    height, width = glyph.shape
    draw = (2.0 * rng.random(5) - 1.0) * strength
    angle, shear, stretch = math.radians(options.rotation_deg) * draw[0], options.shear * draw[1], math.exp(options.stretch * draw[2])
    cos, sin = math.cos(angle), math.sin(angle)
    # Forward: stretch, then shear, then rotate; its determinant is 1.
    a, b = cos * stretch, (cos * shear - sin) / stretch
    c, d = sin * stretch, (sin * shear + cos) / stretch
    reach = max(abs(a) * width + abs(b) * height, abs(c) * width + abs(d) * height) / 2.0
    scale = (CANVAS_PX / 2 - RIM_PX) * (1.0 - 0.15 * abs(draw[3])) / reach
    centre, x0, y0 = (CANVAS_PX - 1) / 2, (width - 1) / 2, (height - 1) / 2
    map_x = np.float32(d / scale) * _X + np.float32(-b / scale) * _Y + np.float32(x0 + (b - d) * centre / scale)
    map_y = np.float32(-c / scale) * _X + np.float32(a / scale) * _Y + np.float32(y0 + (c - a) * centre / scale)
    wobble = options.elastic_px * abs(draw[4]) / scale
    if wobble * scale > 0.3:
        grid = rng.standard_normal((_GRID, _GRID, 2), np.float32) * np.float32(wobble)
        field = cv2.resize(grid, (_GRID * _CELL_PX, _GRID * _CELL_PX), interpolation=cv2.INTER_CUBIC)
        half = _CELL_PX // 2
        map_x += field[half:-half, half:-half, 0]
        map_y += field[half:-half, half:-half, 1]
    how = cv2.INTER_LINEAR if scale < 2.5 else cv2.INTER_CUBIC
    return cv2.remap(glyph, map_x, map_y, how, borderMode=cv2.BORDER_CONSTANT, borderValue=0)  # type: ignore[return-value]


def _set_pen(ink: Glyph, rng: np.random.Generator, options: AugmentOptions) -> Glyph:
    """Bring the stroke to a random width, by whole pixels with a disk and by the rest with a shifted edge."""
    now = stroke_width(ink)
    if now < 1.0:
        return ink
    per_box_px = (CANVAS_PX - 2 * RIM_PX) / BOX_SIDE_PX
    wanted = rng.uniform(options.thinnest_pen_px, options.thickest_pen_px) * per_box_px
    # Half the way at most when growing: a 4.6 px pen would fill the loops of a small 8.
    change = wanted - now if wanted < now else (wanted - now) * 0.6
    whole = int(abs(change))
    if whole >= 1:
        disk = _DISKS[min(whole + 1, 15)]
        changed = cv2.dilate(ink, disk) if change > 0 else cv2.erode(ink, disk)
        if change < 0:
            # A stroke of uneven width vanishes where it is thinner than the cut: what cannot be grown back stays.
            changed = cv2.max(changed, cv2.subtract(ink, cv2.dilate(changed, _DISKS[min(whole + 3, 15)])))
        ink = changed  # type: ignore[assignment]
    rest = abs(change) - whole
    # Moving the level of a soft edge moves the edge by a fraction of a pixel.
    level = 64.0 - 40.0 * rest if change > 0 else 64.0 + 70.0 * rest
    return _steepen(cv2.GaussianBlur(ink, (5, 5), 0.8), 1.5, level)


def _steepen(ink: Glyph, gain: float, level: float) -> Glyph:
    """gain * (ink - level), cut to 0..255, by a table."""
    return cv2.LUT(ink, np.clip((_LEVELS - level) * gain, 0, 255).astype(np.uint8))  # type: ignore[return-value]


def _break_strokes(ink: Glyph, rng: np.random.Generator) -> None:
    """Cut one or two thin gaps, as a dry pen or a removed ruled line leaves them."""
    for _ in range(int(rng.integers(1, 3))):
        y = int(rng.integers(8, CANVAS_PX - 8))
        slope = 0 if rng.random() < 0.5 else int(rng.integers(-40, 41))
        cv2.line(ink, (0, y - slope), (CANVAS_PX, y + slope), 0, int(rng.integers(1, 4)))


def _add_residue(ink: Glyph, rng: np.random.Generator) -> None:
    """A piece of ruled line, or a crumb of a neighbour, at the rim of the ink."""
    x, y, w, h = cv2.boundingRect(cv2.threshold(ink, 64, 255, cv2.THRESH_BINARY)[1])
    if w < 4 or h < 4:
        return
    level = int(rng.integers(90, 256))
    if rng.random() < 0.5:
        row = y + h - int(rng.integers(0, 4)) if rng.random() < 0.7 else y + int(rng.integers(0, 4))
        start = x + int(rng.integers(-8, w))
        cv2.line(ink, (start, row), (start + int(rng.integers(6, 30)), row + int(rng.integers(-1, 2))), level, int(rng.integers(1, 3)))
    else:
        side = x - int(rng.integers(0, 4)) if rng.random() < 0.5 else x + w + int(rng.integers(0, 4))
        at = (side, y + int(rng.integers(0, h)))
        cv2.ellipse(ink, at, (int(rng.integers(1, 3)), int(rng.integers(1, 7))), float(rng.uniform(-40, 40)), 0, 360, level, -1)


def _uneven_ink(ink: Glyph, rng: np.random.Generator) -> Glyph:
    field = cv2.resize(rng.uniform(0.3, 1.0, (4, 4)).astype(np.float32), ink.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.convertScaleAbs(ink * field)  # type: ignore[return-value]


def _harden(ink: Glyph, rng: np.random.Generator) -> Glyph:
    """A steeper edge, up to nearly black and white, as a threshold makes it; sometimes a gamma instead."""
    if rng.random() < 0.3:
        table = (255.0 * (np.arange(256) / 255.0) ** rng.uniform(0.6, 1.7)).astype(np.uint8)
        return cv2.LUT(ink, table)  # type: ignore[return-value]
    gain, level = rng.uniform(2.0, 8.0), rng.uniform(50.0, 120.0)
    return _steepen(ink, gain, level)


def _add_noise(ink: Glyph, rng: np.random.Generator) -> Glyph:
    y, x = rng.integers(0, 256 - ink.shape[0]), rng.integers(0, 256 - ink.shape[1])
    noise = _NOISE[y : y + ink.shape[0], x : x + ink.shape[1]] * np.float32(rng.uniform(4.0, 28.0))
    # Paper has been cleaned by then: noise lives only where there is ink.
    return np.clip(ink + noise * (ink > 24), 0, 255).astype(np.uint8)


def _jpeg(ink: Glyph, rng: np.random.Generator) -> Glyph:
    _, data = cv2.imencode(".jpg", 255 - ink, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 60))])
    decoded = 255 - cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return np.where(decoded < 32, 0, decoded).astype(np.uint8)
