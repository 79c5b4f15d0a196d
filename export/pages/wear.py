"""What happens to a sheet besides writing: stamps, stains, specks, holes, folds, ink that shows through, dark edges of a scan."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.canvas import Canvas
from export.pages.papers import darken
from export.pages.sheet import Clutter
from export.pages.sources import SheetSources

_STAMP_COLOURS: Final = ((150, 60, 40), (60, 50, 180), (90, 60, 110), (60, 110, 50), (60, 60, 60))
_STAIN_COLOURS: Final = ((120, 170, 205), (90, 130, 170), (170, 190, 200), (200, 190, 170))


def wear(canvas: Canvas, sources: SheetSources, rng: np.random.Generator) -> None:
    """Some of all that; most sheets get none or one."""
    chances = rng.random(8)
    if chances[0] < 0.05:
        stamp(canvas, sources, rng)
    if chances[1] < 0.05:
        stain(canvas, rng)
    if chances[2] < 0.16:
        specks(canvas, rng)
    if chances[3] < 0.06:
        punched_holes(canvas, rng)
    if chances[4] < 0.1:
        folds(canvas, rng)
    if chances[5] < 0.08:
        scan_edge(canvas, rng)
    if chances[6] < 0.05:
        long_scratch(canvas, rng)
    if chances[7] < 0.06:
        show_through(canvas, rng)


def stamp(canvas: Canvas, sources: SheetSources, rng: np.random.Generator) -> None:
    """A rubber stamp: ring or frame with words in it, patchy, turned."""
    side = int(min(canvas.width, canvas.height) * rng.uniform(0.12, 0.3))
    mask = np.zeros((side, side), np.uint8)
    thick = max(1, side // 60)
    if rng.random() < 0.5:
        cv2.circle(mask, (side // 2, side // 2), side // 2 - 3, 255, thick, cv2.LINE_AA)
        cv2.circle(mask, (side // 2, side // 2), int(side * 0.36), 255, thick, cv2.LINE_AA)
    else:
        cv2.rectangle(mask, (3, side // 3), (side - 4, side * 2 // 3), 255, thick, cv2.LINE_AA)
    word = str(rng.choice(["PAID", "COPY", "RECEIVED", "APPROVED", "BANK", "POST", "ORIGINAL", "ENTWURF", "CANCELLED", "PAGADO"]))
    if sources.lettering.print_fonts:
        font = sources.lettering.print_fonts[int(rng.integers(len(sources.lettering.print_fonts)))]
        drawn = font.draw(word, max(9, int(side * 0.95 / len(word))))
        if drawn is not None and drawn[0].shape[1] < side and drawn[0].shape[0] < side:
            ink = drawn[0]
            y, x = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
            mask[y : y + ink.shape[0], x : x + ink.shape[1]] = np.maximum(mask[y : y + ink.shape[0], x : x + ink.shape[1]], ink)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 20)), 1.0)
    mask = np.asarray(cv2.warpAffine(mask, turn, (side, side)), np.uint8)
    patchy = cv2.resize(rng.uniform(0.15, 0.95, (9, 9)).astype(np.float32), (side, side))
    mask = (mask * patchy).astype(np.uint8)
    x, y = int(rng.integers(0, max(1, canvas.width - side))), int(rng.integers(0, max(1, canvas.height - side)))
    part = canvas.picture[y : y + side, x : x + side]
    darken(part, mask[: part.shape[0], : part.shape[1]], _STAMP_COLOURS[int(rng.integers(len(_STAMP_COLOURS)))])
    canvas.add_clutter("stamp", (float(x), float(y), float(part.shape[1]), float(part.shape[0])))


def stain(canvas: Canvas, rng: np.random.Generator) -> None:
    """A ring of a cup or a spot, pale with a darker rim."""
    side = int(min(canvas.width, canvas.height) * rng.uniform(0.08, 0.4))
    mask = np.zeros((side, side), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rough = side * 0.42 * (1 + cv2.resize(rng.normal(0, 0.05, (1, 8)).astype(np.float32), (40, 1))[0])
    outline = np.column_stack([side / 2 + rough * np.cos(angles), side / 2 + rough * np.sin(angles)]).astype(np.int32)
    if rng.random() < 0.5:
        cv2.fillPoly(mask, [outline], int(rng.integers(30, 90)), cv2.LINE_AA)
    cv2.polylines(mask, [outline], True, int(rng.integers(70, 160)), max(1, side // int(rng.integers(15, 50))), cv2.LINE_AA)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(1.0, side / 90)), np.uint8)
    x, y = int(rng.integers(0, max(1, canvas.width - side))), int(rng.integers(0, max(1, canvas.height - side)))
    part = canvas.picture[y : y + side, x : x + side]
    darken(part, mask[: part.shape[0], : part.shape[1]], _STAIN_COLOURS[int(rng.integers(len(_STAIN_COLOURS)))])
    canvas.clutter.append(Clutter("stain", (float(x), float(y), float(side), float(side))))


def specks(canvas: Canvas, rng: np.random.Generator) -> None:
    """Dust, crumbs of toner and dots of ink."""
    for _ in range(int(rng.integers(5, 90))):
        x, y = int(rng.integers(0, canvas.width)), int(rng.integers(0, canvas.height))
        level = int(rng.integers(40, 190))
        size = float(rng.choice([rng.uniform(0.5, 1.5), rng.uniform(1.5, 4)], p=[0.8, 0.2]))
        axes = max(1, round(size)), max(1, round(size * rng.uniform(0.4, 1)))
        cv2.ellipse(canvas.picture, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, (level, level, level), -1, cv2.LINE_AA)


def punched_holes(canvas: Canvas, rng: np.random.Generator) -> None:
    """Two, three or four holes along the left edge, showing what lies below."""
    count = int(rng.choice([2, 2, 3, 4]))
    radius = max(5, int(canvas.height * rng.uniform(0.008, 0.014)))
    x = int(radius * rng.uniform(2, 3.5))
    below = int(rng.integers(20, 200))
    for index in range(count):
        y = int(canvas.height * (index + 1) / (count + 1))
        cv2.circle(canvas.picture, (x, y), radius, (below, below, below), -1, cv2.LINE_AA)
        cv2.circle(canvas.picture, (x + 1, y + 1), radius, (150, 150, 150), 1, cv2.LINE_AA)
        canvas.add_clutter("hole", (float(x - radius), float(y - radius), 2.0 * radius, 2.0 * radius))


def folds(canvas: Canvas, rng: np.random.Generator) -> None:
    """Straight creases across the sheet, one side lighter."""
    for _ in range(int(rng.integers(1, 4))):
        upright = rng.random() < 0.5
        at = float(rng.uniform(0.15, 0.85))
        tilt = float(rng.normal(0, 0.01))
        strength = float(rng.uniform(3, 14))
        for side, sign in ((-1, 1.0), (1, -1.0)):
            _shade_line(canvas.picture, upright, at, tilt, side * 1.5, sign * strength)


def _shade_line(picture: NDArray[np.uint8], upright: bool, at: float, tilt: float, shift: float, amount: float) -> None:
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    if upright:
        start, end = (at * width + shift, 0), ((at + tilt) * width + shift, height)
    else:
        start, end = (0, at * height + shift), (width, (at + tilt) * height + shift)
    cv2.line(mask, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), int(abs(amount)), 2, cv2.LINE_AA)
    ys, xs = np.nonzero(mask)
    change = mask[ys, xs].astype(np.int16)[:, None] * (1 if amount > 0 else -1)
    picture[ys, xs] = np.clip(picture[ys, xs].astype(np.int16) + change, 0, 255).astype(np.uint8)


def scan_edge(canvas: Canvas, rng: np.random.Generator) -> None:
    """A dark or grey strip along an edge, as a scanner's lid leaves it."""
    level = int(rng.integers(10, 170))
    size = int(rng.integers(2, max(4, int(min(canvas.width, canvas.height) * 0.025))))
    side = int(rng.integers(4))
    region = [np.s_[:size, :], np.s_[-size:, :], np.s_[:, :size], np.s_[:, -size:]][side]
    canvas.picture[region] = np.minimum(canvas.picture[region], level)


def long_scratch(canvas: Canvas, rng: np.random.Generator) -> None:
    """A thin arc or line that runs over much of the sheet, writing and all."""
    points = rng.random((3, 2)) * [canvas.width, canvas.height]
    t = np.linspace(0, 1, 40)[:, None]
    curve = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * points[1] + t**2 * points[2]
    level = int(rng.integers(60, 190))
    cv2.polylines(canvas.picture, [np.round(curve * 16).astype(np.int32)], False, (level, level, level), 1, cv2.LINE_AA, 4)


def show_through(canvas: Canvas, rng: np.random.Generator) -> None:
    """Writing on the back shines through, mirrored, soft and pale."""
    layers = list(canvas.layers.values())
    if not layers:
        return
    back = cv2.flip(layers[int(rng.integers(len(layers)))].coverage, 1)
    shift = np.array([[1, 0, rng.uniform(-0.2, 0.2) * canvas.width], [0, 1, rng.uniform(-0.2, 0.2) * canvas.height]], np.float32)
    moved = cv2.GaussianBlur(cv2.warpAffine(back, shift, (canvas.width, canvas.height)), (0, 0), float(rng.uniform(1, 3)))
    darken(canvas.picture, np.asarray(cv2.convertScaleAbs(moved, alpha=float(rng.uniform(0.06, 0.22))), np.uint8), (110, 90, 90))
