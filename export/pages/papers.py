"""Empty sheets: plain, ruled and squared paper, boards, with their colour, tooth and printed lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_TINTS: Final = (
    (250, 250, 250), (255, 255, 255), (240, 245, 248), (225, 238, 245), (215, 235, 250), (205, 230, 240),
    (235, 240, 225), (200, 225, 200), (225, 215, 245), (190, 235, 250), (185, 200, 205), (228, 228, 228),
)  # fmt: skip
_TINT_WEIGHTS: Final = np.array([0.3, 0.2, 0.14, 0.1, 0.06, 0.05, 0.03, 0.02, 0.02, 0.03, 0.02, 0.03])
_LINE_COLOURS: Final = (
    (200, 150, 110),
    (210, 170, 130),
    (170, 170, 170),
    (130, 130, 130),
    (190, 120, 80),
    (60, 60, 60),
    (190, 200, 130),
    (150, 150, 210),
)

SHORTEST_SIDE_PX: Final = 260


def choose_size(rng: np.random.Generator) -> tuple[int, int]:
    """Height and width of a sheet: the long side 700 to 1800 px, from a strip to a square."""
    long_side = int(rng.integers(700, 1801))
    aspect = float(rng.choice([rng.uniform(0.6, 0.8), rng.uniform(0.8, 1.0), rng.uniform(0.2, 0.6)], p=[0.6, 0.2, 0.2]))
    short = max(SHORTEST_SIDE_PX, round(long_side * aspect))
    return (long_side, short) if rng.random() < 0.55 and aspect > 0.55 else (short, long_side)


def plain_paper(rng: np.random.Generator, shape: tuple[int, int]) -> Picture:
    """Blank paper: a tint, clouds, and a tooth between none and rough. Returns uint8 (h, w, 3) BGR."""
    tint = np.array(_TINTS[int(rng.choice(len(_TINTS), p=_TINT_WEIGHTS))], np.float32) + rng.normal(0, 3, 3).astype(np.float32)
    clouds = float(rng.uniform(0.3, 2.5)) if rng.random() < 0.75 else 0.0
    tooth = float(rng.choice([rng.uniform(0.5, 2.5), rng.uniform(2.5, 7)], p=[0.75, 0.25])) if rng.random() < 0.7 else 0.0
    if not clouds + tooth:
        picture = np.empty((*shape, 3), np.uint8)
        picture[:] = np.clip(tint, 0, 255).astype(np.uint8)
        return picture
    # Both fields in one, 128 in the middle, so that a single table turns it into colours.
    field = cv2.addWeighted(
        _clouds(rng, shape, int(rng.integers(2, 7))), clouds / (clouds + tooth), _tooth(rng, shape), tooth / (clouds + tooth), 0
    )
    shades = (np.arange(256, dtype=np.float32)[:, None] - 128) * ((clouds + tooth) / 32) + tint
    table = np.clip(np.rint(shades), 0, 255).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(cv2.merge([field] * 3), table), np.uint8)


def add_shade(picture: Picture, field: NDArray[np.uint8], amount: float) -> None:
    """Adds a field, uint8 (h, w), 128 in the middle and a standard deviation of about 32, times amount/32 grey levels, in place."""
    table = np.clip(np.rint((np.arange(256) - 128) * amount / 32), -127, 127)
    darker = cv2.LUT(field, np.clip(-table, 0, 255).astype(np.uint8))
    lighter = cv2.LUT(field, np.clip(table, 0, 255).astype(np.uint8))
    cv2.subtract(picture, cv2.merge([darker] * 3), dst=picture)
    cv2.add(picture, cv2.merge([lighter] * 3), dst=picture)


def _clouds(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> NDArray[np.uint8]:
    coarse = rng.normal(128, 40, (cells, max(2, cells * shape[1] // shape[0]))).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.uint8)


_NOISE_PX: Final = 640


def _noise_tiles() -> dict[float, NDArray[np.uint8]]:
    rng = np.random.default_rng(11)
    tiles = {}
    for sigma in (0.0, 0.8, 1.6):
        noise = rng.normal(0, 1, (_NOISE_PX, _NOISE_PX)).astype(np.float32)
        if sigma:
            noise = cv2.GaussianBlur(noise, (0, 0), sigma)  # type: ignore[assignment]
        tiles[sigma] = np.clip(128 + noise / noise.std() * 32, 0, 255).astype(np.uint8)
    return tiles


_TILES: Final = _noise_tiles()


def _tooth(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.uint8]:
    tile = _TILES[float(rng.choice(list(_TILES)))]
    down, right = (int(value) for value in rng.integers(0, _NOISE_PX, 2))
    repeats = -(-(shape[0] + down) // _NOISE_PX), -(-(shape[1] + right) // _NOISE_PX)
    return np.tile(tile, repeats)[down : down + shape[0], right : right + shape[1]]


@dataclass(frozen=True, slots=True)
class Ruling:
    """Where printed lines run. rows : y of the lines to write on; columns : x of upright lines; both in pixels, maybe empty."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    pitch_px: float


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """How lines are printed. width_px may be a fraction. strength : how much of the paper they hide."""

    colour: tuple[int, int, int]
    width_px: float
    strength: float

    def draw(self, picture: Picture, start: tuple[float, float], end: tuple[float, float]) -> None:
        """One straight line, in pixels, in place."""
        draw_line(picture, start, end, self)


def choose_printed_line(rng: np.random.Generator, dark: bool = False) -> PrintedLine:
    """Pale or strong, hair-thin or bold."""
    colour = (40, 40, 40) if dark else _LINE_COLOURS[int(rng.integers(len(_LINE_COLOURS)))]
    return PrintedLine(
        colour, float(rng.choice([rng.uniform(0.8, 1.6), rng.uniform(1.6, 3.5)], p=[0.7, 0.3])), float(rng.uniform(0.35, 1.0))
    )


def draw_line(picture: Picture, start: tuple[float, float], end: tuple[float, float], line: PrintedLine) -> None:
    """A straight line that darkens what is below it, in place; soft at its rims, so that its width may be a fraction."""
    pad = int(line.width_px) + 3
    left, top = int(min(start[0], end[0])) - pad, int(min(start[1], end[1])) - pad
    right, bottom = int(max(start[0], end[0])) + pad, int(max(start[1], end[1])) + pad
    left, top, right, bottom = max(0, left), max(0, top), min(picture.shape[1], right), min(picture.shape[0], bottom)
    if right <= left or bottom <= top:
        return
    if start[0] == end[0] or start[1] == end[1]:
        _draw_straight(picture, start, end, line)
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    thick = max(1, round(line.width_px))
    level = round(255 * line.strength * min(1.0, line.width_px / thick))
    ends = [np.round((np.array(at) - (left, top)) * 16).astype(int).tolist() for at in (start, end)]
    cv2.line(mask, ends[0], ends[1], level, thick, cv2.LINE_AA, 4)
    darken(picture[top:bottom, left:right], mask, line.colour)


def _draw_straight(picture: Picture, start: tuple[float, float], end: tuple[float, float], line: PrintedLine) -> None:
    """A line along the rows or columns: each of its pixel rows is one product."""
    upright = start[0] == end[0]
    middle = start[0] if upright else start[1]
    first, last = sorted((start[1], end[1]) if upright else (start[0], end[0]))
    span = slice(max(0, round(first)), max(0, round(last)))
    low, high = middle - line.width_px / 2, middle + line.width_px / 2
    for at in range(max(0, int(low)), min(picture.shape[1 if upright else 0], int(np.ceil(high)))):
        covered = line.strength * (min(high, at + 1) - max(low, at))
        table = np.arange(256, dtype=np.float32)[:, None] * (1 - covered * (1 - np.array(line.colour, np.float32) / 255))
        part = picture[span, at] if upright else picture[at, span]
        part[:] = cv2.LUT(part[None], np.rint(table).astype(np.uint8)[None])[0]


def darken(part: Picture, mask: NDArray[np.uint8], colour: tuple[int, int, int]) -> None:
    """Lays a colour onto part of a picture, multiplying, by a mask uint8 (h, w), in place."""
    ys, xs = np.nonzero(mask)
    if ys.size:
        alpha = mask[ys, xs].astype(np.float32)[:, None] / 255
        part[ys, xs] = (part[ys, xs] * (1 - alpha * (1 - np.array(colour, np.float32) / 255)) + 0.5).astype(np.uint8)


def cover(part: Picture, mask: NDArray[np.uint8], colour: tuple[int, int, int]) -> None:
    """Lays a colour over part of a picture by a mask uint8 (h, w), in place."""
    ys, xs = np.nonzero(mask)
    if ys.size:
        alpha = mask[ys, xs].astype(np.float32)[:, None] / 255
        part[ys, xs] = (part[ys, xs] * (1 - alpha) + np.array(colour, np.float32) * alpha + 0.5).astype(np.uint8)


def rule(picture: Picture, rng: np.random.Generator, pitch_px: float) -> Ruling:
    """Prints writing lines so far apart, often with a margin line; in place."""
    height, width = picture.shape[:2]
    line = choose_printed_line(rng)
    first = float(rng.uniform(0.5, 3.0)) * pitch_px
    rows = tuple(float(y) for y in np.arange(first, height - 2, pitch_px))
    start, end = (0.0, float(width)) if rng.random() < 0.8 else (width * 0.05, width * 0.95)
    for y in rows:
        line.draw(picture, (start, y), (end, y))
    columns: tuple[float, ...] = ()
    if rng.random() < 0.45:
        x = width * float(rng.uniform(0.06, 0.2))
        margin = PrintedLine((90, 90, 220) if rng.random() < 0.7 else line.colour, line.width_px, line.strength)
        for shift in (0.0, 5.0) if rng.random() < 0.25 else (0.0,):
            margin.draw(picture, (x + shift, 0.0), (x + shift, float(height)))
        columns = (x,)
    return Ruling(rows, columns, pitch_px)


def square(picture: Picture, rng: np.random.Generator, pitch_px: float) -> Ruling:
    """Prints squares of so many pixels, sometimes every fifth or tenth line stronger; in place."""
    height, width = picture.shape[:2]
    line = choose_printed_line(rng)
    strong_each = int(rng.choice([0, 0, 5, 10]))
    strong = PrintedLine(line.colour, line.width_px * 1.6, min(1.0, line.strength * 1.4))
    first_x, first_y = rng.uniform(0, pitch_px, 2)
    rows = tuple(float(y) for y in np.arange(first_y, height, pitch_px))
    columns = tuple(float(x) for x in np.arange(first_x, width, pitch_px))
    for index, y in enumerate(rows):
        (strong if strong_each and index % strong_each == 0 else line).draw(picture, (0.0, y), (float(width), y))
    for index, x in enumerate(columns):
        (strong if strong_each and index % strong_each == 0 else line).draw(picture, (x, 0.0), (x, float(height)))
    return Ruling(rows, columns, pitch_px)


def rule_boxes(picture: Picture, rows: list[float], columns: list[float], line: PrintedLine) -> None:
    """Prints a lattice: lines at each y of rows from the first to the last of columns, and the other way round; in place."""
    for y in rows:
        line.draw(picture, (columns[0], y), (columns[-1], y))
    for x in columns:
        line.draw(picture, (x, rows[0]), (x, rows[-1]))
