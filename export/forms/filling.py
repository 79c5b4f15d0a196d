"""Writes values into the boxes of a printed sheet, with real digits of one hand and one pen."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.forms.printing import sheet_pdf
from edge_digits.forms.template import Box, Field, Template
from export.forms.answers import digits_by_cell
from export.pages.pens import InkLayer, choose_pen, lay_ink
from export.pages.sheet import Sheet, WrittenDigit
from export.pages.writer import Writer

PX_A_MM: Final = 300 / 25.4
HEIGHT_SHARES: Final = (0.5, 0.85)
"""Height of a digit in a box, in heights of the box; each hand has its own."""
WIDEST_SHARE: Final = 0.92
ASTRAY_SHARE: Final = 0.06
"""Standard deviation of where in its box a digit stands, in heights of the box."""
FREE_HEIGHT_SHARES: Final = (0.45, 0.65)
PENS: Final = {"ballpoint": 0.55, "fibre": 0.25, "pencil": 0.15, "marker": 0.05}


def print_blank(template: Template) -> NDArray[np.uint8]:
    """The empty sheet as a printer puts it on paper, uint8 (h, w, 3), PX_A_MM pixels a millimetre."""
    import pypdfium2

    document = pypdfium2.PdfDocument(sheet_pdf(template))
    try:
        rendered = document[0].render(scale=300 / 72).to_numpy()
    finally:
        document.close()
    return np.ascontiguousarray(rendered[:, :, :3])


def fill_sheet(blank: NDArray[np.uint8], template: Template, values: dict[str, str], writer: Writer, rng: np.random.Generator) -> Sheet:
    """The sheet with its values written in. blank : as print_blank gives it."""
    picture = blank.copy()
    share = float(rng.uniform(*HEIGHT_SHARES))
    cell_px = float(np.median([field.box[3] for field in template.fields])) * PX_A_MM
    pen = choose_pen(rng, share * cell_px, str(rng.choice(list(PENS), p=np.array(list(PENS.values())))))
    layer = InkLayer(pen, picture.shape[:2])
    to_left = bool(rng.random() < 0.3)
    digits: list[WrittenDigit] = []
    for row, field in enumerate(template.fields):
        for text, box in _places(field, values[field.name], rng, to_left=to_left):
            written = _write(layer, writer, int(text), box, share, rng)
            if written is not None:
                digits.append(WrittenDigit(int(text), written, row, 0))
    lay_ink(picture, layer, rng)
    return Sheet(picture, tuple(digits), (), "form", tuple(values[field.name] for field in template.fields))


def _places(field: Field, value: str, rng: np.random.Generator, *, to_left: bool) -> list[tuple[str, Box]]:
    """Each digit of a value and the box it is written in, in pixels of the sheet."""
    if field.cells:
        cells = zip(digits_by_cell(field, value, to_left=to_left), field.cells, strict=True)
        return [(text, _in_px(box)) for text, box in cells if text]
    x, y, width, height = _in_px(field.box)
    size = height * float(rng.uniform(*FREE_HEIGHT_SHARES))
    step = min(size * float(rng.uniform(0.68, 0.9)), 0.94 * width / max(1, len(value)))
    start = x + float(rng.uniform(0.03, 1.0)) * max(0.0, 0.95 * width - step * len(value))
    top = y + (height - size) * float(rng.uniform(0.3, 0.7))
    return [(text, (start + index * step, top - 0.15 * size, step, 1.3 * size)) for index, text in enumerate(value) if text.isdecimal()]


def _write(layer: InkLayer, writer: Writer, digit: int, box: Box, share: float, rng: np.random.Generator) -> Any:
    """Writes one digit into the middle of a box, more or less; returns the box of its ink."""
    x, y, width, height = box
    sign = writer.placed(writer.digit(digit, rng), rng)
    points = np.concatenate(sign.strokes)
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    size = height * share * float(np.exp(rng.normal(0, 0.06)))
    size = min(size, WIDEST_SHARE * width / max(0.1, float(high[0] - low[0])))
    middle = np.array([x + width / 2, y + height / 2]) + rng.normal(0, ASTRAY_SHARE * height, 2) * (0.6, 1.0)
    strokes = []
    for stroke in sign.strokes:
        moved = np.empty_like(stroke)
        moved[:, :2] = (stroke[:, :2] - (low + high) / 2) * size + middle
        moved[:, 0] -= writer.slant * (moved[:, 1] - middle[1])
        moved[:, 2] = np.maximum(stroke[:, 2] * (layer.pen.width_px / 2), 0.4)
        strokes.append(moved)
    return layer.draw(strokes, rng) if sign.bitmap is None else layer.draw_bitmap(sign.bitmap, strokes[0])


def _in_px(box: Box) -> Box:
    x, y, width, height = box
    return x * PX_A_MM, y * PX_A_MM, width * PX_A_MM, height * PX_A_MM
