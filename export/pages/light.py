"""How brightly each place of a picture is lit: lamps, vignette, shadows of hands and edges, paper that is crumpled or curled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""(h, w) at a quarter of the picture's resolution; 1 where paper keeps the brightness that the scanner saw."""

STEP_PX: Final = 4
"""Pixels of the picture to one of a field: shadows have no finer edges than this, and noise and lens hide the rest."""


@dataclass(frozen=True, slots=True)
class Light:
    """What lies between even light and the picture.

    field : brightness by place. colour : gain of blue, green and red. glare : share of full white that a shiny surface adds, or None.
    """

    field: Field
    colour: tuple[float, float, float]
    glare: Field | None = None

    def shine(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The picture, uint8 (h, w, 3), in this light: float32 of the same shape, not clipped."""
        h, w = picture.shape[:2]
        gains = _enlarged(self.field[:, :, None] * np.array(self.colour, np.float32))[:h, :w]
        lit = cv2.multiply(picture, gains, dtype=cv2.CV_32F)
        if self.glare is not None:
            lit += (255 * _enlarged(self.glare)[:h, :w])[:, :, None]
        return lit  # type: ignore[return-value]


def field_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the field of a picture."""
    return -(-width // STEP_PX), -(-height // STEP_PX)


def room_light(rng: np.random.Generator, width: int, height: int, strength: float) -> Field:
    """Uneven light over a picture of width x height pixels: a slope, a lamp, the dark corners of a lens.

    strength : 0 even, 1 as uneven as people still photograph.
    """
    w, h = field_size(width, height)
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    xs, ys = xs / w * 2 - 1, ys / h * 2 - 1
    angle = rng.uniform(0, 2 * np.pi)
    field = 1 + np.float32(strength * rng.uniform(0, 0.4)) * (np.float32(np.cos(angle)) * xs + np.float32(np.sin(angle)) * ys)
    if rng.random() < 0.4 * strength:
        x, y = rng.uniform(-1.3, 1.3, 2)
        spread = rng.uniform(0.35, 1.2)
        field += np.float32(rng.uniform(0.1, 0.6) * strength) * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / np.float32(2 * spread**2))
    field *= 1 - np.float32(strength * rng.uniform(0, 0.35)) * (xs**2 + ys**2) / 2
    return field.astype(np.float32)


def shadow(rng: np.random.Generator, width: int, height: int) -> Field:
    """The shadow of something outside the picture, of a hand or of a phone: 1 in the light, down to 0.35 in the dark, edge soft or hard."""
    w, h = field_size(width, height)
    mask = np.zeros((h, w), np.uint8)
    size = max(w, h)
    if rng.random() < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        start = np.array([w, h]) * rng.uniform(0.1, 0.9, 2)
        bends = [start + across * size * t + along * size * rng.normal(0, 0.04) for t in np.linspace(-1.5, 1.5, 6)]
        outline = [*bends, bends[-1] + along * 3 * size, bends[0] + along * 3 * size]
        cv2.fillPoly(mask, [np.array(outline).astype(np.int32)], 255)
    else:
        # A hand or a phone comes in from a side: an arm, and at times fingers beside each other.
        along = rng.uniform(0, 1)
        root, way = ((np.array([along * w, -0.2 * h]), (0.0, 1.0)), (np.array([-0.2 * w, along * h]), (1.0, 0.0)))[int(rng.integers(2))]
        thick = rng.uniform(0.04, 0.3)
        for index in range(int(rng.choice([1, 1, 3, 4])) if thick < 0.12 else 1):
            start = root + np.array(way[::-1]) * size * thick * 1.2 * index
            end = start + (np.array(way) * rng.uniform(0.3, 0.9) + rng.normal(0, 0.08, 2)) * size
            cv2.line(mask, *((int(x), int(y)) for x, y in (start, end)), 255, max(1, int(size * thick)), cv2.LINE_AA)
        if rng.random() < 0.5:
            mask = np.ascontiguousarray(mask[::-1, ::-1])
    soft = size * (rng.uniform(0.02, 0.12) if rng.random() < 0.7 else rng.uniform(0.002, 0.01))
    depth = np.float32(rng.uniform(0.08, 0.6) / 255)
    blurred = _blur(mask, soft)
    return 1 - depth * blurred.astype(np.float32)


def crumple(rng: np.random.Generator, paper: NDArray[np.uint8], width: int, height: int, depth: float) -> Field:
    """Light and dark of crumpled paper cut from a photograph.

    paper : grey uint8 photograph of crumpled paper. depth : standard deviation of the field.
    """
    w, h = field_size(width, height)
    share = rng.uniform(0.3, 1.0)
    ph, pw = (max(8, int(side * share)) for side in paper.shape)
    y, x = int(rng.integers(0, paper.shape[0] - ph + 1)), int(rng.integers(0, paper.shape[1] - pw + 1))
    part = cv2.resize(paper[y : y + ph, x : x + pw], (w, h), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    mean, deviation = float(part.mean()), max(1.0, float(part.std()))
    return np.clip(1 + (part - mean) * np.float32(depth / deviation), 0.3, 1.6)


def glare(rng: np.random.Generator, width: int, height: int, most: float) -> Field:
    """The reflection of a lamp or a window on something shiny, 0 to `most`."""
    w, h = field_size(width, height)
    mask = np.zeros((h, w), np.uint8)
    size = max(w, h)
    middle = rng.uniform(0.05, 0.95, 2) * (w, h)
    if rng.random() < 0.5:
        axes = (size * rng.uniform(0.03, 0.2, 2)).astype(int) + 1
        cv2.ellipse(mask, middle.astype(int).tolist(), axes.tolist(), float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    else:
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(0.04, 0.25, 2) * size + rng.normal(0, 0.02, (4, 2)) * size
        cv2.fillConvexPoly(mask, (middle + corners).astype(np.int32), 255, cv2.LINE_AA)
    return _blur(mask, size * rng.uniform(0.02, 0.1)).astype(np.float32) * np.float32(rng.uniform(0.3, 1) * most / 255)


def curl_shade(slope: NDArray[np.float64], width: int, height: int, strength: float) -> Field:
    """Paper that turns towards the light is brighter. slope : of the paper on a coarse grid over the picture."""
    w, h = field_size(width, height)
    shade = cv2.resize(slope.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    return np.clip(1 + np.float32(strength) * shade, 0.4, 1.6)


def _enlarged(field: Field) -> NDArray[np.float32]:
    return cv2.resize(field, (field.shape[1] * STEP_PX, field.shape[0] * STEP_PX), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _blur(mask: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Gaussian blur whose cost does not grow with sigma: wide ones are made small first."""
    shrink = max(1, int(sigma / 3))
    if shrink == 1:
        return cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.3))  # type: ignore[return-value]
    h, w = mask.shape
    small = cv2.resize(mask, (max(2, w // shrink), max(2, h // shrink)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / shrink), (w, h), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
