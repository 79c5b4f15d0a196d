"""Tables: marks, prices, lists; headings and names by hand or in print, a number or a digit a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from export.pages.arrangements import strew_clutter
from export.pages.canvas import Canvas
from export.pages.clutter import tally
from export.pages.lettering import PrintFont
from export.pages.numbers import ROMAN, amount, clock, date, decimal, digits, integer, round_number
from export.pages.papers import PrintedLine, choose_printed_line, choose_size, plain_paper, rule, rule_boxes, square
from export.pages.pens import Pen, choose_pen
from export.pages.printing import choose_print_font, print_text
from export.pages.sources import SheetSources
from export.pages.words import heading, row_name, single_letter
from export.pages.writer import Writer, choose_writer
from export.pages.writing import Line, fitted, width_of, write_line

_COLUMN_MAKERS: Final[tuple[Callable[[np.random.Generator], str], ...]] = (
    lambda rng: digits(rng, 1, 1),
    lambda rng: digits(rng, 1, 1),
    lambda rng: digits(rng, 2, 2),
    lambda rng: digits(rng, 2, 2),
    integer,
    integer,
    decimal,
    amount,
    date,
    clock,
    round_number,
)


def table(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A table on blank, ruled or squared paper, its lines printed, drawn with a ruler or by hand, or absent."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "table")
    columns, rows = int(rng.integers(2, 10)), int(rng.integers(3, 16))
    left, right = canvas.width * float(rng.uniform(0.02, 0.12)), canvas.width * float(rng.uniform(0.85, 0.98))
    top, bottom = canvas.height * float(rng.uniform(0.03, 0.2)), canvas.height * float(rng.uniform(0.75, 0.97))
    xs, ys = _edges(rng, left, right, columns, 0.35), np.linspace(top, bottom, rows + 1).tolist()
    pitch = ys[1] - ys[0]
    height = float(np.clip(pitch * rng.uniform(0.35, 0.7), 11, 120))
    writer = choose_writer(rng, sources)
    pen = choose_pen(rng, height)
    _lines(canvas, xs, ys, pen, rng)
    _fill(canvas, writer, pen, height, xs, ys, rng, sources)
    if rng.random() < 0.3:
        strew_clutter(canvas, writer, pen, height, rng)
    return canvas


def _edges(rng: np.random.Generator, left: float, right: float, count: int, uneven: float) -> list[float]:
    shares = np.exp(rng.normal(0, uneven if rng.random() < 0.6 else 0.02, count))
    return [left + (right - left) * float(share) for share in np.concatenate([[0], np.cumsum(shares / shares.sum())])]


def _lines(canvas: Canvas, xs: list[float], ys: list[float], pen: Pen, rng: np.random.Generator) -> None:
    draw = rng.random()
    if draw < 0.2:
        square(canvas.picture, rng, ys[1] - ys[0])
    elif draw < 0.35:
        rule(canvas.picture, rng, ys[1] - ys[0])
    if draw > 0.92:
        return
    if rng.random() < 0.55:
        rule_boxes(canvas.picture, ys, xs, choose_printed_line(rng, dark=rng.random() < 0.5))
        return
    # Drawn by pen: ends overshoot, lines lean a little.
    line = PrintedLine(pen.colour, max(1.0, pen.width_px * float(rng.uniform(0.5, 1.0))), pen.strength * 0.9)
    over = (ys[1] - ys[0]) * 0.15
    for y in ys:
        a, b = rng.normal(0, over * 0.3, 2)
        line.draw(canvas.picture, (xs[0] - over * rng.random(), y + a), (xs[-1] + over * rng.random(), y + b))
    for x in xs:
        a, b = rng.normal(0, over * 0.3, 2)
        line.draw(canvas.picture, (x + a, ys[0] - over * rng.random()), (x + b, ys[-1] + over * rng.random()))


def _fill(
    canvas: Canvas,
    writer: Writer,
    pen: Pen,
    height: float,
    xs: list[float],
    ys: list[float],
    rng: np.random.Generator,
    sources: SheetSources,
) -> None:
    """Headings in the first row, names in the first column (or neither), numbers in the rest."""
    makers = [_COLUMN_MAKERS[int(rng.integers(len(_COLUMN_MAKERS)))] for _ in xs[1:]]
    if rng.random() < 0.4:
        makers = [makers[0]] * len(makers)
    head = str(rng.choice(["words", "letters", "roman", "numbered letters", "none"], p=[0.5, 0.13, 0.14, 0.08, 0.15]))
    names = str(rng.choice(["words", "numbers", "tally", "none"], p=[0.5, 0.15, 0.05, 0.3]))
    font = choose_print_font(rng, sources) if rng.random() < 0.3 else None
    full = float(rng.uniform(0.6, 1.0))
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            cell = xs[column], ys[row], xs[column + 1] - xs[column], ys[row + 1] - ys[row]
            if row == 0 and head != "none":
                _label(canvas, writer, pen, height, _head_text(rng, head, column), cell, rng, font)
            elif column == 0 and names in ("words", "tally") and len(xs) > 2:
                if names == "tally":
                    tally(canvas, pen, (cell[0] + cell[2] * 0.1, cell[1] + cell[3] * 0.2, cell[2] * 0.8, cell[3] * 0.6), rng)
                else:
                    _label(canvas, writer, pen, height, row_name(rng), cell, rng, font)
            elif rng.random() < full:
                text = str(row) if column == 0 and names == "numbers" else makers[column](rng)
                _write_in(canvas, writer, pen, height, text, cell, row, rng)


def _head_text(rng: np.random.Generator, head: str, column: int) -> str:
    if head == "words":
        return heading(rng)
    if head == "letters":
        return single_letter(rng)
    if head == "roman":
        return ROMAN[min(column, len(ROMAN) - 1)] if rng.random() < 0.8 else "T"
    return f"{rng.choice(list('dxnac'))}{column % 9 + 1}"


def _label(
    canvas: Canvas,
    writer: Writer,
    pen: Pen,
    height: float,
    text: str,
    cell: tuple[float, float, float, float],
    rng: np.random.Generator,
    font: PrintFont | None,
) -> None:
    """A heading or name in a cell, by hand, or in print if a font is given."""
    x, y, w, h = cell
    if font is not None:
        size = min(h * 0.5, w * 1.5 / max(len(text), 1))
        print_text(canvas, font, text, x + w * 0.08, y + h * 0.68, size)
        return
    _write_in(canvas, writer, pen, height * float(rng.uniform(0.8, 1.05)), text, cell, None, rng)


def _write_in(
    canvas: Canvas,
    writer: Writer,
    pen: Pen,
    height: float,
    text: str,
    cell: tuple[float, float, float, float],
    row: int | None,
    rng: np.random.Generator,
) -> None:
    """Writes a text into a cell, smaller where it would not fit."""
    x, y, w, h = cell
    if row is not None and width_of(writer, text, height * 0.6) > w:
        text = digits(rng, 1, 1)
    length = width_of(writer, text, height)
    size = height if length <= w * 0.95 else max(height * 0.55, height * w * 0.95 / length)
    text = fitted(writer, text, size, w * 1.02)
    free = max(0.0, w - width_of(writer, text, size))
    at = x + free * float(np.clip(rng.normal(0.45, 0.15), 0.05, 0.95))
    middle = y + h * float(np.clip(rng.normal(0.52, 0.07), 0.3, 0.7))
    write_line(canvas, writer, pen, text, Line(at, middle, size, float(rng.normal(0, 0.015)), row=row), rng)
