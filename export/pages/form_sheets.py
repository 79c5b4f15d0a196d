"""Forms, cheques and receipts: printed labels and lines, filled in by hand."""

from __future__ import annotations

import cv2
import numpy as np

from export.pages.arrangements import strew_clutter, write_somewhere
from export.pages.canvas import Canvas
from export.pages.clutter import signature
from export.pages.lettering import PrintFont
from export.pages.numbers import amount, code, date, digits, integer, number, phone
from export.pages.papers import Picture, PrintedLine, choose_printed_line, choose_size, plain_paper, rule_boxes
from export.pages.pens import Pen, choose_pen
from export.pages.printing import BLACK, Colour, choose_print_colour, choose_print_font, print_paragraph, print_text, printed_number
from export.pages.sheet import Box
from export.pages.sources import SheetSources
from export.pages.string_source import WrittenString
from export.pages.words import heading, row_name, sentence, unit
from export.pages.writer import Writer, choose_writer
from export.pages.writing import INNER_SIGNS, Line, fitted, width_of, write_line
from export.pages.written_strings import write_string


def form(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """Fields with printed labels, on lines, in boxes or in combs, some left empty, some ticked; printed text around."""
    canvas = Canvas(plain_paper(rng, choose_size(rng)), "form")
    writer = choose_writer(rng, sources)
    size = float(rng.uniform(11, 30))
    height = size * float(rng.uniform(1.0, 2.0))
    pen, font, colour = choose_pen(rng, height), choose_print_font(rng, sources), choose_print_colour(rng)
    line = choose_printed_line(rng, dark=rng.random() < 0.6)
    left, y = canvas.width * float(rng.uniform(0.04, 0.1)), size * float(rng.uniform(1.5, 3))
    print_text(canvas, font, sentence(rng, 1, 3).upper(), left, y, size * 1.4, colour)
    y += size * 2.5
    columns = 2 if canvas.width > 900 and rng.random() < 0.4 else 1
    row = 0
    while y + height * 1.3 < canvas.height:
        if rng.random() < 0.12:
            lines = int(rng.integers(1, 5)) * size * 0.8
            print_paragraph(canvas, font, (left, y, canvas.width * 0.85, lines), size * 0.6, rng, colour)
            y += lines + size * 1.5
            continue
        for column in range(columns):
            wide = (canvas.width - 2 * left) / columns
            _field(canvas, writer, pen, (left + column * wide, y, wide * 0.93, height), row, line, (font, size, colour), rng)
        y += height * float(rng.uniform(1.7, 2.6))
        row += 1
    if rng.random() < 0.4:
        signature(canvas, pen, (canvas.width * 0.6, canvas.height - height * 2.5, canvas.width * 0.25, height * 1.4), rng)
    return canvas


def _field(
    canvas: Canvas,
    writer: Writer,
    pen: Pen,
    box: Box,
    row: int,
    line: PrintedLine,
    print_style: tuple[PrintFont | None, float, Colour],
    rng: np.random.Generator,
) -> None:
    """One labelled field: on a line, in a frame, or a comb of small boxes; a number, a word or nothing in it."""
    x, y, w, h = box
    font, size, colour = print_style
    label = heading(rng) + str(rng.choice([":", "", " *", " no.:", " (" + unit(rng) + ")"]))
    printed = print_text(canvas, font, label, x, y + h * 0.8, size * 0.8, colour)
    start = x + max(w * 0.28, (printed[2] if printed else 0) + size)
    room = x + w - start
    style = rng.random()
    text = _entry(rng)
    if style < 0.3 and room > h * 2:
        _comb(canvas, writer, pen, (start, y, room, h), row, line, rng)
        return
    if style < 0.55:
        rule_boxes(canvas.picture, [y - h * 0.15, y + h * 1.15], [start, x + w], line)
    elif style < 0.9:
        line.draw(canvas.picture, (start, y + h), (x + w, y + h))
    if not text:
        return
    height = h * float(rng.uniform(0.75, 1.05))
    text = fitted(writer, text, height, room)
    at = start + max(0.0, room - width_of(writer, text, height)) * float(rng.uniform(0.02, 0.5))
    write_line(canvas, writer, pen, text, Line(at, y + h * float(rng.uniform(0.4, 0.6)), height, float(rng.normal(0, 0.015)), row=row), rng)


def _entry(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.12:
        return ""
    if draw < 0.35:
        return row_name(rng) if rng.random() < 0.6 else sentence(rng, 1, 3)
    return [date, phone, code, integer, amount, number][int(rng.integers(6))](rng)


def _comb(canvas: Canvas, writer: Writer, pen: Pen, box: Box, row: int, line: PrintedLine, rng: np.random.Generator) -> None:
    """A row of narrow boxes, or teeth on a line, one sign each."""
    x, y, w, h = box
    step = h * float(rng.uniform(0.75, 1.05))
    count = max(2, min(int(rng.integers(2, 13)), int(w / step)))
    edges = [x + index * step for index in range(count + 1)]
    if rng.random() < 0.7:
        rule_boxes(canvas.picture, [y - h * 0.1, y + h * 1.1], edges, line)
    else:
        line.draw(canvas.picture, (edges[0], y + h * 1.1), (edges[-1], y + h * 1.1))
        for edge in edges:
            line.draw(canvas.picture, (edge, y + h * 0.75), (edge, y + h * 1.1))
    text = digits(rng, count, count) if rng.random() < 0.75 else fitted(writer, row_name(rng).upper(), h, w)[:count]
    filled = count if rng.random() < 0.6 else int(rng.integers(0, count + 1))
    height = h * float(rng.uniform(0.65, 0.95))
    for index, character in enumerate(text[:filled]):
        at = edges[index] + step * 0.5 - height * 0.28 + float(rng.normal(0, step * 0.06))
        write_line(canvas, writer, pen, character, Line(at, y + h * 0.5 + float(rng.normal(0, h * 0.05)), height, row=row), rng)


def guilloche(picture: Picture, rng: np.random.Generator) -> None:
    """Fine waves across the paper, as cheques and notes have them against forgery; in place."""
    height, width = picture.shape[:2]
    tint = rng.integers(120, 215, 3)
    x = np.linspace(0, width, max(24, width // 10))
    amplitude, wavelength = height * float(rng.uniform(0.02, 0.2)), width / float(rng.uniform(1.5, 12))
    second = width / float(rng.uniform(3, 25))
    layer = np.zeros((height, width), np.uint8)
    spacing = float(rng.uniform(4, 14))
    for index, base in enumerate(np.arange(-amplitude, height + amplitude, spacing)):
        phase = index * float(rng.choice([0.0, 0.15, 0.4]))
        y = base + amplitude * np.sin(2 * np.pi * x / wavelength + phase) + amplitude * 0.3 * np.sin(2 * np.pi * x / second - phase)
        cv2.polylines(layer, [np.round(np.column_stack([x, y]) * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    if rng.random() < 0.4:
        for angle in np.linspace(0, np.pi, int(rng.integers(6, 20)), endpoint=False):
            centre = (int(width * 0.5), int(height * 0.5))
            cv2.ellipse(layer, centre, (int(width * 0.3), int(height * 0.35)), float(np.degrees(angle)), 0, 360, 255, 1, cv2.LINE_AA)
    strength = float(rng.uniform(0.3, 0.9))
    transmitted = cv2.merge([cv2.LUT(layer, (255 - np.arange(256) * strength * (1 - c / 255)).astype(np.uint8)) for c in tint.tolist()])
    cv2.multiply(picture, transmitted, dst=picture, scale=1 / 255)


def cheque(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A cheque, or the piece of one where the amount stands: waves, printed words, an amount, a date, a signature."""
    crop = rng.random() < 0.4
    height_px = int(rng.integers(260, 420)) if crop else int(rng.integers(380, 760))
    width_px = int(rng.integers(700, 1300)) if crop else int(height_px * rng.uniform(2.0, 2.4))
    canvas = Canvas(plain_paper(rng, (height_px, min(1800, width_px))), "cheque")
    if rng.random() < 0.9:
        guilloche(canvas.picture, rng)
    writer = choose_writer(rng, sources)
    if crop:
        height = canvas.height * float(rng.uniform(0.3, 0.6))
        pen = choose_pen(rng, height, "ballpoint" if rng.random() < 0.7 else "fibre")
        _amount(canvas, writer, pen, (canvas.width * 0.04, canvas.height * 0.2, canvas.width * 0.92, height), 0, sources, rng)
        return canvas
    h = canvas.height
    height = h * float(rng.uniform(0.07, 0.12))
    pen = choose_pen(rng, height, "ballpoint" if rng.random() < 0.7 else "fibre")
    font, line = choose_print_font(rng, sources), PrintedLine(BLACK, 1.2, 0.8)
    print_text(canvas, font, sentence(rng, 1, 2).upper(), canvas.width * 0.04, h * 0.14, h * 0.06)
    print_text(canvas, font, printed_number(rng), canvas.width * 0.5, h * 0.12, h * 0.045)
    for y, label in ((0.42, "Pay to"), (0.58, "the sum of")):
        print_text(canvas, font, label, canvas.width * 0.04, h * y, h * 0.04)
        line.draw(canvas.picture, (canvas.width * 0.14, h * y), (canvas.width * 0.7, h * y))
        text = fitted(writer, sentence(rng, 2, 5), height, canvas.width * 0.5)
        write_line(canvas, writer, pen, text, Line(canvas.width * 0.16, h * y - height * 0.55, height), rng)
    rule_boxes(canvas.picture, [h * 0.3, h * 0.3 + height * 1.6], [canvas.width * 0.72, canvas.width * 0.97], line)
    print_text(canvas, font, str(rng.choice(["$", "EUR", "€", "£"])), canvas.width * 0.735, h * 0.3 + height * 1.1, h * 0.05)
    _amount(canvas, writer, pen, (canvas.width * 0.77, h * 0.3 + height * 0.3, canvas.width * 0.2, height), 1, sources, rng)
    text = date(rng)
    write_line(
        canvas,
        writer,
        pen,
        text,
        Line(canvas.width * 0.72, h * 0.17, min(height, height * canvas.width * 0.24 / width_of(writer, text, height)), row=0),
        rng,
    )
    line.draw(canvas.picture, (canvas.width * 0.7, h * 0.17 + height * 0.6), (canvas.width * 0.96, h * 0.17 + height * 0.6))
    signature(canvas, choose_pen(rng, height), (canvas.width * 0.62, h * 0.68, canvas.width * 0.3, h * 0.16), rng)
    print_text(canvas, font, f"{digits(rng, 8, 8)}  {digits(rng, 6, 10)}  {digits(rng, 3, 4)}", canvas.width * 0.05, h * 0.94, h * 0.05)
    return canvas


def _amount(canvas: Canvas, writer: Writer, pen: Pen, box: Box, row: int, sources: SheetSources, rng: np.random.Generator) -> None:
    """An amount by this hand, or one that somebody wrote on a real cheque."""
    x, y, w, h = box
    if sources.strings and rng.random() < 0.55:
        string: WrittenString = sources.strings[int(rng.integers(len(sources.strings)))]
        write_string(canvas, pen, string, box, row, rng)
        return
    text = fitted(writer, amount(rng), h, w)
    join = rng.random() < 0.5
    write_line(canvas, writer, pen, text, Line(x + h * 0.2, y + h / 2, h, float(rng.normal(0, 0.03)), row=row, join_zeros=join), rng)


def receipt(rng: np.random.Generator, sources: SheetSources) -> Canvas:
    """A narrow printed slip with printed numbers, onto which somebody wrote a few."""
    height_px = int(rng.integers(800, 1700))
    canvas = Canvas(plain_paper(rng, (height_px, int(height_px * rng.uniform(0.3, 0.55)))), "receipt")
    font = choose_print_font(rng, sources)
    size = canvas.width * float(rng.uniform(0.035, 0.06))
    grey = int(rng.integers(30, 140))
    y = size * 2
    stop = canvas.height * float(rng.uniform(0.5, 0.95))
    while y < stop:
        draw = rng.random()
        if draw < 0.15:
            print_text(canvas, font, sentence(rng, 1, 2).upper(), canvas.width * 0.2, y, size, (grey, grey, grey))
        elif draw < 0.85:
            print_text(canvas, font, row_name(rng), canvas.width * 0.06, y, size, (grey, grey, grey))
            print_text(canvas, font, printed_number(rng), canvas.width * 0.7, y, size, (grey, grey, grey))
        y += size * 1.5
    writer = choose_writer(rng, sources)
    height = size * float(rng.uniform(1.3, 4))
    pen = choose_pen(rng, height)
    strew_clutter(canvas, writer, pen, height, rng)
    for _ in range(int(rng.integers(1, 6))):
        write_somewhere(canvas, writer, pen, number(rng), height, float(rng.normal(0, 0.1)), rng, INNER_SIGNS)
    return canvas
