"""What else is in the picture: fingers that hold the sheet, pens and other papers beside it. None of it covers a digit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.sheet import Box

Picture = NDArray[np.uint8]

SKINS: Final = ((165, 190, 225), (140, 170, 215), (110, 145, 195), (75, 110, 160), (45, 70, 110), (30, 45, 75))
"""Blue, green and red of skin in even light."""

TRIES: Final = 6


def add_fingers(rng: np.random.Generator, picture: Picture, boxes: Sequence[Box]) -> None:
    """One to three fingers reach in from one side of the picture, drawn into it; fewer where digits leave no room.

    boxes : of the digits, in pixels of the picture.
    """
    h, w = picture.shape[:2]
    radius = rng.uniform(0.03, 0.075) * min(h, w)
    skin = np.array(SKINS[int(rng.integers(len(SKINS)))]) * rng.uniform(0.85, 1.1)
    side = int(rng.integers(4))
    for _ in range(TRIES):
        along = rng.uniform(0.1, 0.9) * (w if side % 2 == 0 else h)
        deep = rng.uniform(1.0, 5.0) * radius
        lean = rng.normal(0, 1.0) * radius
        fingers = []
        for index in range(int(rng.choice([1, 1, 2, 3]))):
            place, tip = along + index * 2.1 * radius, deep * rng.uniform(0.85, 1.15)
            fingers.append((_from_side(side, place - lean, -3 * radius, w, h), _from_side(side, place + lean, tip, w, h)))
        if any(_covers(*finger, radius * 1.5, boxes) for finger in fingers):
            continue
        for start, end in fingers:
            _capsule(picture, start, end, radius, skin, 0.35)
            along_finger = (end - start) / max(1e-6, float(np.linalg.norm(end - start)))
            if rng.random() < 0.6:
                _capsule(picture, end - along_finger * radius * 0.55, end, radius * 0.5, skin * 0.4 + np.array([150, 150, 160]) * 0.6, 0.15)
        return


def add_pen(rng: np.random.Generator, picture: Picture, boxes: Sequence[Box]) -> None:
    """A pen or pencil lies in the picture, drawn into it, unless it would hide a digit wherever it is put."""
    h, w = picture.shape[:2]
    length, radius = rng.uniform(0.45, 0.9) * min(h, w), rng.uniform(0.008, 0.018) * min(h, w)
    colour = rng.uniform(10, 235, 3) if rng.random() < 0.6 else np.full(3, rng.uniform(10, 60))
    for _ in range(TRIES):
        middle = rng.uniform(-0.05, 1.05, 2) * (w, h)
        angle = rng.uniform(0, 2 * np.pi)
        reach = length / 2 * np.array([np.cos(angle), np.sin(angle)])
        if _covers(middle - reach, middle + reach, radius * 2, boxes):
            continue
        shift = np.array([0.6, 1.0]) * radius * rng.uniform(0.3, 1.2)
        _capsule(picture, middle - reach + shift, middle + reach + shift, radius * 1.1, np.zeros(3), 0.0, opacity=0.4)
        _capsule(picture, middle - reach, middle + reach, radius, colour, 0.6)
        _capsule(picture, middle + reach * 0.86, middle + reach, radius * 0.6, rng.uniform(10, 220, 3), 0.5)
        if rng.random() < 0.5:
            _capsule(picture, middle - reach, middle - reach * 0.4, radius * 1.15, colour * rng.uniform(0.4, 1.0), 0.6)
        return


def add_papers(rng: np.random.Generator, desk: Picture) -> None:
    """One or two other sheets, books or things with straight edges on a desk, drawn into it."""
    h, w = desk.shape[:2]
    for _ in range(int(rng.integers(1, 3))):
        middle, size = rng.uniform(0, 1, 2) * (w, h), rng.uniform(0.2, 0.7, 2) * max(w, h)
        angle = rng.uniform(0, np.pi)
        axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2 @ axes + middle
        grey = rng.uniform(150, 240) if rng.random() < 0.5 else rng.uniform(10, 200)
        colour = grey * np.exp(rng.normal(0, 0.1 if grey > 150 else 0.35, 3))
        shade = cv2.fillConvexPoly(np.zeros((h // 4 + 1, w // 4 + 1), np.uint8), (corners / 4 + 2).astype(np.int32), 110)
        shade = cv2.resize(cv2.GaussianBlur(shade, (0, 0), max(1.0, max(w, h) / 600)), (w, h), interpolation=cv2.INTER_LINEAR)
        cv2.multiply(desk, cv2.merge([255 - shade] * 3), desk, scale=1 / 255)
        cv2.fillConvexPoly(desk, (corners * 16).astype(np.int32), np.clip(colour, 0, 255).tolist(), cv2.LINE_AA, 4)


def _from_side(side: int, along: float, deep: float, width: int, height: int) -> NDArray[np.float64]:
    """A point `deep` pixels inside the picture from its top, left, bottom or right side."""
    places = ((along, deep), (deep, along), (along, height - deep), (width - deep, along))
    return np.array(places[side], np.float64)


def _covers(start: NDArray[np.float64], end: NDArray[np.float64], radius: float, boxes: Sequence[Box]) -> bool:
    """Whether a thick line from start to end comes nearer than radius to one of the boxes' middles, or to their corners."""
    if not len(boxes):
        return False
    x, y, w, h = np.array(boxes, np.float64).T
    points = np.concatenate([np.stack([x + w * i / 2, y + h * j / 2], axis=1) for i in range(3) for j in range(3)])
    return bool((_distance(points, start, end) < radius).any())


def _distance(points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of points (..., 2) from a line's piece."""
    line = end - start
    share = np.clip((points - start) @ line / max(1e-9, float(line @ line)), 0, 1)
    return np.asarray(np.linalg.norm(points - start - share[..., None] * line, axis=-1))


def _capsule(
    picture: Picture,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
    colour: NDArray[np.float64],
    roundness: float,
    opacity: float = 1.0,
) -> None:
    """Draw a thick line with round ends, darker towards its rim by `roundness`."""
    h, w = picture.shape[:2]
    low = np.maximum(np.floor(np.minimum(start, end) - radius - 1), 0).astype(int)
    high = np.minimum(np.ceil(np.maximum(start, end) + radius + 2), (w, h)).astype(int)
    if (high <= low).any():
        return
    # Half the resolution is enough for something smooth, and a quarter of the work.
    size = high - low
    columns, rows = (low[axis] + (np.arange(-(-size[axis] // 2)) * 2 + 0.5) for axis in (0, 1))
    distance = _distance(np.stack(np.meshgrid(columns, rows), axis=-1), start, end).astype(np.float32)
    shading = 1 - np.float32(roundness) * np.minimum(distance / np.float32(radius), 1) ** 2
    cover = np.clip((np.float32(radius) - distance) / 1.5, 0, 1) * np.float32(opacity)
    layers = cv2.resize(cv2.merge([shading, cover]), (int(size[0]), int(size[1])), interpolation=cv2.INTER_LINEAR)
    place = picture[low[1] : high[1], low[0] : high[0]]
    drawn = layers[:, :, :1] * colour.astype(np.float32)
    place[...] = np.clip(place + (drawn - place) * layers[:, :, 1:], 0, 255).astype(np.uint8)
