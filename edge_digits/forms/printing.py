"""Prints the sheet of a template as PDF: corner markers, boxes, labels, and the words that name the template.

ReportLab writes the PDF (BSD licence, pure Python): lines stay lines at any printer's resolution.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from edge_digits.errors import MissingExtraError, UsageError
from edge_digits.forms.markers import MARGIN_MM, MARKER_MM, QUIET_MM, Marker, corner_markers
from edge_digits.forms.template import CELL, Box, Field, Template

POINTS_A_MM: Final = 72.0 / 25.4
FRAME_MM: Final = 0.3
FRAME_GREY: Final = 0.72
"""Boxes are printed lighter than any pen writes, so that ink that runs over them can be told from them."""
LABEL_MM: Final = 2.8
LABEL_GAP_MM: Final = 1.1
TITLE_MM: Final = 5.0
CODE_MM: Final = 2.2
SMALLEST_LABEL_MM: Final = 1.6


def print_sheet(template: Template, out: Path) -> None:
    """Write the template's sheet as a PDF of one page; the file that was there stays until the new one is whole.

    Raises UsageError for a template that cannot be printed, or a place that cannot be written; MissingExtraError.
    """
    if template.reference is not None:
        raise UsageError(f"template '{template.name}' is aligned by {template.reference}: that form exists already, print that one")
    draft = out.with_name(f".{out.name}.part")
    try:
        draft.write_bytes(sheet_pdf(template))
        draft.replace(out)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"{out}: form cannot be written ({error.strerror or error}); give a place that can") from error


def sheet_pdf(template: Template) -> bytes:
    """The PDF's bytes; the same for the same template. Raises UsageError, MissingExtraError."""
    return _Sheet(template).pdf()


class _Sheet:
    """A page being drawn. Millimetres from the top left corner become points from the bottom left one."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.canvas = _canvas(template)
        self.font = _font(template)

    def pdf(self) -> bytes:
        template = self.template
        for marker in corner_markers(template.size, template.fingerprint):
            self._marker(marker)
        left, room = MARGIN_MM + MARKER_MM + 2 * QUIET_MM, template.size[0] - 2 * (MARGIN_MM + MARKER_MM + 2 * QUIET_MM)
        self._text(template.title, left, MARGIN_MM + TITLE_MM - 0.5, TITLE_MM, room)
        code = f"{template.name}  {template.fingerprint[:8].hex()}  one digit a box, pen or dark pencil"
        self._text(code, left, MARGIN_MM + MARKER_MM - 0.3, CODE_MM, room)
        for field in template.fields:
            self._field(field)
        self.canvas.showPage()
        data: bytes = self.canvas.getpdfdata()
        return data

    def _marker(self, marker: Marker) -> None:
        modules = marker.modules()
        step = marker.box[2] / len(modules)
        self.canvas.setFillGray(0.0)
        for row, line in enumerate(modules):
            black = [column for column, dark in enumerate(line) if dark]
            for column in black:
                # A hair wider than a module, or viewers show seams between them.
                self._box((marker.box[0] + column * step, marker.box[1] + row * step, step + 0.02, step + 0.02), fill=True)

    def _field(self, field: Field) -> None:
        x, y, width, _ = field.box
        self._text(field.label, x, y - LABEL_GAP_MM, LABEL_MM, width)
        self.canvas.setStrokeGray(FRAME_GREY)
        self.canvas.setLineWidth(FRAME_MM * POINTS_A_MM)
        for sign, box in field.slots or (("", field.box),):
            if sign in (CELL, ""):
                self._box(box, fill=False)
            elif sign != " ":
                self._text(sign, box[0] + box[2] * 0.3, box[1] + box[3] * 0.8, 0.5 * box[3], box[2])

    def _box(self, box: Box, *, fill: bool) -> None:
        x, y, width, height = (value * POINTS_A_MM for value in box)
        foot = self.template.size[1] * POINTS_A_MM - y - height
        self.canvas.rect(x, foot, width, height, stroke=0 if fill else 1, fill=1 if fill else 0)

    def _text(self, text: str, x: float, baseline: float, height: float, room: float) -> None:
        """One line; made smaller, down to SMALLEST_LABEL_MM, where it is wider than its room."""
        if not text:
            return
        size = height * POINTS_A_MM
        try:
            wide = self.canvas.stringWidth(text, self.font, size)
        except (UnicodeEncodeError, KeyError) as error:
            raise UsageError(
                f"'{text}': cannot be printed with {self.font}; name a TrueType font that has its letters as 'font:'"
            ) from error
        size = max(SMALLEST_LABEL_MM * POINTS_A_MM, size * min(1.0, room * POINTS_A_MM / max(wide, 1e-6)))
        self.canvas.setFillGray(0.0 if len(text) > 1 else FRAME_GREY)
        self.canvas.setFont(self.font, size)
        self.canvas.drawString(x * POINTS_A_MM, (self.template.size[1] - baseline) * POINTS_A_MM, text)


def _canvas(template: Template) -> Any:
    try:
        from reportlab.pdfgen.canvas import Canvas
    except ImportError as error:
        raise MissingExtraError('printing forms needs an extra; run: pip install "edge-digits[forms]"') from error
    size = tuple(side * POINTS_A_MM for side in template.size)
    canvas = Canvas("", pagesize=size, invariant=1, pageCompression=1)
    canvas.setTitle(template.title)
    canvas.setCreator("edge-digits form")
    return canvas


def _font(template: Template) -> str:
    """The name of the font that is printed with. Raises UsageError."""
    if template.font is None:
        return "Helvetica"
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    try:
        registerFont(TTFont(template.font.stem, str(template.font)))
    except (TTFError, OSError) as error:
        raise UsageError(f"{template.font}: font cannot be used ({error}); name a TrueType (.ttf) file") from error
    return template.font.stem
