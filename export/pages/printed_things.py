"""Things with printed digits on them: keypads and keyboards, dials, rulers."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from export.pages.canvas import Canvas
from export.pages.lettering import PrintFont
from export.pages.printing import BLACK, Colour, choose_print_colour, print_text

_OPERATORS: Final = ("+", "-", "=", "x", "*", "#", "C", "AC", "%", ".", "M", "OK", "ENTER", "A", "F1", "ON")
_KEY_LETTERS: Final = ("", "ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ")
_LATTICES: Final = ((3, 4), (4, 4), (4, 5), (5, 5), (10, 1), (12, 4), (3, 3))
"""Columns and rows of keys."""
_DIALS: Final = ((12, 1, 1.0), (12, 5, 1.0), (10, 1, 1.0), (11, 10, 0.75), (8, 20, 0.7))
"""How many numbers, what they count by, and over how much of a turn they go."""
_LIGHT: Final[Colour] = (235, 235, 235)
_DARK_BELOW: Final = 128
_SUBPIXEL_BITS: Final = 4


def keypad(canvas: Canvas, font: PrintFont | None, rng: np.random.Generator) -> None:
    """Keys of a telephone, calculator, door or keyboard: digits in the middle of each, some with letters or signs instead."""
    columns, rows = _LATTICES[int(rng.integers(len(_LATTICES)))]
    pitch = min(canvas.width / columns, canvas.height / rows) * float(rng.uniform(0.4, 1.0))
    left, top = (canvas.width - columns * pitch) * float(rng.random()), (canvas.height - rows * pitch) * float(rng.random())
    body, key = _two_levels(rng)
    cv2.rectangle(canvas.picture, (int(left), int(top)), (int(left + columns * pitch), int(top + rows * pitch)), body, -1)
    ink = _LIGHT if max(key) < _DARK_BELOW else choose_print_colour(rng)
    half, size = pitch * (0.5 - float(rng.uniform(0.03, 0.3)) / 2), pitch * float(rng.uniform(0.25, 0.6))
    is_round, is_flat = rng.random() < 0.25, rng.random() < 0.3
    lettered = columns == 3 and rng.random() < 0.6
    if is_flat:
        ink = _LIGHT if max(body) < _DARK_BELOW else BLACK
    for index, text in enumerate(_key_order(rng, columns * rows)):
        x, y = left + (index % columns + 0.5) * pitch, top + (index // columns + 0.5) * pitch
        if not is_flat:
            _draw_key(canvas, x, y, half, key, is_round=is_round)
        fitting = size / max(1.0, len(text) * 0.55)
        print_text(canvas, font, text, x - fitting * 0.28 * len(text), y + fitting * 0.36, fitting, ink, covers=True)
        if lettered and text.isdigit() and int(text) < len(_KEY_LETTERS):
            print_text(canvas, font, _KEY_LETTERS[int(text)], x - size * 0.3, y + size * 0.8, size * 0.3, ink, covers=True)


def _draw_key(canvas: Canvas, x: float, y: float, half: float, colour: Colour, *, is_round: bool) -> None:
    if is_round:
        cv2.circle(canvas.picture, (round(x), round(y)), round(half), colour, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(canvas.picture, (round(x - half), round(y - half)), (round(x + half), round(y + half)), colour, -1)


def _key_order(rng: np.random.Generator, count: int) -> list[str]:
    """What stands on the keys: digits as on telephones, calculators or in a row, then letters and signs."""
    draw = rng.random()
    digits = list("123456789") if draw < 0.5 else list("789456123") if draw < 0.8 else list("1234567890")
    rest = [str(rng.choice(_OPERATORS)) for _ in range(max(0, count - len(digits)))]
    if rest and "0" not in digits:
        rest[min(1, len(rest) - 1)] = "0"
    return [*digits, *rest][:count]


def _two_levels(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Colours of the body and of its keys, dark or light."""
    levels = [int(rng.integers(15, 90)) if rng.random() < 0.5 else int(rng.integers(150, 250)) for _ in range(2)]
    tint = rng.integers(-12, 13, 3)
    body, key = (np.clip(level + tint, 0, 255).tolist() for level in levels)
    return (body[0], body[1], body[2]), (key[0], key[1], key[2])


def dial(canvas: Canvas, font: PrintFont | None, rng: np.random.Generator) -> None:
    """A clock, a gauge, a timer: numbers around a circle, strokes between them, one or two hands."""
    radius = min(canvas.width, canvas.height) * float(rng.uniform(0.2, 0.48))
    middle = [float(rng.uniform(min(radius, side / 2), max(side - radius, side / 2))) for side in (canvas.width, canvas.height)]
    count, step, turn = _DIALS[int(rng.integers(len(_DIALS)))]
    size, colour = radius * float(rng.uniform(0.1, 0.28)), choose_print_colour(rng)

    def at(angle: float, reach: float) -> tuple[float, float]:
        return middle[0] + reach * radius * float(np.cos(angle)), middle[1] + reach * radius * float(np.sin(angle))

    if rng.random() < 0.7:
        cv2.circle(canvas.picture, (round(middle[0]), round(middle[1])), round(radius), colour, max(1, round(radius * 0.02)), cv2.LINE_AA)
    # A whole turn counts from one on, clockwise from the top; a gauge from nought on, its gap at the bottom.
    whole = turn == 1.0
    start = -np.pi / 2 if whole else np.pi / 2 + np.pi * (1 - turn)
    spread = 2 * np.pi * turn / (count if whole else count - 1)
    for index in range(count):
        number = index + 1 if whole else index
        angle, text = start + spread * number, str(step * number)
        x, y = at(angle, 0.76)
        print_text(canvas, font, text, x - size * 0.28 * len(text), y + size * 0.36, size, colour)
        _stroke(canvas, at(angle, 0.92), at(angle, 1.0), colour, radius * 0.015)
    for _ in range(int(rng.integers(0, 3))):
        angle, reach = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.4, 0.7))
        _stroke(canvas, at(angle, 0.0), at(angle, reach), colour, radius * 0.03)


def ruler(canvas: Canvas, font: PrintFont | None, rng: np.random.Generator) -> None:
    """A scale: strokes along a line, a number at every tenth."""
    pitch, y = canvas.width * float(rng.uniform(0.05, 0.2)), canvas.height * float(rng.uniform(0.2, 0.8))
    size, colour = pitch * float(rng.uniform(0.25, 0.6)), choose_print_colour(rng)
    parts, step = int(rng.choice([2, 5, 10])), int(rng.choice([1, 1, 5, 10]))
    for index, x in enumerate(np.arange(pitch * 0.4, canvas.width, pitch)):
        for part in range(parts):
            at = float(x) + pitch * part / parts
            _stroke(canvas, (at, y), (at, y + size * (0.9 if part == 0 else 0.45)), colour, size * 0.05)
        text = str(step * index)
        print_text(canvas, font, text, float(x) - size * 0.28 * len(text), y + size * 2.0, size, colour)


def _stroke(canvas: Canvas, start: tuple[float, float], end: tuple[float, float], colour: Colour, width_px: float) -> None:
    ends = [(round(px * 2**_SUBPIXEL_BITS), round(py * 2**_SUBPIXEL_BITS)) for px, py in (start, end)]
    cv2.line(canvas.picture, ends[0], ends[1], colour, max(1, round(width_px)), cv2.LINE_AA, _SUBPIXEL_BITS)
