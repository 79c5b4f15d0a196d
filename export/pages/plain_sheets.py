"""Sheets written on freely: blank, ruled and squared paper."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.arrangements import (
    choose_height,
    fill_squares,
    lines_of_numbers,
    one_line,
    rows_of_digits,
    scattered,
    strew_clutter,
)
from export.pages.canvas import Canvas
from export.pages.numbers import digits
from export.pages.papers import choose_size, plain_paper, rule, square
from export.pages.pens import choose_pen
from export.pages.sources import SheetSources
from export.pages.writer import Writer, choose_writer
from export.pages.writing import Line, width_of, write_line

GREATEST_HEIGHT_PX: Final = 300.0


def plain(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A sheet without lines."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "plain")
    writer = choose_writer(rng, sources)
    draw = rng.random()
    if draw < 0.08:
        _huge(canvas, writer, rng)
        return canvas
    height = choose_height(rng, canvas)
    pen = choose_pen(rng, height)
    if draw < 0.3:
        rows_of_digits(canvas, writer, pen, height, rng)
    elif draw < 0.6:
        scattered(canvas, writer, pen, height, rng)
    elif draw < 0.75:
        one_line(canvas, writer, pen, height, rng)
    else:
        lines_of_numbers(canvas, writer, pen, height, rng)
    strew_clutter(canvas, choose_writer(rng, sources) if rng.random() < 0.2 else writer, pen, height, rng)
    return canvas


def ruled(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """Writing on, between and across printed lines."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "ruled")
    writer = choose_writer(rng, sources)
    height = choose_height(rng, canvas, most=110)
    pitch = height * float(rng.uniform(1.05, 2.6))
    ruling = rule(canvas.picture, rng, pitch)
    pen = choose_pen(rng, height)
    left = ruling.columns[0] + height * 0.3 if ruling.columns and rng.random() < 0.7 else canvas.width * float(rng.uniform(0.02, 0.2))
    on_line = float(rng.uniform(-0.12, 0.3))
    lines_of_numbers(canvas, writer, pen, height, rng, [y - height * (0.5 + on_line) for y in ruling.rows], left)
    strew_clutter(canvas, writer, pen, height, rng)
    return canvas


def grid(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """Writing on squared paper: a digit a square, or freely across the squares."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "grid")
    writer = choose_writer(rng, sources)
    height = choose_height(rng, canvas, most=100)
    in_squares = rng.random() < 0.5
    ruling = square(canvas.picture, rng, max(9.0, height * float(rng.uniform(1.0, 1.7) if in_squares else rng.uniform(0.35, 1.3))))
    pen = choose_pen(rng, height)
    if in_squares:
        fill_squares(canvas, writer, pen, height, list(ruling.rows), list(ruling.columns), rng)
    elif rng.random() < 0.5:
        lines_of_numbers(canvas, writer, pen, height, rng)
    else:
        scattered(canvas, writer, pen, height, rng)
    strew_clutter(canvas, writer, pen, height, rng)
    return canvas


def _huge(canvas: Canvas, writer: Writer, rng: np.random.Generator) -> None:
    """One digit or two that fill much of the sheet."""
    height = min(GREATEST_HEIGHT_PX, min(canvas.height, canvas.width) * float(rng.uniform(0.35, 0.85)))
    text = digits(rng, 1, 1 if canvas.width < 2 * height else 2)
    pen = choose_pen(rng, height)
    free = canvas.width - width_of(writer, text, height)
    line = Line(max(height * 0.1, free * float(rng.uniform(0.2, 0.8))), canvas.height * float(rng.uniform(0.45, 0.55)), height)
    write_line(canvas, writer, pen, text, line, rng)
