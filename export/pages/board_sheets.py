"""Whiteboards and blackboards: bright and dark, with what the sponge left."""

from __future__ import annotations

import cv2
import numpy as np

from export.pages.arrangements import choose_height, lines_of_numbers, one_line, scattered, strew_clutter
from export.pages.canvas import Canvas, around
from export.pages.clutter import circle, draw_somewhere, underline
from export.pages.papers import Picture, add_shade, choose_size, plain_paper
from export.pages.pens import choose_pen
from export.pages.sources import SheetSources
from export.pages.writer import choose_writer


def whiteboard(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A white or grey board with smears of colour."""
    shape = choose_size(rng)
    canvas = Canvas(plain_paper(rng, shape), "whiteboard")
    level = int(rng.integers(205, 256))
    canvas.picture[:] = np.clip(np.array([level, level, level]) + rng.normal(0, 4, 3), 0, 255).astype(np.uint8)
    _smears(canvas.picture, rng, bright=False)
    _write(canvas, rng, sources, "whiteboard")
    return canvas


def blackboard(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A green, black or grey board with the dust of old chalk."""
    shape = choose_size(rng)
    base = [(58, 72, 50), (45, 60, 40), (35, 35, 35), (50, 50, 55), (70, 60, 40), (25, 25, 28)][int(rng.integers(6))]
    picture = np.empty((*shape, 3), np.uint8)
    picture[:] = np.clip(np.array(base) * float(rng.uniform(0.8, 1.4)), 0, 255).astype(np.uint8)
    canvas = Canvas(picture, "blackboard")
    _smears(picture, rng, bright=True)
    _write(canvas, rng, sources, "chalk")
    return canvas


def _smears(picture: Picture, rng: np.random.Generator, bright: bool) -> None:
    """Streaks of a sponge, and cloudy dust, in place."""
    height, width = picture.shape[:2]
    small = rng.normal(0, 1, (max(4, height // 8), max(4, width // 8))).astype(np.float32)
    long, thin = float(rng.uniform(6, 30)), float(rng.uniform(0.7, 3))
    streaks = cv2.GaussianBlur(small, (0, 0), sigmaX=long if rng.random() < 0.6 else thin, sigmaY=thin if rng.random() < 0.6 else long)
    streaks = np.abs(streaks) if bright else -np.abs(streaks)
    field = np.clip(128 + streaks / (streaks.std() + 1e-6) * 32, 0, 255).astype(np.uint8)
    large = np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    add_shade(picture, large, float(rng.uniform(0, 9 if bright else 4)))


def _write(canvas: Canvas, rng: np.random.Generator, sources: SheetSources, kind: str) -> None:
    writer = choose_writer(rng, sources)
    height = choose_height(rng, canvas, least=20, most=180)
    pen = choose_pen(rng, height, kind)
    draw = rng.random()
    if draw < 0.3:
        scattered(canvas, writer, pen, height, rng)
    elif draw < 0.45:
        one_line(canvas, writer, pen, height, rng)
    else:
        lines_of_numbers(canvas, writer, pen, height, rng)
    other = choose_pen(rng, height, kind)
    strew_clutter(canvas, writer, other if rng.random() < 0.4 else pen, height, rng, same_kind=True)
    if canvas.numbers and rng.random() < 0.4:
        number = canvas.numbers[int(rng.integers(len(canvas.numbers)))]
        (circle if rng.random() < 0.5 else underline)(canvas, other, around([box for _, box in number.digits]), rng)
    if rng.random() < 0.3:
        draw_somewhere(canvas, other, height, rng)
