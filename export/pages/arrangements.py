"""Ways in which people set numbers and words down on a free area: in one line, in rows and lines, in squares, here and there."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.canvas import Canvas
from export.pages.clutter import draw_somewhere
from export.pages.line_texts import STYLES, line_text
from export.pages.numbers import EXPRESSION_INNER, digits, expression, number
from export.pages.pens import Pen, choose_pen
from export.pages.sheet import Box
from export.pages.stacked import write_fraction, write_sum
from export.pages.words import sentence, single_letter
from export.pages.writer import Writer
from export.pages.writing import INNER_SIGNS, Line, fitted, width_of, write_line
from export.pages.written_text import WordSet, write_words

LEAST_HEIGHT_PX: Final = 14.0


def choose_height(rng: np.random.Generator, canvas: Canvas, least: float = LEAST_HEIGHT_PX, most: float = 160.0) -> float:
    """Height of a digit in pixels: small ones more often, never so tall that a row would not fit."""
    most = min(most, canvas.height * 0.45, canvas.width * 0.45)
    return float(np.exp(rng.uniform(np.log(least), np.log(max(most, least + 1)))))


def one_line(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """A single number or a few in one line, which may climb."""
    text = number(rng) if rng.random() < 0.6 else digits(rng, 3, 8)
    while len(text) > 2 and width_of(writer, text, height) > canvas.width * 0.92:
        text = text[: len(text) // 2] if text[len(text) // 2 - 1].isdigit() else text[: len(text) // 2 - 1]
    slope = float(rng.normal(0, 0.04))
    y = canvas.height * float(rng.uniform(0.25, 0.75))
    free = max(0.0, canvas.width - width_of(writer, text, height))
    write_line(
        canvas, writer, pen, text, Line(free * float(rng.uniform(0.1, 0.9)), y, height, slope, row=0, join_zeros=rng.random() < 0.3), rng
    )


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
        inner = EXPRESSION_INNER if is_expression else INNER_SIGNS
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
            return write_line(
                canvas, writer, pen, text, Line(x + size * 0.1, start_y, size, slope, inner=inner, join_zeros=rng.random() < 0.25), rng
            )
    return None


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
    style = str(rng.choice(list(STYLES), p=np.array([share for _, share in STYLES.values()])))
    skip, words, join = float(rng.choice([0.0, 0.5])) if len(middles) > 4 else 0.0, float(rng.choice([0.0, 0.12, 0.4])), rng.random() < 0.3
    limit = int(rng.integers(4, 40))
    for row, y in enumerate(middles):
        if y < height * 0.5 or y > canvas.height - height * 0.5 or rng.random() < skip or len(canvas.numbers) > 70 or row > limit:
            continue
        if rng.random() < words and writer.words is not None and rng.random() < 0.4:
            write_words(canvas, writer.words, pen, (left, y, height), canvas.width - left, rng)
            continue
        if rng.random() < words:
            text, inner = sentence(rng, 1, 5), EXPRESSION_INNER
        else:
            text, inner = line_text(rng, style)
        text = fitted(writer, text, height, canvas.width - left - height * 0.2)
        x = left + float(rng.normal(0, height * 0.1))
        write_line(
            canvas,
            writer,
            pen,
            text,
            Line(max(x, 2.0), y, height * float(np.exp(rng.normal(0, 0.04))), slope, row=row, inner=inner, join_zeros=join),
            rng,
        )


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
            text = (
                str(rng.choice(list("+-=\u00d7()/?")))
                if rng.random() < letters * 0.4
                else single_letter(rng)
                if rng.random() < letters
                else digits(rng, 1, 1)
            )
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
    if writer.words is not None and rng.random() < 0.25:
        real_words_somewhere(canvas, writer.words, pen, height * float(rng.uniform(0.7, 1.3)), rng)
    for _ in range(int(rng.integers(1, 8))):
        draw = rng.random()
        text = sentence(rng, 1, 4) if draw < 0.5 else single_letter(rng) if draw < 0.75 else str(rng.choice(list("+-=\u00d7/()?!→✓*#")))
        size = height * float(rng.uniform(0.6, 1.4))
        write_somewhere(canvas, writer, pen, text, size, float(rng.normal(0, 0.08)), rng, EXPRESSION_INNER)


def real_words_somewhere(canvas: Canvas, words: WordSet, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """A few lines of words in a free part of the sheet."""
    room = canvas.width * float(rng.uniform(0.2, 0.8))
    for _ in range(int(rng.integers(1, 4))):
        x, y = float(rng.uniform(0, canvas.width - room)), float(rng.uniform(0, max(1.0, canvas.height - height * 1.6)))
        if canvas.is_free((x, y, room, height * 1.5), height * 0.2):
            write_words(canvas, words, pen, (x, y + height * 0.75, height), room, rng)
