"""Formats of archives: ALTO XML, hOCR, and a PDF of the pages with what was read printed over them.

ALTO 4.2 (Library of Congress; 4.3 and 4.4 only add to it) and hOCR 1.2, as XHTML, say where each number and digit stands;
viewers of digital libraries take them. Boxes are in pixels of the picture. ReportLab writes the PDF.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

import cv2

from edge_digits._version import __version__
from edge_digits.batch.page_pictures import PagePictures, Picture
from edge_digits.batch.rows import is_doubtful
from edge_digits.batch.workbook import printable
from edge_digits.errors import MissingExtraError

ALTO_NAMESPACE: Final = "http://www.loc.gov/standards/alto/ns-v4#"
XHTML_NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
LONGEST_PAGE_POINTS: Final = 842.0
"""Long side of a page of the PDF: A4. What resolution a photograph has on paper nobody knows."""
LONGEST_PICTURE_PX: Final = 2200
JPEG_QUALITY: Final = 80
SURE_COLOUR: Final = (0.0, 0.45, 0.0)
DOUBTFUL_COLOUR: Final = (0.85, 0.0, 0.0)

Entry = Mapping[str, Any]


def write_alto(draft: Path, entries: Iterable[Entry]) -> None:
    """One ALTO document: a Page for each page, its file as PAGECLASS; a String for each number, a Glyph for each digit and sign."""
    with draft.open("w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<alto xmlns="{ALTO_NAMESPACE}" SCHEMAVERSION="4.2">\n')
        file.write("<Description><MeasurementUnit>pixel</MeasurementUnit>")
        file.write('<Processing ID="reading"><processingSoftware><softwareName>edge_digits</softwareName>')
        file.write(f"<softwareVersion>{__version__}</softwareVersion></processingSoftware></Processing></Description>\n<Layout>\n")
        for index, entry in enumerate(entries, 1):
            file.write(_alto_page(entry, index))
        file.write("</Layout>\n</alto>\n")


def _alto_page(entry: Entry, index: int) -> str:
    page = f'<Page ID="p{index}" PHYSICAL_IMG_NR="{entry.get("page", 1)}" PAGECLASS="{_in_xml(entry["source"])}"'
    if "error" in entry:
        why = f"{entry['error']['type']}: {entry['error']['message']}"
        return f'{page} QUALITY="Missing" QUALITY_DETAIL="{_in_xml(why)}"/>\n'
    size = f'WIDTH="{entry["width"]}" HEIGHT="{entry["height"]}"'
    parts = [f"{page} {size}>"]
    if entry["lines"]:
        parts.append(f'<PrintSpace HPOS="0" VPOS="0" {size}><TextBlock ID="p{index}b">')
        for place, line in enumerate(entry["lines"], 1):
            parts.append(f'<TextLine ID="p{index}l{place}" {_alto_box(line["box"])}>')
            parts += [_alto_string(number, f"p{index}l{place}n{at}") for at, number in enumerate(line["numbers"], 1)]
            parts.append("</TextLine>")
        parts.append("</TextBlock></PrintSpace>")
    parts.append("</Page>\n")
    return "".join(parts)


def _alto_string(number: Mapping[str, Any], name: str) -> str:
    said = f'CONTENT="{_in_xml(number["text"])}" WC="{number["confidence"]:.4f}"'
    glyphs = "".join(f'<Glyph ID="{name}g{index}" {glyph}' for index, glyph in enumerate(_alto_glyphs(number), 1))
    return f'<String ID="{name}" {said} {_alto_box(number["box"])}>{glyphs}</String>'


def _alto_glyphs(number: Mapping[str, Any]) -> Iterator[str]:
    """Digits and the signs between them in their order, what else an unsure digit may be as its Variants."""
    for place, digit in enumerate(number["digits"]):
        for sign in number.get("signs", ()):
            if sign["before"] == place:
                yield f'CONTENT="{_in_xml(sign["sign"])}" {_alto_box(sign["box"])}/>'
        said = f'CONTENT="{"?" if digit["digit"] is None else digit["digit"]}" GC="{digit["confidence"]:.4f}" {_alto_box(digit["box"])}'
        variants = "".join(f'<Variant CONTENT="{v["digit"]}" VC="{v["confidence"]:.4f}"/>' for v in digit.get("candidates", ()))
        yield f"{said}>{variants}</Glyph>" if variants else f"{said}/>"


def _alto_box(box: list[int]) -> str:
    x, y, width, height = box
    return f'HPOS="{x}" VPOS="{y}" WIDTH="{width}" HEIGHT="{height}"'


def write_hocr(draft: Path, entries: Iterable[Entry]) -> None:
    """One hOCR document: an ocr_page for each page, an ocr_line for each line, an ocrx_word for each number."""
    with draft.open("w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n<html xmlns="{XHTML_NAMESPACE}">\n<head>')
        file.write('<meta http-equiv="Content-Type" content="text/html; charset=utf-8"/><title>edge_digits</title>')
        file.write(f'<meta name="ocr-system" content="edge_digits {__version__}"/>')
        file.write('<meta name="ocr-capabilities" content="ocr_page ocr_line ocrx_word ocrp_wconf"/></head>\n<body>\n')
        for index, entry in enumerate(entries, 1):
            file.write(_hocr_page(entry, index))
        file.write("</body>\n</html>\n")


def _hocr_page(entry: Entry, index: int) -> str:
    name = _in_xml('"' + entry["source"].replace('"', "'") + '"')
    if "error" in entry:
        return f'<div class="ocr_page" id="page_{index}" title="image {name}"></div>\n'
    size = f"bbox 0 0 {entry['width']} {entry['height']}; ppageno {entry['page'] - 1}"
    parts = [f'<div class="ocr_page" id="page_{index}" title="image {name}; {size}">\n']
    for place, line in enumerate(entry["lines"], 1):
        words = " ".join(
            f'<span class="ocrx_word" id="word_{index}_{place}_{at}" title="{_hocr_box(number["box"])}; '
            f'x_wconf {round(100 * number["confidence"])}">{_in_xml(number["text"])}</span>'
            for at, number in enumerate(line["numbers"], 1)
        )
        parts.append(f'<span class="ocr_line" id="line_{index}_{place}" title="{_hocr_box(line["box"])}">{words}</span><br/>\n')
    parts.append("</div>\n")
    return "".join(parts)


def _hocr_box(box: list[int]) -> str:
    x, y, width, height = box
    return f"bbox {x} {y} {x + width} {y + height}"


def _in_xml(text: str) -> str:
    """The text as content or attribute of XML."""
    return escape(printable(text), quote=True)


def load_reportlab() -> Any:
    """The canvas of the library. Raises MissingExtraError."""
    try:
        from reportlab.lib.utils import ImageReader
        from reportlab.pdfgen.canvas import Canvas
    except ImportError as error:
        raise MissingExtraError('annotated PDF needs an extra; run: pip install "edge-digits[forms]"') from error
    return Canvas, ImageReader


def write_pdf(draft: Path, entries: Iterable[Entry]) -> None:
    """The pages with each number printed above its digits, green when sure, red when doubtful; the numbers can be searched."""
    canvas_of, image_of = load_reportlab()
    with draft.open("wb") as file:
        canvas, pictures = canvas_of(file, invariant=1), PagePictures()
        canvas.setCreator(f"edge_digits {__version__}")
        for entry in entries:
            if "error" in entry:
                _print_error(canvas, entry)
            else:
                _print_page(canvas, image_of, entry, pictures.picture(entry))
            canvas.showPage()
        canvas.save()


def _print_page(canvas: Any, image_of: Any, entry: Entry, picture: Picture | None) -> None:
    scale = LONGEST_PAGE_POINTS / max(entry["width"], entry["height"])
    width, height = entry["width"] * scale, entry["height"] * scale
    canvas.setPageSize((width, height))
    if picture is not None:
        canvas.drawImage(image_of(io.BytesIO(_jpeg(picture))), 0, 0, width, height)
    for number in (number for line in entry["lines"] for number in line["numbers"]):
        x, y, w, h = (value * scale for value in number["box"])
        canvas.setStrokeColorRGB(*(DOUBTFUL_COLOUR if is_doubtful(number) else SURE_COLOUR))
        canvas.setFillColorRGB(*(DOUBTFUL_COLOUR if is_doubtful(number) else SURE_COLOUR))
        canvas.setLineWidth(0.5)
        canvas.rect(x - 1, height - y - h - 1, w + 2, h + 2, stroke=1, fill=0)
        size = max(4.0, min(0.8 * h, 14.0))
        canvas.setFont("Helvetica", size)
        canvas.drawString(x, min(height - size, height - y + 2), number["text"])


def _print_error(canvas: Any, entry: Entry) -> None:
    canvas.setPageSize((595.0, 842.0))
    canvas.setFillColorRGB(*DOUBTFUL_COLOUR)
    canvas.setFont("Helvetica", 10)
    lines = [entry["source"], f"{entry['error']['type']}:", entry["error"]["message"]]
    for index, text in enumerate(lines):
        # The standard fonts have Latin letters only.
        canvas.drawString(40, 780 - 16 * index, text.encode("latin-1", "replace").decode("latin-1")[:120])


def _jpeg(picture: Picture) -> bytes:
    scale = min(1.0, LONGEST_PICTURE_PX / max(picture.shape[:2]))
    small = picture if scale == 1.0 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
