"""Sheets of printed numbers: tables, slips, calendars, price tags, keys, dials, a few large ones. Their digits are nobody's handwriting."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.arrangements import write_somewhere
from export.pages.canvas import Canvas
from export.pages.lettering import PrintFont
from export.pages.numbers import number
from export.pages.papers import choose_printed_line, choose_size, plain_paper, rule_boxes
from export.pages.pens import choose_pen
from export.pages.printed_things import dial, keypad, ruler
from export.pages.printing import Colour, choose_print_colour, choose_print_font, print_text, printed_number
from export.pages.sources import SheetSources
from export.pages.words import heading, row_name, sentence
from export.pages.writer import choose_writer
from export.pages.writing import INNER_SIGNS

WRITTEN_SHARE: Final = 0.4
"""On so many of them somebody wrote a number or two by hand: what is printed must be told glyph by glyph, not page by page."""

Type = tuple[PrintFont | None, float, Colour]
"""Font, size in pixels, colour."""


def printed(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A sheet of printed numbers."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "printed")
    size = float(np.exp(rng.uniform(np.log(13), np.log(46))))
    style: Type = choose_print_font(rng, sources), size, choose_print_colour(rng)
    draw = rng.random()
    if draw < 0.24:
        _table(canvas, style, rng)
    elif draw < 0.4:
        _slip(canvas, style, rng)
    elif draw < 0.55:
        _calendar(canvas, style, rng)
    elif draw < 0.68:
        _few(canvas, style, rng)
    elif draw < 0.78:
        _tags(canvas, sources, rng)
    else:
        (keypad if draw < 0.9 else dial if draw < 0.96 else ruler)(canvas, style[0], rng)
    if rng.random() < WRITTEN_SHARE:
        height = size * float(rng.uniform(0.7, 2.5))
        writer, pen = choose_writer(rng, sources), choose_pen(rng, height)
        for _ in range(int(rng.integers(1, 6))):
            write_somewhere(canvas, writer, pen, number(rng), height, float(rng.normal(0, 0.1)), rng, INNER_SIGNS)
    return canvas


def _table(canvas: Canvas, style: Type, rng: np.random.Generator) -> None:
    """Columns of numbers, names or both, with lines between them or without."""
    font, size, colour = style
    pitch = size * float(rng.uniform(1.3, 2.4))
    columns = max(2, min(int(rng.integers(2, 12)), int(canvas.width / (size * 4))))
    xs = np.linspace(canvas.width * 0.03, canvas.width * 0.97, columns + 1).tolist()
    ys = np.arange(size * float(rng.uniform(0.5, 3)), canvas.height - pitch, pitch).tolist()
    if len(ys) > 1 and rng.random() < 0.6:
        rule_boxes(canvas.picture, [*ys, ys[-1] + pitch], xs, choose_printed_line(rng, dark=rng.random() < 0.5))
    worded = rng.random(columns) < 0.25
    digits = int(rng.integers(1, 7))
    for row, y in enumerate(ys):
        for column in range(columns):
            if rng.random() < 0.08:
                continue
            text = heading(rng) if row == 0 else row_name(rng) if worded[column] else _cell(rng, digits)
            print_text(canvas, font, text, xs[column] + size * 0.4, y + pitch * 0.7, size, colour)


def _cell(rng: np.random.Generator, digits: int) -> str:
    return printed_number(rng) if rng.random() < 0.4 else str(int(rng.integers(0, 10**digits)))


def _slip(canvas: Canvas, style: Type, rng: np.random.Generator) -> None:
    """Lines of a name and a number, as a till prints them, with a heading of words."""
    font, size, colour = style
    y, left, right = size * 2, canvas.width * float(rng.uniform(0.04, 0.3)), canvas.width * float(rng.uniform(0.5, 0.85))
    while y < canvas.height - size:
        draw = rng.random()
        if draw < 0.12:
            print_text(canvas, font, sentence(rng, 1, 3).upper(), left, y, size * float(rng.uniform(1, 1.6)), colour)
        elif draw < 0.9:
            name = row_name(rng).upper() if rng.random() < 0.5 else row_name(rng)
            print_text(canvas, font, f"{_cell(rng, 3)} {name}" if rng.random() < 0.3 else name, left, y, size, colour)
            print_text(
                canvas,
                font,
                _cell(rng, 4) + (" " + str(rng.choice(["A", "F", "€", "x"])) if rng.random() < 0.2 else ""),
                right,
                y,
                size,
                colour,
            )
        y += size * float(rng.uniform(1.2, 1.7))


def _calendar(canvas: Canvas, style: Type, rng: np.random.Generator) -> None:
    """A month, a number line, a keypad: numbers that count up in a lattice."""
    font, size, colour = style
    columns, rows = int(rng.integers(3, 11)), int(rng.integers(2, 9))
    largest = min(canvas.width / columns * 0.5, canvas.height / rows * 0.6)
    size = min(size, largest) if rng.random() < 0.5 else largest * float(rng.uniform(0.3, 1.0))
    xs, ys = np.linspace(0, canvas.width, columns + 1).tolist(), np.linspace(0, canvas.height, rows + 1).tolist()
    if rng.random() < 0.5:
        rule_boxes(canvas.picture, ys, xs, choose_printed_line(rng, dark=rng.random() < 0.5))
    first, step = int(rng.integers(0, 40)), int(rng.choice([1, 1, 1, 5, 10, -1]))
    for index in range(columns * rows):
        row, column = divmod(index, columns)
        value = str(abs(first + step * index))
        print_text(canvas, font, value, xs[column] + (xs[1] - xs[0]) * 0.3, (ys[row] + ys[row + 1]) / 2 + size * 0.4, size, colour)


def _few(canvas: Canvas, style: Type, rng: np.random.Generator) -> None:
    """Little on much paper: a house number, the display of a meter, single digits far apart."""
    font, _, colour = style
    size = float(np.exp(rng.uniform(np.log(24), np.log(min(canvas.width, canvas.height) * 0.5))))
    for _ in range(int(rng.integers(1, 5))):
        text = _cell(rng, int(rng.integers(1, 7)))
        x, y = canvas.width * float(rng.uniform(0.02, 0.6)), canvas.height * float(rng.uniform(0.2, 0.95))
        spacing = size * float(rng.uniform(0.9, 2.5))
        for at, part in enumerate(text if rng.random() < 0.4 else [text]):
            print_text(canvas, font, part, x + at * spacing, y, size, colour)


def _tags(canvas: Canvas, sources: SheetSources, rng: np.random.Generator) -> None:
    """A few lines in several fonts and sizes, some large: labels, tickets, number plates."""
    y = 0.0
    while y < canvas.height:
        size = float(np.exp(rng.uniform(np.log(16), np.log(160))))
        y += size * float(rng.uniform(1.1, 1.8))
        font, colour = choose_print_font(rng, sources), choose_print_colour(rng)
        text = _cell(rng, 6) if rng.random() < 0.65 else f"{heading(rng)} {_cell(rng, 4)}"
        print_text(canvas, font, text, canvas.width * float(rng.uniform(0.02, 0.5)), y, size, colour)
