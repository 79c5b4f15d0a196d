"""What else is drawn on paper by hand: underlines, circles, arrows, crossings-out, scribbles, signatures, tallies, little drawings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.pages.canvas import Canvas, around
from export.pages.pens import Pen
from export.pages.sheet import Box
from export.pages.strokes import Stroke

_Points = NDArray[np.float64]


def draw_path(canvas: Canvas, pen: Pen, points: _Points, rng: np.random.Generator, shake: float = 0.012) -> Box | None:
    """A path drawn by hand through points (n, 2) in pixels; it strays by so much of its length. Returns its box on the sheet."""
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    count = int(np.clip(steps[-1] / 4, 6, 160))
    along = np.linspace(0, steps[-1], count)
    knots = max(3, count // 8)
    stroke: Stroke = np.empty((count, 3), np.float32)
    for axis in (0, 1):
        stray = np.interp(np.linspace(0, knots - 1, count), np.arange(knots), rng.normal(0, shake * min(steps[-1], 250), knots))
        stroke[:, axis] = np.interp(along, steps, points[:, axis]) + stray
    stroke[:, 2] = pen.width_px / 2
    box = canvas.layer(pen).draw([stroke], rng)
    return None if box is None else canvas.clip(box)[0]


def _note(canvas: Canvas, kind: str, boxes: list[Box | None]) -> None:
    seen = [box for box in boxes if box is not None]
    if seen:
        canvas.add_clutter(kind, around(seen))


def underline(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """One line or two below a box."""
    x, y, w, h = box
    for index in range(1 + int(rng.random() < 0.25)):
        down = y + h * (1.12 + 0.14 * index)
        points = np.array([[x - w * rng.uniform(0, 0.1), down], [x + w * rng.uniform(0.95, 1.15), down + h * rng.normal(0, 0.05)]])
        _note(canvas, "underline", [draw_path(canvas, pen, points, rng)])


def circle(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """A ring around a box, not quite closed or overlapping, at times a frame."""
    x, y, w, h = box
    if rng.random() < 0.25:
        pad = h * float(rng.uniform(0.15, 0.4))
        corners = [[x - pad, y - pad], [x + w + pad, y - pad], [x + w + pad, y + h + pad], [x - pad, y + h + pad], [x - pad, y - pad * 0.8]]
        points = np.array(corners) + rng.normal(0, h * 0.05, (5, 2))
    else:
        angles = np.linspace(0, 2 * np.pi * float(rng.uniform(0.93, 1.12)), 40) + float(rng.uniform(0, 6.3))
        rx, ry = w / 2 * float(rng.uniform(1.25, 1.5)) + h * 0.15, h * float(rng.uniform(0.72, 1.0))
        drift = 1 + 0.08 * np.linspace(-1, 1, 40)
        points = np.column_stack([x + w / 2 + rx * drift * np.cos(angles), y + h / 2 + ry * drift * np.sin(angles)])
    _note(canvas, "circle", [draw_path(canvas, pen, points, rng, 0.006)])


def cross_out(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """Makes what stands in a box unreadable: strokes through it, a cross, a zigzag or a scribble."""
    x, y, w, h = box
    style = rng.random()
    paths: list[_Points] = []
    if style < 0.35:
        for _ in range(int(rng.integers(2, 4))):
            at = y + h * rng.uniform(0.3, 0.7, 2)
            paths.append(np.array([[x - 0.15 * h, at[0]], [x + w + 0.15 * h, at[1]]]))
    elif style < 0.55:
        paths = [np.array([[x, y], [x + w, y + h]]), np.array([[x + w, y], [x, y + h]])]
    else:
        turns = max(5, int(w / max(h, 1) * rng.uniform(5, 10)))
        across = np.linspace(x - 0.05 * w, x + 1.05 * w, turns)
        up = np.where(np.arange(turns) % 2 == 0, y, y + h) + rng.normal(0, h * 0.1, turns)
        paths = [np.column_stack([across, up])]
        if rng.random() < 0.5:
            paths.append(np.column_stack([across[::-1], up]) + rng.normal(0, h * 0.08, (turns, 2)))
    _note(canvas, "struck out", [draw_path(canvas, pen, path, rng, 0.01) for path in paths])


def strike_numbers(canvas: Canvas, pen: Pen, rng: np.random.Generator, share: float) -> None:
    """Crosses out some of the numbers: they are no digits any more."""
    kept = []
    for number in canvas.numbers:
        if rng.random() < share:
            box = around([box for _, box in number.digits])
            canvas.add_clutter("struck out", box)
            cross_out(canvas, pen, box, rng)
        else:
            kept.append(number)
    canvas.numbers[:] = kept


def signature(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """Loops and ups and downs that run to the right, with a flourish."""
    x, y, w, h = box
    count = int(rng.integers(60, 150))
    t = np.linspace(0, 1, count)
    turns = float(rng.uniform(4, 11))
    fade = np.exp(-t * rng.uniform(0.3, 2.5))
    across = x + w * t + 0.5 * h * fade * np.sin(2 * np.pi * turns * t + rng.uniform(0, 6)) * rng.uniform(0.2, 0.8)
    up = np.cos(2 * np.pi * turns * t) * 0.5 + 0.5 * np.interp(t, np.linspace(0, 1, 8), rng.normal(0, 0.6, 8))
    paths = [np.column_stack([across, y + h / 2 - h * 0.5 * fade * up])]
    if rng.random() < 0.6:
        at = y + h * rng.uniform(0.7, 1.1, 3)
        paths.append(np.column_stack([[x, x + w * 0.5, x + w * rng.uniform(0.8, 1.2)], at]))
    _note(canvas, "signature", [draw_path(canvas, pen, path, rng, 0.004) for path in paths])


def scribble(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """Aimless turns."""
    x, y, w, h = box
    points = np.array([x, y]) + rng.random((int(rng.integers(5, 25)), 2)) * np.array([w, h])
    rounded = np.column_stack(
        [np.interp(np.linspace(0, len(points) - 1, len(points) * 6), np.arange(len(points)), points[:, k]) for k in (0, 1)]
    )
    kernel = np.ones(7) / 7
    smooth = np.column_stack([np.convolve(rounded[:, k], kernel, "valid") for k in (0, 1)])
    _note(canvas, "scribble", [draw_path(canvas, pen, smooth, rng, 0.0)])


def arrow(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """A straight or bent arrow from one corner of a box to another."""
    x, y, w, h = box
    start, end = np.array([x, y + h * rng.random()]), np.array([x + w, y + h * rng.random()])
    if rng.random() < 0.5:
        start, end = end, start
    bend = (start + end) / 2 + rng.normal(0, 0.15 * w, 2)
    t = np.linspace(0, 1, 20)[:, None]
    shaft = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    back = (shaft[-4] - end) / (np.hypot(*(shaft[-4] - end)) + 1e-6) * min(w, 40) * 0.35
    sides = [np.array([end + _turned(back, angle), end]) for angle in (0.5, -0.5)]
    _note(canvas, "arrow", [draw_path(canvas, pen, path, rng) for path in (shaft, *sides)])


def _turned(vector: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    return np.array([vector[0] * np.cos(angle) - vector[1] * np.sin(angle), vector[0] * np.sin(angle) + vector[1] * np.cos(angle)])


def tally(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """Strokes in fives: four upright ones and one across."""
    x, y, w, h = box
    step, count = h * float(rng.uniform(0.25, 0.45)), int(rng.integers(2, 13))
    boxes, at = [], x
    for index in range(count):
        if at > x + w:
            break
        if index % 5 == 4:
            points = np.array([[at - 4.3 * step, y + h * 0.8], [at - 0.3 * step, y + h * 0.2]])
            at += step * 0.7
        else:
            points = np.array([[at + rng.normal(0, 0.06 * h), y], [at + rng.normal(0, 0.06 * h), y + h]])
            at += step
        boxes.append(draw_path(canvas, pen, points, rng))
    _note(canvas, "tally", boxes)


def _ellipse(x: float, y: float, rx: float, ry: float, turns: float = 1.02) -> _Points:
    angles = np.linspace(0, 2 * np.pi * turns, 32)
    return np.column_stack([x + rx * np.cos(angles), y + ry * np.sin(angles)])


def drawing(canvas: Canvas, pen: Pen, box: Box, rng: np.random.Generator) -> None:
    """A house, a face, a figure, a flower, a graph with axes, a star, a spiral or a few shapes."""
    x, y, w, h = box
    paths = _DRAWINGS[int(rng.integers(len(_DRAWINGS)))](rng)
    _note(canvas, "drawing", [draw_path(canvas, pen, path * [w, h] + [x, y], rng, 0.008) for path in paths])


def _house(rng: np.random.Generator) -> list[_Points]:
    door = float(rng.uniform(0.3, 0.6))
    return [
        np.array([[0.1, 1], [0.1, 0.45], [0.5, 0.05], [0.9, 0.45], [0.9, 1], [0.1, 1]]),
        np.array([[0.05, 0.45], [0.95, 0.45]]),
        np.array([[door, 1], [door, 0.7], [door + 0.15, 0.7], [door + 0.15, 1]]),
        np.array([[0.2, 0.55], [0.35, 0.55], [0.35, 0.7], [0.2, 0.7], [0.2, 0.55]]),
    ]


def _face(rng: np.random.Generator) -> list[_Points]:
    mouth = np.linspace(0.2, 0.8, 12)
    smile = float(rng.uniform(-0.15, 0.2))
    return [
        _ellipse(0.5, 0.5, 0.48, 0.48),
        _ellipse(0.33, 0.4, 0.04, 0.05),
        _ellipse(0.67, 0.4, 0.04, 0.05),
        np.column_stack([mouth, 0.7 + smile * np.sin((mouth - 0.2) / 0.6 * np.pi)]),
    ]


def _figure(rng: np.random.Generator) -> list[_Points]:
    arm = float(rng.uniform(0.2, 0.6))
    return [
        _ellipse(0.5, 0.15, 0.14, 0.14),
        np.array([[0.5, 0.3], [0.5, 0.65]]),
        np.array([[0.2, arm], [0.5, 0.42], [0.8, arm]]),
        np.array([[0.25, 1.0], [0.5, 0.65], [0.75, 1.0]]),
    ]


def _flower(rng: np.random.Generator) -> list[_Points]:
    petals = int(rng.integers(4, 8))
    angles = np.arange(petals) * 2 * np.pi / petals
    return [
        _ellipse(0.5, 0.3, 0.08, 0.08),
        *[_ellipse(0.5 + 0.2 * np.cos(a), 0.3 + 0.2 * np.sin(a), 0.11, 0.11) for a in angles],
        np.array([[0.5, 0.6], [0.52, 1.0]]),
    ]


def _graph(rng: np.random.Generator) -> list[_Points]:
    x = np.linspace(0.05, 0.95, 40)
    curve = np.column_stack([x, np.clip(0.5 + rng.normal(0, 0.15) + 0.35 * np.sin(x * rng.uniform(2, 14) + rng.uniform(0, 6)), 0.02, 0.98)])
    return [np.array([[0, 0], [0, 1]]), np.array([[0, 1], [1, 1]]), curve]


def _star(rng: np.random.Generator) -> list[_Points]:
    angles = -np.pi / 2 + np.arange(6) * 4 * np.pi / 5 + rng.normal(0, 0.05)
    return [np.column_stack([0.5 + 0.5 * np.cos(angles), 0.5 + 0.5 * np.sin(angles)])]


def _spiral(rng: np.random.Generator) -> list[_Points]:
    t = np.linspace(0, 2 * np.pi * float(rng.uniform(1.5, 5)), 120)
    return [np.column_stack([0.5 + 0.5 * t / t[-1] * np.cos(t), 0.5 + 0.5 * t / t[-1] * np.sin(t)])]


def _shapes(rng: np.random.Generator) -> list[_Points]:
    found = []
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(0.1, 0.7, 2)
        size = float(rng.uniform(0.1, 0.3))
        corners = np.array([[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]])
        triangle = np.array([[x, y + size], [x + size / 2, y], [x + size, y + size], [x, y + size]])
        found.append([corners, triangle, _ellipse(x, y, size, size * float(rng.uniform(0.5, 1)))][int(rng.integers(3))])
    return found


_DRAWINGS: Final[tuple[Callable[[np.random.Generator], list[_Points]], ...]] = (
    _house, _face, _figure, _flower, _graph, _star, _spiral, _shapes,
)  # fmt: skip

BOX_DRAWERS: Final[tuple[Callable[[Canvas, Pen, Box, np.random.Generator], None], ...]] = (
    signature, scribble, arrow, tally, drawing, drawing,
)  # fmt: skip
"""What may be drawn into any free box."""


def draw_somewhere(canvas: Canvas, pen: Pen, size_px: float, rng: np.random.Generator) -> None:
    """Draws one of BOX_DRAWERS where there is room for it."""
    draw = BOX_DRAWERS[int(rng.integers(len(BOX_DRAWERS)))]
    w = size_px * float(rng.uniform(1.5, 5))
    h = size_px * float(rng.uniform(0.8, 1.2)) if draw in (signature, tally) else w * float(rng.uniform(0.6, 1.2))
    if w >= canvas.width * 0.9 or h >= canvas.height * 0.9:
        return
    for _ in range(6):
        box = float(rng.uniform(0, canvas.width - w)), float(rng.uniform(0, canvas.height - h)), w, h
        if canvas.is_free(box, size_px * 0.3):
            draw(canvas, pen, box, rng)
            return
