"""Sheets of single letters: alphabets, crosswords, forms filled with names. Half of the letters look like some digit when seen alone."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.arrangements import choose_height
from export.pages.canvas import Canvas
from export.pages.numbers import digits
from export.pages.papers import choose_printed_line, choose_size, plain_paper, rule_boxes
from export.pages.pens import choose_pen
from export.pages.sources import SheetSources
from export.pages.words import any_word
from export.pages.writer import choose_writer
from export.pages.writing import Line, write_line

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LIKE_DIGITS: Final = "OQDISZBGLJTYqlobszg"
DIGIT_SHARE: Final = 0.15
"""On so many of the sheets some of the places hold digits."""


def letters(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A lattice of letters, in boxes or without."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "letters")
    columns, rows = int(rng.integers(1, 14)), int(rng.integers(1, 14))
    left, top = canvas.width * float(rng.uniform(0, 0.1)), canvas.height * float(rng.uniform(0, 0.1))
    xs = np.linspace(left, canvas.width - left, columns + 1).tolist()
    ys = np.linspace(top, canvas.height - top, rows + 1).tolist()
    if rng.random() < 0.5:
        rule_boxes(canvas.picture, ys, xs, choose_printed_line(rng, dark=rng.random() < 0.6))
    wide, high = xs[1] - xs[0], ys[1] - ys[0]
    height = max(12.0, min(choose_height(rng, canvas), wide * 0.85, high * 0.75))
    writer, pen = choose_writer(rng, sources), choose_pen(rng, height)
    texts = _texts(rng, rows, columns)
    digit_share = float(rng.uniform(0.05, 0.5)) if rng.random() < DIGIT_SHARE else 0.0
    for row, line in enumerate(texts):
        for column, letter in enumerate(line):
            text = digits(rng, 1, 1) if rng.random() < digit_share else letter
            x = (xs[column] + xs[column + 1]) / 2 - height * 0.3 + float(rng.normal(0, wide * 0.04))
            write_line(
                canvas, writer, pen, text, Line(x, (ys[row] + ys[row + 1]) / 2 + float(rng.normal(0, high * 0.04)), height, row=row), rng
            )
    return canvas


def _texts(rng: np.random.Generator, rows: int, columns: int) -> list[str]:
    """What stands in each row: the same letter, the alphabet, words, letters like digits, or any letters."""
    draw, start = rng.random(), int(rng.integers(26))
    if draw < 0.3:
        found = [ALPHABET[(start + row) % 26] * columns for row in range(rows)]
    elif draw < 0.5:
        found = ["".join(ALPHABET[(start + row * columns + column) % 26] for column in range(columns)) for row in range(rows)]
    elif draw < 0.65:
        found = [any_word(rng)[:columns] for _ in range(rows)]
    else:
        among = LIKE_DIGITS if draw < 0.8 else ALPHABET + ALPHABET.lower()
        found = ["".join(rng.choice(list(among), columns)) for _ in range(rows)]
    return [text.lower() for text in found] if rng.random() < 0.4 else found
