"""Printed text on a sheet: labels, headings, paragraphs, and printed digits, which are not handwritten ones."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.canvas import Canvas
from export.pages.lettering import PrintFont
from export.pages.papers import cover, darken
from export.pages.sheet import Box
from export.pages.sources import SheetSources
from export.pages.words import sentence

Colour = tuple[int, int, int]

BLACK: Final[Colour] = (30, 30, 30)
_COLOURS: Final = (BLACK, BLACK, BLACK, (90, 90, 90), (130, 80, 40), (60, 60, 150), (80, 110, 40))
_OPENCV_FACES: Final = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)


def choose_print_font(rng: np.random.Generator, sources: SheetSources) -> PrintFont | None:
    """A printer's font; None where the sources hold none, which prints by OpenCV."""
    fonts = sources.lettering.print_fonts
    return fonts[int(rng.integers(len(fonts)))] if fonts else None


def choose_print_colour(rng: np.random.Generator) -> Colour:
    """Black mostly."""
    return _COLOURS[int(rng.integers(len(_COLOURS)))]


def print_text(
    canvas: Canvas,
    font: PrintFont | None,
    text: str,
    x: float,
    base_y: float,
    size_px: float,
    colour: Colour = BLACK,
    *,
    covers: bool = False,
) -> Box | None:
    """Prints a text whose line stands at base_y; what is beyond the sheet is lost. Returns its box, noted as clutter.

    covers : whether the colour hides what it is laid on, as on dark keys, instead of darkening it as ink does.
    """
    drawn = font.draw(text, max(6, round(size_px))) if font is not None else _draw_by_opencv(text, size_px)
    if drawn is None:
        return None
    ink, bearing, above = drawn
    left, top = round(x) + bearing, round(base_y) - above
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(canvas.width, left + ink.shape[1]), min(canvas.height, top + ink.shape[0])
    if x1 <= x0 or y1 <= y0:
        return None
    lay = cover if covers else darken
    lay(canvas.picture[y0:y1, x0:x1], np.ascontiguousarray(ink[y0 - top : y1 - top, x0 - left : x1 - left]), colour)
    box = float(x0), float(y0), float(x1 - x0), float(y1 - y0)
    canvas.add_clutter("printed", box)
    return box


def _draw_by_opencv(text: str, size_px: float) -> tuple[NDArray[np.uint8], int, int]:
    plain = text.encode("ascii", "replace").decode()
    scale = size_px / 30
    (width, height), below = cv2.getTextSize(plain, _OPENCV_FACES[0], scale, 1)
    ink = np.zeros((height + below + 4, width + 4), np.uint8)
    cv2.putText(ink, plain, (2, height + 2), _OPENCV_FACES[0], scale, 255, max(1, round(scale * 1.6)), cv2.LINE_AA)
    return ink, 0, height + 2


def print_paragraph(
    canvas: Canvas, font: PrintFont | None, box: Box, size_px: float, rng: np.random.Generator, colour: Colour = BLACK
) -> None:
    """Lines of printed words, with a printed number now and then, over a box."""
    x, y, w, h = box
    base = y + size_px
    while base < y + h:
        words: list[str] = []
        while len(" ".join(words)) * size_px * 0.5 < w * 0.95:
            words.append(sentence(rng, 1, 3) if rng.random() > 0.12 else printed_number(rng))
        print_text(canvas, font, " ".join(words), x, base, size_px, colour)
        base += size_px * 1.45
        if rng.random() < 0.12:
            base += size_px


def printed_number(rng: np.random.Generator) -> str:
    """A number as machines print it."""
    form = rng.random()
    if form < 0.4:
        return str(int(rng.integers(0, 3000)))
    if form < 0.7:
        return f"{rng.uniform(0, 999):.2f}"
    return f"{int(rng.integers(1, 29)):02d}.{int(rng.integers(1, 13)):02d}.{int(rng.integers(1990, 2030))}"
