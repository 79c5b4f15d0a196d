"""Pens and the ink they leave: ballpoint, fibre tip, marker, pencil, chalk, whiteboard marker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.sheet import Box
from export.pages.strokes import Stroke

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255."""


@dataclass(frozen=True, slots=True)
class PenKind:
    """What pens of one kind may be like.

    width : least and greatest width of the line, in heights of what is written. strength : how much of the paper the ink hides.
    grain : share of the line that the paper's tooth leaves bare. pressure : how far the width follows the hand.
    soft_px : blur of the line's edge.
    """

    width: tuple[float, float]
    strength: tuple[float, float]
    grain: tuple[float, float]
    pressure: tuple[float, float]
    soft_px: tuple[float, float]
    colours: tuple[Colour, ...]


_BLUES: Final = ((150, 60, 30), (170, 70, 50), (130, 40, 20), (120, 60, 60), (190, 90, 60), (110, 30, 30))
_BLACKS: Final = ((30, 30, 30), (15, 15, 15), (50, 45, 45), (60, 50, 40))
_REDS: Final = ((40, 40, 190), (50, 30, 160), (70, 60, 210))
_GREENS: Final = ((60, 120, 40), (90, 140, 30))
_GREYS: Final = ((70, 70, 70), (90, 90, 92), (60, 58, 58))

PEN_KINDS: Final[dict[str, PenKind]] = {
    "ballpoint": PenKind(
        (0.035, 0.1), (0.65, 1.0), (0.0, 0.25), (0.05, 0.35), (0.3, 0.7), _BLUES + _BLUES + _BLACKS + _BLACKS + _REDS + _GREENS
    ),
    "fibre": PenKind((0.05, 0.15), (0.8, 1.0), (0.0, 0.08), (0.0, 0.2), (0.3, 0.8), _BLACKS + _BLACKS + _BLUES + _REDS + _GREENS),
    "marker": PenKind((0.1, 0.24), (0.8, 1.0), (0.0, 0.05), (0.0, 0.15), (0.4, 1.2), _BLACKS + _BLACKS + _BLUES + _REDS),
    "pencil": PenKind((0.04, 0.12), (0.45, 0.85), (0.2, 0.6), (0.1, 0.4), (0.4, 1.0), _GREYS),
    "faint pencil": PenKind((0.035, 0.1), (0.18, 0.45), (0.2, 0.6), (0.1, 0.4), (0.4, 1.0), _GREYS),
    "chalk": PenKind(
        (0.07, 0.17), (0.7, 1.0), (0.25, 0.6), (0.1, 0.35), (0.5, 1.2), ((235, 235, 235), (245, 250, 250), (170, 225, 245), (200, 200, 245))
    ),
    "whiteboard": PenKind(
        (0.05, 0.15),
        (0.55, 0.98),
        (0.05, 0.3),
        (0.0, 0.2),
        (0.4, 1.0),
        ((35, 30, 30), (160, 60, 20), (50, 40, 190), (60, 130, 30), (30, 25, 25)),
    ),
}
PAPER_PENS: Final = {"ballpoint": 0.42, "fibre": 0.22, "marker": 0.11, "pencil": 0.15, "faint pencil": 0.1}
"""How often each is used on paper."""


@dataclass(frozen=True, slots=True)
class Pen:
    """One pen in one hand: see PenKind. width_px : of its line on the sheet. dry : share of the line where it fails."""

    kind: str
    colour: Colour
    width_px: float
    strength: float
    grain: float
    pressure: float
    soft_px: float
    dry: float


LEAST_WIDTH_PX: Final = 1.0


def choose_pen(rng: np.random.Generator, height_px: float, kind: str | None = None) -> Pen:
    """A pen for writing that is height_px tall; of one of the kinds used on paper if none is named."""
    if kind is None:
        kind = str(rng.choice(list(PAPER_PENS), p=np.array(list(PAPER_PENS.values()))))
    kinds = PEN_KINDS[kind]
    thin, thick = kinds.width
    # Writing that is large on the sheet was mostly written large: with the same pen its line is thinner for its height.
    large = float(np.clip((height_px - 90) / 200, 0, 1))
    width = height_px * float(np.exp(rng.uniform(np.log(thin), np.log(thick)))) * (1 - 0.4 * large * rng.random())
    base = kinds.colours[int(rng.integers(len(kinds.colours)))]
    colour = tuple(int(np.clip(value + rng.normal(0, 12), 0, 255)) for value in base)
    return Pen(
        kind,
        (colour[0], colour[1], colour[2]),
        max(LEAST_WIDTH_PX, width),
        float(rng.uniform(*kinds.strength)),
        float(rng.uniform(*kinds.grain)),
        float(rng.uniform(*kinds.pressure)),
        float(rng.uniform(*kinds.soft_px)) * (0.6 if height_px < 30 else 1.0),
        float(rng.uniform(0.0, 0.06)) if kind in ("ballpoint", "whiteboard", "chalk") and rng.random() < 0.2 else 0.0,
    )


class InkLayer:
    """The ink of one pen on a sheet. coverage : uint8 (h, w), 255 where the pen pressed fully."""

    def __init__(self, pen: Pen, shape: tuple[int, int]) -> None:
        self.pen = pen
        self.coverage = np.zeros(shape, np.uint8)

    def draw(self, strokes: Sequence[Stroke], rng: np.random.Generator) -> Box | None:
        """Draws strokes in pixels of the sheet (x, y, half width). Returns the ink's box, also beyond the edge; None if all is beyond."""
        points = np.concatenate(strokes)
        reach = points[:, 2:]
        low, high = (points[:, :2] - reach).min(axis=0), (points[:, :2] + reach).max(axis=0)
        height, width = self.coverage.shape
        margin = 2 + round(2 * self.pen.soft_px)
        left, top = max(0, int(low[0]) - margin), max(0, int(low[1]) - margin)
        right, bottom = min(width, int(high[0]) + margin + 1), min(height, int(high[1]) + margin + 1)
        if right - left < 2 or bottom - top < 2:
            return None
        thinnest = float(reach.min())
        fine = 4 if thinnest < 1.6 else 2 if thinnest < 5 else 1
        patch = np.zeros(((bottom - top) * fine, (right - left) * fine), np.uint8)
        for stroke in strokes:
            self._draw_stroke(patch, stroke, (left, top), fine, rng)
        if fine > 1:
            patch = cv2.resize(patch, (right - left, bottom - top), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        if self.pen.soft_px > 0.35:
            patch = cv2.GaussianBlur(patch, (0, 0), self.pen.soft_px)  # type: ignore[assignment]
        part = self.coverage[top:bottom, left:right]
        cv2.max(part, patch, dst=part)
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])

    def draw_bitmap(self, bitmap: NDArray[np.uint8], corners: Stroke) -> Box | None:
        """Draws a bitmap between three corners (top left, top right, bottom left) in pixels of the sheet, its outline smooth and sharp."""
        height, width = bitmap.shape
        a, b, c = corners[:, :2]
        points = np.array([a, b, c, b + c - a])
        margin = 3.0
        low, high = np.floor(points.min(axis=0) - margin), np.ceil(points.max(axis=0) + margin)
        size = int(high[0] - low[0]), int(high[1] - low[1])
        if min(size) < 2 or max(size) > 4000:
            return None
        source = np.array([[0, 0], [width, 0], [0, height]], np.float32) - np.float32(0.5)
        matrix = cv2.getAffineTransform(source, (corners[:, :2] - low - 0.5).astype(np.float32))
        scale = float(np.hypot(*(c - a))) / height
        soft = cv2.warpAffine(bitmap, matrix, size, flags=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        if scale > 1.2:
            soft = cv2.GaussianBlur(soft, (0, 0), 0.45 * scale)
        gain = min(6.0, max(1.3, 0.9 * scale))
        ink = np.asarray(cv2.convertScaleAbs(cv2.subtract(soft, 118 - round(127 / gain)), alpha=gain), np.uint8)
        if self.pen.soft_px > 0.35:
            ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), self.pen.soft_px), np.uint8)
        self.stamp(ink, int(low[0]), int(low[1]))
        x, y, w, h = cv2.boundingRect(cv2.threshold(ink, 100, 255, cv2.THRESH_BINARY)[1])
        return (float(low[0] + x), float(low[1] + y), float(w), float(h)) if w else None

    def stamp(self, ink: NDArray[np.uint8], left: int, top: int) -> None:
        """Lays a patch of ink, uint8 (h, w), onto the sheet; what lies beyond its edge is lost."""
        height, width = self.coverage.shape
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(height, top + ink.shape[0]), min(width, left + ink.shape[1])
        if y1 > y0 and x1 > x0:
            part = self.coverage[y0:y1, x0:x1]
            cv2.max(part, np.ascontiguousarray(ink[y0 - top : y1 - top, x0 - left : x1 - left]), dst=part)

    def _draw_stroke(self, patch: NDArray[np.uint8], stroke: Stroke, corner: tuple[int, int], fine: int, rng: np.random.Generator) -> None:
        count = min(400, max(len(stroke), int(np.abs(np.diff(stroke[:, :2], axis=0)).sum() / 3) + 2))
        points = cv2.resize(stroke[:, None, :], (1, count), interpolation=cv2.INTER_CUBIC)[:, 0, :] if count > len(stroke) + 4 else stroke
        # OpenCV's resize samples between the ends: they are put back.
        if points is not stroke:
            points = np.vstack([stroke[:1], points, stroke[-1:]])
        at = np.round((points[:, :2] - corner + 0.5) * (fine * 16) - 8).astype(np.int32)
        thick = np.maximum(1, np.round(points[:, 2] * 2 * fine)).astype(np.int32)
        level = (
            np.full(len(points), 255)
            if self.pen.pressure < 0.15
            else 255 - (70 * self.pen.pressure * _wave(rng, len(points), 3)).astype(np.int32) // 12 * 12
        )
        if self.pen.dry:
            level = np.where(_wave(rng, len(points), 6) < self.pen.dry * 2.5, 0, level)
        changes = np.flatnonzero((np.diff(thick) != 0) | (np.diff(level) != 0)) + 1
        # Drawn finer than the sheet, edges get smooth when it is brought down.
        smooth = cv2.LINE_8 if fine > 1 else cv2.LINE_AA
        start = 0
        for end in [*changes.tolist(), len(points)]:
            if level[start]:
                cv2.polylines(patch, [at[start : end + 1]], False, int(level[start]), int(thick[start]), smooth, 4)
            start = end


def _wave(rng: np.random.Generator, count: int, knots: int) -> NDArray[np.float64]:
    """A smooth random curve between 0 and 1."""
    return np.interp(np.linspace(0, knots - 1, count), np.arange(knots), rng.random(knots))


_TEXTURE_PX: Final = 512


def _textures() -> dict[str, NDArray[np.float32]]:
    """Tooth of the paper, 0..1 float32 (512, 512), as the different pens feel it; tiles seamlessly enough for ink."""
    rng = np.random.default_rng(5)

    def field(sigma_x: float, sigma_y: float) -> NDArray[np.float32]:
        noise = cv2.GaussianBlur(rng.normal(0, 1, (_TEXTURE_PX, _TEXTURE_PX)).astype(np.float32), (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
        ranks = (noise - noise.mean()) / noise.std()
        return np.clip(0.5 + ranks / 3.5, 0, 1).astype(np.float32)

    return {"fine": field(0.7, 0.7), "coarse": field(1.3, 1.3), "streaks": field(0.8, 9.0), "cloud": field(24, 24)}


_TEXTURES: Final = _textures()
_TEXTURE_OF: Final = {"pencil": "fine", "faint pencil": "fine", "chalk": "coarse", "whiteboard": "streaks"}


def lay_ink(picture: NDArray[np.uint8], layer: InkLayer, rng: np.random.Generator) -> None:
    """Puts the ink of a layer onto a picture, uint8 (h, w, 3) BGR, in place. Chalk hides the board; other ink darkens the paper."""
    pen = layer.pen
    at = np.flatnonzero(layer.coverage)
    if not at.size:
        return
    offset = rng.integers(0, _TEXTURE_PX, 2)
    rows = (at // layer.coverage.shape[1] + offset[0]) % _TEXTURE_PX
    columns = (at % layer.coverage.shape[1] + offset[1]) % _TEXTURE_PX
    tooth = _TEXTURES[_TEXTURE_OF.get(pen.kind, "fine")][rows, columns]
    cloud = _TEXTURES["cloud"][rows, columns]
    covered = layer.coverage.reshape(-1)[at].astype(np.float32) / 255
    # Grain g leaves the share g of the tooth nearly bare, with a soft step; a thin faint line loses more of it.
    bare = np.clip((tooth - pen.grain) / 0.25 + 0.5, 0, 1) if pen.grain > 0.02 else np.float32(1)
    alpha = covered * (0.25 + 0.75 * bare) * (pen.strength * (0.8 + 0.2 * cloud)) if pen.grain > 0.02 else covered * pen.strength
    flat = picture.reshape(-1, 3)
    below = flat[at].astype(np.float32)
    colour = np.array(pen.colour, np.float32)
    alpha = alpha[:, None]
    over = below + alpha * (colour - below) if pen.kind == "chalk" else below * (1 - alpha * (1 - colour / 255))
    flat[at] = np.clip(over + 0.5, 0, 255).astype(np.uint8)
