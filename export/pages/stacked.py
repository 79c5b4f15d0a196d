"""Writing of more than one line that belongs together: sums in columns and fractions."""

from __future__ import annotations

import numpy as np

from export.pages.canvas import Canvas
from export.pages.clutter import draw_path
from export.pages.numbers import EXPRESSION_INNER, digits, expression, integer
from export.pages.pens import Pen
from export.pages.writer import Writer
from export.pages.writing import Line, width_of, write_line


def _free_place(canvas: Canvas, wide: float, high: float, rng: np.random.Generator) -> tuple[float, float] | None:
    """Top left corner of a free box; None where none was found."""
    if wide > canvas.width * 0.95 or high > canvas.height * 0.95:
        return None
    for _ in range(6):
        x, y = float(rng.uniform(0, canvas.width - wide)), float(rng.uniform(0, canvas.height - high))
        if canvas.is_free((x, y, wide, high)):
            return x, y
    return None


def write_sum(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """Numbers below each other with a sign, a line and perhaps the result, set right."""
    longest = int(rng.integers(2, 6))
    terms = [digits(rng, max(1, longest - 1), longest).lstrip("0") or "7" for _ in range(int(rng.integers(2, 5)))]
    if rng.random() < 0.8:
        terms.append(str(sum(int(term) for term in terms)))
    step = height * float(rng.uniform(1.25, 1.7))
    wide, high = width_of(writer, "8" * (longest + 2), height), step * (len(terms) + 0.5)
    place = _free_place(canvas, wide, high, rng)
    if place is None:
        return
    x, y = place
    for index, term in enumerate(terms):
        start = x + wide - width_of(writer, term, height)
        write_line(canvas, writer, pen, term, Line(start, y + step * (index + 0.5), height), rng)
    last = y + step * (len(terms) - 1) if len(terms) > 2 else y + step * len(terms)
    sign = str(rng.choice(["+", "-", "\u00d7"]))
    write_line(canvas, writer, pen, sign, Line(x, y + step * 1.5, height), rng)
    bar = draw_path(canvas, pen, np.array([[x, last], [x + wide, last + height * float(rng.normal(0, 0.04))]]), rng)
    canvas.add_clutter("line of a sum", bar)


def write_fraction(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """A number or term above a bar and another below."""
    above, below = (integer(rng)[:3] if rng.random() < 0.7 else expression(rng)[:7] for _ in range(2))
    wide = max(width_of(writer, above, height), width_of(writer, below, height)) + height * 0.4
    place = _free_place(canvas, wide, height * 3, rng)
    if place is None:
        return
    x, y = place
    for text, middle in ((above, 0.8), (below, 2.25)):
        start = x + (wide - width_of(writer, text, height)) / 2
        write_line(canvas, writer, pen, text, Line(start, y + height * middle, height, inner=EXPRESSION_INNER), rng)
    bar = np.array([[x, y + height * 1.52], [x + wide, y + height * (1.52 + float(rng.normal(0, 0.04)))]])
    canvas.add_clutter("fraction bar", draw_path(canvas, pen, bar, rng))
