"""Sheets of boxes: a digit a box, in rows of boxes or in a lattice over the whole sheet."""

from __future__ import annotations

import numpy as np

from export.pages.arrangements import choose_height, strew_clutter
from export.pages.canvas import Canvas
from export.pages.numbers import digits
from export.pages.papers import choose_printed_line, choose_size, plain_paper, rule_boxes
from export.pages.pens import choose_pen
from export.pages.sources import SheetSources
from export.pages.words import single_letter
from export.pages.writer import choose_writer
from export.pages.writing import Line, write_line


def boxed(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A lattice of boxes, or separate rows of boxes."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "boxed")
    if rng.random() < 0.45:
        _lattice(canvas, rng, sources)
    else:
        _rows_of_boxes(canvas, rng, sources)
    return canvas


def _lattice(canvas: Canvas, rng: np.random.Generator, sources: SheetSources) -> None:
    """Boxes from edge to edge, one digit each; a row may repeat its digit."""
    columns, rows = int(rng.integers(3, 13)), int(rng.integers(3, 15))
    left, top = canvas.width * float(rng.uniform(0, 0.08)), canvas.height * float(rng.uniform(0, 0.08))
    xs = np.linspace(left, canvas.width - left, columns + 1).tolist()
    ys = np.linspace(top, canvas.height - top, rows + 1).tolist()
    rule_boxes(canvas.picture, ys, xs, choose_printed_line(rng, dark=rng.random() < 0.6))
    writer = choose_writer(rng, sources)
    side = min(xs[1] - xs[0], ys[1] - ys[0])
    height = max(12.0, side * float(rng.uniform(0.35, 0.8)))
    pen, other = choose_pen(rng, height), choose_pen(rng, height)
    repeats, full, signs = rng.random() < 0.4, float(rng.uniform(0.6, 1.0)), float(rng.choice([0, 0, 0.15]))
    other_column = int(rng.integers(0, columns)) if rng.random() < 0.2 else -1
    for row in range(rows):
        for column in range(columns):
            if rng.random() > full:
                continue
            text = str(row % 10) if repeats else digits(rng, 1, 1)
            text = str(rng.choice(list("+-=\u00d7()/"))) if rng.random() < signs else single_letter(rng) if rng.random() < signs else text
            x = (xs[column] + xs[column + 1]) / 2 - height * 0.28 + float(rng.normal(0, side * 0.08))
            y = (ys[row] + ys[row + 1]) / 2 + float(rng.normal(0, side * 0.07))
            write_line(canvas, writer, other if column == other_column else pen, text, Line(x, y, height, row=row), rng)


def _rows_of_boxes(canvas: Canvas, rng: np.random.Generator, sources: SheetSources) -> None:
    """Rows of boxes as forms have them for dates and account numbers, partly filled."""
    writer = choose_writer(rng, sources)
    side = choose_height(rng, canvas, least=22, most=130) * 1.4
    line = choose_printed_line(rng, dark=rng.random() < 0.6)
    height = side * float(rng.uniform(0.45, 0.85))
    pen = choose_pen(rng, height)
    top = side * float(rng.uniform(0.3, 2))
    wide = side * float(rng.uniform(0.7, 1.05))
    gap = float(rng.choice([0.0, 0.0, 0.15])) * side
    row = 0
    while top + side < canvas.height and row < 14:
        left = canvas.width * float(rng.uniform(0.03, 0.4))
        count = min(int(rng.integers(2, 15)), int((canvas.width - left) / (wide + gap)))
        filled = count if rng.random() < 0.6 else int(rng.integers(0, count + 1))
        for index in range(count):
            x = left + index * (wide + gap)
            rule_boxes(canvas.picture, [top, top + side], [x, x + wide], line)
            if index < filled:
                at = Line(
                    x + wide / 2 - height * 0.28 + float(rng.normal(0, wide * 0.07)),
                    top + side / 2 + float(rng.normal(0, side * 0.06)),
                    height,
                    row=row,
                )
                write_line(canvas, writer, pen, digits(rng, 1, 1), at, rng)
        canvas.take((left, top, count * (wide + gap), side))
        top += side * float(rng.uniform(1.3, 3))
        row += 1
    strew_clutter(canvas, writer, pen, height, rng)
