"""Sheets without a handwritten digit: letters, print, drawings, signs, blank paper; and pages of real handwriting."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.arrangements import choose_height
from export.pages.canvas import Canvas
from export.pages.clutter import draw_somewhere, signature
from export.pages.numbers import ROMAN
from export.pages.papers import choose_printed_line, choose_size, plain_paper, rule, rule_boxes, square
from export.pages.pens import Pen, choose_pen
from export.pages.printing import choose_print_colour, choose_print_font, print_paragraph, print_text
from export.pages.sources import SheetSources
from export.pages.words import any_word, sentence, single_letter
from export.pages.writer import Writer, choose_writer
from export.pages.writing import Line, fitted, width_of, write_line
from export.pages.written_text import write_words

SCRIPT_SHARE: Final = 0.3
"""Where nothing but words stands, so many hands write in another script than the Latin."""
_SIGNS: Final = "+-=\u00d7÷·/()[]<>%#?!→✓√∑∫\u03b1π∧|*:;,.€$"


def text(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A letter or notes: lines of handwritten words on blank or ruled paper."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "text")
    height = choose_height(rng, canvas, most=130)
    pitch = height * float(rng.uniform(1.3, 2.4))
    lined = rng.random()
    if lined < 0.35:
        rule(canvas.picture, rng, pitch)
    elif lined < 0.5:
        square(canvas.picture, rng, pitch * float(rng.uniform(0.4, 1.0)))
    writer, pen = choose_writer(rng, sources, SCRIPT_SHARE), choose_pen(rng, height)
    left = canvas.width * float(rng.uniform(0.02, 0.15))
    slope = float(rng.normal(0, 0.015))
    lines, real = int(rng.integers(1, 25)), rng.random() < 0.45
    for index, y in enumerate(np.arange(height * rng.uniform(0.8, 3), canvas.height - height * 0.5, pitch)):
        if index >= lines:
            break
        if rng.random() < 0.1:
            continue
        if writer.words is not None and real and not writer.alphabet:
            write_words(canvas, writer.words, pen, (left, float(y), height * 1.1), canvas.width - left, rng)
            continue
        words = fitted(writer, sentence(rng, 3, 9), height, canvas.width - left)
        write_line(canvas, writer, pen, words, Line(left + float(rng.normal(0, height * 0.1)), float(y), height, slope), rng)
    if rng.random() < 0.2:
        signature(canvas, pen, (canvas.width * 0.5, canvas.height * 0.85, canvas.width * 0.3, height * 1.3), rng)
    return canvas


def negative(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """Signs, single letters, drawings, print, or nothing at all."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "negative")
    height = choose_height(rng, canvas)
    writer, pen = choose_writer(rng, sources, SCRIPT_SHARE), choose_pen(rng, height)
    draw = rng.random()
    if draw < 0.25:
        _signs(canvas, writer, pen, height, rng)
    elif draw < 0.45:
        for _ in range(int(rng.integers(1, 8))):
            draw_somewhere(canvas, pen, height * float(rng.uniform(0.8, 3)), rng)
    elif draw < 0.7:
        font, size = choose_print_font(rng, sources), float(rng.uniform(10, 34))
        colour = choose_print_colour(rng)
        print_text(canvas, font, sentence(rng, 1, 4), canvas.width * 0.08, size * 3, size * 1.6, colour)
        print_paragraph(canvas, font, (canvas.width * 0.08, size * 4, canvas.width * 0.84, canvas.height * 0.8), size, rng, colour)
    elif draw < 0.92:
        words = any_word(rng) if rng.random() < 0.7 else " ".join(str(value) for value in rng.choice(ROMAN, 4))
        words = fitted(writer, words, height, canvas.width * 0.9)
        free = max(0.0, canvas.width - width_of(writer, words, height))
        write_line(canvas, writer, pen, words, Line(free * float(rng.random()), canvas.height * float(rng.uniform(0.2, 0.8)), height), rng)
    return canvas


def _signs(canvas: Canvas, writer: Writer, pen: Pen, height: float, rng: np.random.Generator) -> None:
    """A lattice or rows of signs and letters."""
    columns, rows = int(rng.integers(2, 11)), int(rng.integers(2, 11))
    xs, ys = np.linspace(0, canvas.width, columns + 1).tolist(), np.linspace(0, canvas.height, rows + 1).tolist()
    if rng.random() < 0.6:
        rule_boxes(canvas.picture, ys, xs, choose_printed_line(rng, dark=rng.random() < 0.6))
    height = min(height, (ys[1] - ys[0]) * 0.7, (xs[1] - xs[0]) * 0.8)
    for row in range(rows):
        repeated = str(rng.choice(list(_SIGNS)))
        for column in range(columns):
            sign = repeated if rng.random() < 0.5 else str(rng.choice(list(_SIGNS))) if rng.random() < 0.7 else single_letter(rng)
            at = Line(xs[column] + (xs[1] - xs[0]) * 0.35, (ys[row] + ys[row + 1]) / 2, height)
            write_line(canvas, writer, pen, sign, at, rng)
