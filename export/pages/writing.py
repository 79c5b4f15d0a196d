"""Writes a line of text onto a canvas: digits whose truth is kept, and letters and signs that are clutter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.pages.canvas import Canvas, WrittenNumber, around
from export.pages.pens import Pen
from export.pages.sheet import Box
from export.pages.signs import joined_zeros
from export.pages.strokes import Stroke, TracedSign
from export.pages.writer import Writer

RAISED_SIZE: Final = 0.6
"""Height of an exponent, the sign after a ^, in heights of the line."""

OVERWRITTEN_SHARE: Final = 0.012
"""So many digits were gone over a second time."""

LEAST_SIGN_GAP: Final = 0.07
"""Digits may touch each other; signs and letters beside them keep so much distance, in heights."""

WORD_GAP: Final = 0.55
"""Free space that stands for a blank, in heights, beside the gap between signs."""

INNER_SIGNS: Final = frozenset(".,/:-'")
"""Signs that keep a number together when they stand between two of its digits."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where and how a line is written.

    x, y : left end and middle of the first sign, in pixels. height_px : of a digit. slope : rise of the line, in radians, clockwise.
    gap : see Writer.gap; None for the hand's own. row : the row its numbers belong to, None if its height shall decide.
    inner : signs that hold a number together. join_zeros : whether zeros that follow each other are written in one go.
    """

    x: float
    y: float
    height_px: float
    slope: float = 0.0
    gap: float | None = None
    row: int | None = None
    inner: frozenset[str] = INNER_SIGNS
    join_zeros: bool = False


@dataclass(slots=True)
class _Set:
    """A sign set on its line, in heights from the line's start. index : of its character in the text."""

    index: int
    sign: TracedSign
    left: float
    lift: float
    size: float


def write_line(canvas: Canvas, writer: Writer, pen: Pen, text: str, line: Line, rng: np.random.Generator) -> Box | None:
    """Writes a text; its digits go into the canvas's numbers, all else into its clutter. Returns the box of all ink."""
    layer = canvas.layer(pen)
    boxes: dict[int, Box] = {}
    for each in _lay_out(writer, text, line, rng):
        strokes = [_on_sheet(stroke, each, writer, line, pen) for stroke in each.sign.strokes]
        box = layer.draw(strokes, rng) if each.sign.bitmap is None else layer.draw_bitmap(each.sign.bitmap, strokes[0])
        if each.sign.bitmap is None and text[each.index].isdigit() and rng.random() < OVERWRITTEN_SHARE:
            layer.draw([stroke + np.array([*rng.normal(0, 0.04 * line.height_px, 2), 0], np.float32) for stroke in strokes], rng)
        if each.sign.links:
            layer.draw([_on_sheet(stroke, each, writer, line, pen) for stroke in each.sign.links], rng)
        if box is not None and min(box[2:]) > 0:
            boxes[each.index] = box
    _note(canvas, text, boxes, line)
    return around(list(boxes.values())) if boxes else None


def width_of(writer: Writer, text: str, height_px: float, gap: float | None = None) -> float:
    """About how wide a text gets, in pixels."""
    step = writer.digit_width + max(0.0, writer.gap if gap is None else gap)
    return height_px * sum(WORD_GAP if c == " " else step * (0.5 if c in ".,':1I" else 1.0) for c in text if c != "^")


def fitted(writer: Writer, text: str, height: float, room: float) -> str:
    """As many of the text's words as fit into so many pixels; of a single long word its beginning."""
    while width_of(writer, text, height) > room and " " in text:
        text = text.rsplit(" ", 1)[0]
    while width_of(writer, text, height) > room and len(text) > 1:
        text = text[:-1]
    return text


def _lay_out(writer: Writer, text: str, line: Line, rng: np.random.Generator) -> list[_Set]:
    gap = writer.gap if line.gap is None else line.gap
    zeros = _zero_runs(text) if line.join_zeros else {}
    pending: list[TracedSign] = []
    cursor, drift, found = 0.0, 0.0, []
    for index, character in enumerate(text):
        if character == " ":
            cursor += WORD_GAP * float(rng.uniform(0.75, 1.5))
        if character in " ^":
            continue
        if index in zeros:
            pending = joined_zeros(rng, zeros[index])
        joined = bool(pending)
        sign = pending.pop(0) if joined else _sign_of(writer, text, index, rng)
        if sign is None:
            continue
        sign = sign if joined else writer.placed(sign, rng)
        raised = index > 0 and text[index - 1] == "^"
        size = RAISED_SIZE * float(rng.uniform(0.85, 1.2)) if raised else 1.0
        points = np.concatenate(sign.strokes)
        low, high = float(points[:, 0].min()), float(points[:, 0].max())
        drift += float(rng.normal(0, writer.uneven * 0.15))
        lift = drift + float(rng.normal(0, writer.uneven * 0.3)) - (float(rng.uniform(0.35, 0.6)) if raised else 0.0)
        inside_word = character.isalpha() and text[index + 1 : index + 2].isalpha()
        if inside_word and sign.advance:
            # As the font sets its letters, so that those of a running hand join.
            found.append(_Set(index, sign, cursor + sign.bearing * writer.stretch - low, lift, size))
            cursor += sign.advance * writer.stretch
            continue
        found.append(_Set(index, sign, cursor - (0 if joined else low * size), lift, size))
        tight = min(gap, 0.12) if inside_word else gap if _between_digits(text, index) else max(gap, LEAST_SIGN_GAP)
        space = 0.0 if joined and pending else tight + float(rng.normal(0, 0.03))
        cursor += size * (sign.width if joined else high - low) + max(space, -0.1)
    return found


def _between_digits(text: str, index: int) -> bool:
    return text[index].isdigit() and text[index + 1 : index + 2].isdigit()


def _sign_of(writer: Writer, text: str, index: int, rng: np.random.Generator) -> TracedSign | None:
    if text[index].isdigit():
        return writer.digit(int(text[index]), rng)
    return writer.character(text[index], rng, alone=not _in_word(text, index))


def _in_word(text: str, index: int) -> bool:
    """Whether a letter stands in a word of three or more."""
    start, end = index, index + 1
    while start > 0 and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha():
        end += 1
    return end - start >= 3


def _zero_runs(text: str) -> dict[int, int]:
    """Index of the first zero -> how many follow each other, from two on."""
    runs, index = {}, 0
    while index < len(text):
        length = len(text[index:]) - len(text[index:].lstrip("0"))
        if length > 1:
            runs[index] = length
        index += max(1, length)
    return runs


def _on_sheet(stroke: Stroke, each: _Set, writer: Writer, line: Line, pen: Pen) -> NDArray[np.float32]:
    """From heights of a sign to pixels of the sheet: place, slant, size, slope."""
    down = (stroke[:, 1] - 0.5) * each.size + each.lift
    right = stroke[:, 0] * each.size + each.left - writer.slant * down
    cos, sin = np.cos(line.slope), np.sin(line.slope)
    placed = np.empty_like(stroke)
    placed[:, 0] = line.x + line.height_px * (right * cos - down * sin)
    placed[:, 1] = line.y + line.height_px * (right * sin + down * cos)
    placed[:, 2] = np.maximum(stroke[:, 2] * (pen.width_px / 2), 0.4)
    return placed


SEEN_SHARE: Final = 0.8
"""A digit of which less lies on the sheet is cut off, and no digit any more."""


def _note(canvas: Canvas, text: str, boxes: dict[int, Box], line: Line) -> None:
    """Cuts what was written into numbers and clutter. boxes : by index in the text; blanks and what left no ink have none."""
    written = ""
    digits: list[tuple[int, Box]] = []
    for index, character in enumerate(text):
        before, after = text[index - 1 : index] if index else "", text[index + 1 : index + 2]
        inner = character in line.inner and after.isdigit() and (before.isdigit() or (character == "-" and not before.strip()))
        if index in boxes:
            box, share = canvas.clip(boxes[index])
            if not character.isdigit():
                canvas.add_clutter("letter" if character.isalpha() else "sign", box)
            elif share < SEEN_SHARE:
                canvas.add_clutter("cut digit", box)
            elif box is not None:
                digits.append((int(character), box))
                written += character
        if inner:
            written += character
        goes_on = inner or after.isdigit() or (after in line.inner and text[index + 2 : index + 3].isdigit())
        if digits and not goes_on:
            canvas.add_number(WrittenNumber(written, tuple(digits), line.row))
        if not goes_on:
            written, digits = "", []
