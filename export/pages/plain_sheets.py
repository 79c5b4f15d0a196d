"""Sheets written on freely: rows, columns, scattered numbers, expressions, one huge digit; on plain, ruled and squared paper."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.canvas import Canvas
from export.pages.clutter import draw_path, draw_somewhere
from export.pages.numbers import EXPRESSION_INNER, ROMAN, digits, expression, integer, number
from export.pages.papers import choose_size, plain_paper, rule, square
from export.pages.pens import Pen, choose_pen
from export.pages.sheet import Box
from export.pages.sources import SheetSources
from export.pages.words import any_word, row_name, sentence, single_letter, unit
from export.pages.writer import Writer, choose_writer
from export.pages.writing import Line, width_of, write_line

LEAST_HEIGHT_PX: Final = 14.0
GREATEST_HEIGHT_PX: Final = 300.0


def choose_height(rng: np.random.Generator, canvas: Canvas, least: float = LEAST_HEIGHT_PX, most: float = 160.0) -> float:
    """Height of a digit in pixels: small ones more often, never so tall that a row would not fit."""
    most = min(most, canvas.height * 0.45, canvas.width * 0.45)
    return float(np.exp(rng.uniform(np.log(least), np.log(max(most, least + 1)))))


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


def one_line(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """A single number or a few in one line, which may climb."""
    text = number(rng) if rng.random() < 0.6 else digits(rng, 3, 8)
    while len(text) > 2 and width_of(writer, text, height) > canvas.width * 0.92:
        text = text[: len(text) // 2] if text[len(text) // 2 - 1].isdigit() else text[: len(text) // 2 - 1]
    slope = float(rng.normal(0, 0.04))
    y = canvas.height * float(rng.uniform(0.25, 0.75))
    free = max(0.0, canvas.width - width_of(writer, text, height))
    write_line(canvas, writer, pen, text, Line(free * float(rng.uniform(0.1, 0.9)), y, height, slope, row=0, join_zeros=rng.random() < 0.3), rng)


def rows_of_digits(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """Single digits in rows, well apart."""
    step_x, step_y = height * float(rng.uniform(1.1, 2.4)), height * float(rng.uniform(1.3, 2.4))
    left, top = canvas.width * float(rng.uniform(0.03, 0.15)), canvas.height * float(rng.uniform(0.03, 0.12))
    columns = max(1, min(12, int((canvas.width * 0.96 - left) / step_x)))
    rows = max(1, min(12, int((canvas.height * 0.97 - top) / step_y)))
    slope = float(rng.normal(0, 0.015))
    in_order = rng.random() < 0.25
    shake = height * float(rng.uniform(0.02, 0.15))
    for row in range(rows if rng.random() < 0.6 else int(rng.integers(1, rows + 1))):
        kept = columns if row < rows - 1 or rng.random() < 0.5 else int(rng.integers(1, columns + 1))
        for column in range(kept):
            text = str((row * columns + column) % 10) if in_order else digits(rng, 1, 1)
            x = left + column * step_x + float(rng.normal(0, shake))
            y = top + height / 2 + row * step_y + slope * x + float(rng.normal(0, shake))
            if y + height / 2 < canvas.height and x + height < canvas.width:
                write_line(canvas, writer, pen, text, Line(x, y, height, row=row), rng)


def scattered(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """Numbers and expressions here and there, at many angles."""
    tilted = rng.random() < 0.6
    share = float(rng.choice([0.0, 0.3, 0.8], p=[0.5, 0.25, 0.25]))
    for _ in range(int(rng.integers(3, 28))):
        if rng.random() < 0.06:
            (write_sum if rng.random() < 0.5 else write_fraction)(canvas, writer, pen, height, rng)
            continue
        is_expression = rng.random() < share
        text = expression(rng) if is_expression else number(rng)
        size = height * float(rng.uniform(0.8, 1.25))
        slope = float(rng.normal(0, 0.25 if tilted and rng.random() < 0.5 else 0.04))
        inner = EXPRESSION_INNER if is_expression else Line.__dataclass_fields__["inner"].default
        write_somewhere(canvas, writer, pen, text, size, slope, rng, inner)


def write_somewhere(
    canvas: Canvas, writer: Writer, pen: Pen, text: str, size: float, slope: float, rng: np.random.Generator, inner: frozenset[str]
) -> Box | None:
    """Writes a text where there is room for it; None where there is none."""
    length = width_of(writer, text, size) + size * 0.3
    wide, high = abs(np.cos(slope)) * length + abs(np.sin(slope)) * size, abs(np.sin(slope)) * length + abs(np.cos(slope)) * size
    wide, high = float(wide) * 1.08, float(high) * 1.15
    if wide > canvas.width * 0.98 or high > canvas.height * 0.98:
        return None
    for _ in range(8):
        x, y = float(rng.uniform(0, canvas.width - wide)), float(rng.uniform(0, canvas.height - high))
        if canvas.is_free((x, y, wide, high), size * 0.15):
            start_y = y + size * 0.55 if slope >= 0 else y + high - size * 0.55
            return write_line(canvas, writer, pen, text, Line(x + size * 0.1, start_y, size, slope, inner=inner, join_zeros=rng.random() < 0.25), rng)
    return None


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
    sign = str(rng.choice(["+", "-", "×"]))
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


def lines_of_numbers(
    canvas: Canvas,
    writer: Writer,
    pen: Pen,
    height: float,
    rng: np.random.Generator,
    middles: list[float] | None = None,
    left: float | None = None,
) -> None:
    """Lines from top to bottom: numbers, lists with names or units, expressions, and lines of words between them."""
    if middles is None:
        pitch = height * float(rng.uniform(1.3, 2.6))
        middles = list(np.arange(height * float(rng.uniform(0.8, 2.5)), canvas.height - height * 0.6, pitch))
    left = canvas.width * float(rng.uniform(0.02, 0.2)) if left is None else left
    slope = float(rng.normal(0, 0.012))
    style = str(rng.choice(["numbers", "list", "expressions", "column", "mixed"], p=[0.35, 0.25, 0.13, 0.12, 0.15]))
    skip, words, join = float(rng.choice([0.0, 0.5])) if len(middles) > 4 else 0.0, float(rng.choice([0.0, 0.12, 0.4])), rng.random() < 0.3
    limit = int(rng.integers(4, 40))
    for row, y in enumerate(middles):
        if y < height * 0.5 or y > canvas.height - height * 0.5 or rng.random() < skip or len(canvas.numbers) > 70 or row > limit:
            continue
        if rng.random() < words:
            text, inner = sentence(rng, 1, 5), EXPRESSION_INNER
        else:
            text, inner = _line_text(rng, style)
        text = fitted(writer, text, height, canvas.width - left - height * 0.2)
        x = left + float(rng.normal(0, height * 0.1))
        write_line(canvas, writer, pen, text, Line(max(x, 2.0), y, height * float(np.exp(rng.normal(0, 0.04))), slope, row=row, inner=inner, join_zeros=join), rng)


def _line_text(rng: np.random.Generator, style: str) -> tuple[str, frozenset[str]]:
    inner: frozenset[str] = frozenset(".,/:-'")
    if style == "expressions":
        return expression(rng), EXPRESSION_INNER
    if style == "column":
        return number(rng), inner
    if style == "list":
        draw = rng.random()
        if draw < 0.4:
            return f"{row_name(rng)} {number(rng)}", inner
        if draw < 0.7:
            return f"{number(rng)} {row_name(rng) if rng.random() < 0.6 else unit(rng)}", inner
        return f"{int(rng.integers(1, 20))}{rng.choice(['.', ')', ''])} {row_name(rng)} {number(rng)}", inner
    if style == "mixed":
        draw = rng.random()
        if draw < 0.2:
            return f"{rng.choice(ROMAN)} {number(rng)}", inner
        if draw < 0.5:
            return f"{single_letter(rng)} {'= ' if rng.random() < 0.4 else ''}{number(rng)}", inner
        return f"{any_word(rng)}: {number(rng)} {unit(rng) if rng.random() < 0.4 else ''}", inner
    return " ".join(number(rng) if rng.random() < 0.6 else digits(rng, 1, 4) for _ in range(int(rng.integers(1, 7)))), inner


def fitted(writer: Writer, text: str, height: float, room: float) -> str:
    """As many of the text's words as fit into so many pixels; of a single long word its beginning."""
    while width_of(writer, text, height) > room and " " in text:
        text = text.rsplit(" ", 1)[0]
    while width_of(writer, text, height) > room and len(text) > 1:
        text = text[:-1]
    return text


def fill_squares(
    canvas: Canvas, writer: Writer, pen: Pen, height: float, rows: list[float], columns: list[float], rng: np.random.Generator
) -> None:
    """One digit a square, over part of the squares; some squares hold letters or signs instead."""
    first_row, first_column = int(rng.integers(0, max(1, len(rows) // 3))), int(rng.integers(0, max(1, len(columns) // 3)))
    last_row = min(len(rows) - 1, first_row + int(rng.integers(1, 13)))
    last_column = min(len(columns) - 1, first_column + int(rng.integers(1, 13)))
    full, letters = float(rng.uniform(0.5, 1.0)), float(rng.choice([0.0, 0.1, 0.4]))
    for row in range(first_row, last_row):
        for column in range(first_column, last_column):
            if rng.random() > full:
                continue
            text = str(rng.choice(list("+-=×()/?"))) if rng.random() < letters * 0.4 else single_letter(rng) if rng.random() < letters else digits(rng, 1, 1)
            side_x, side_y = columns[column + 1] - columns[column], rows[row + 1] - rows[row]
            size = min(height, side_y * 0.9)
            x = columns[column] + side_x * 0.5 - size * 0.28 + float(rng.normal(0, side_x * 0.08))
            y = rows[row] + side_y * 0.5 + float(rng.normal(0, side_y * 0.06))
            write_line(canvas, writer, pen, text, Line(x, y, size, row=row), rng)


def strew_clutter(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator, same_kind: bool = False) -> None:
    """Words, letters, signs and drawings in what room is left, by the same pen or another; of the same kind of pen if asked."""
    if rng.random() < 0.35:
        return
    if rng.random() < 0.3:
        pen = choose_pen(rng, height, pen.kind if same_kind else None)
    if rng.random() < 0.25:
        draw_somewhere(canvas, pen, height, rng)
    for _ in range(int(rng.integers(1, 8))):
        draw = rng.random()
        text = sentence(rng, 1, 4) if draw < 0.5 else single_letter(rng) if draw < 0.75 else str(rng.choice(list("+-=×/()?!→✓*#")))
        size = height * float(rng.uniform(0.6, 1.4))
        write_somewhere(canvas, writer, pen, text, size, float(rng.normal(0, 0.08)), rng, EXPRESSION_INNER)
