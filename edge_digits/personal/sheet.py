"""The printed sheet that samples are written on: where its boxes and markers are, and its PDF.

One A4 page: a row for each digit, ten boxes to learn from and five, apart, to measure with. The four ArUco markers at its
corners (S. Garrido-Jurado et al., 2014) tell where the sheet lies in a photograph and which way up. The PDF is written here, in
vectors and with a font that every viewer has, so that printing a sheet needs no library.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.personal.prompts import TEST_EACH, TRAIN_EACH
from edge_digits.personal.samples import DIGITS, Split

PAGE_MM: Final = (210.0, 297.0)
MARKER_MM: Final = 13.0
MARKER_CELLS: Final = 6
"""Black border and 4x4 bits of DICT_4X4_50."""
MARKERS_MM: Final = ((10.0, 12.0), (187.0, 12.0), (187.0, 272.0), (10.0, 272.0))
"""Top left corner of markers 0 to 3, clockwise from the sheet's top left; 10 mm from the edge, which printers reach."""
BOX_MM: Final = (11.0, 18.0)
PITCH_MM: Final = (11.8, 21.4)
FIRST_BOX_MM: Final = (18.0, 48.0)
TEST_GAP_MM: Final = 4.0
INSET_MM: Final = 0.7
"""Of a box is looked at what lies so far inside: its line, and how far a bent sheet shifts it, stay out."""
POINTS_A_MM: Final = 72.0 / 25.4
LINE_GREY: Final = 0.62
"""Boxes are grey, so that a stroke that runs over one stays darker than it."""
TITLE: Final = "edge-digits: write one digit in each box, the row's own digit, as you always write it"
ADVICE: Final = (
    "A dark pen, inside the box; leave a box empty, or strike it through by filling it, if it went wrong.",
    "Photograph the whole sheet, flat, with its four markers. Then: edge-digits collect --from photo.jpg --out samples/",
)


@dataclass(frozen=True, slots=True)
class SheetBox:
    """One box. digit : 0..9. split : where its sample goes. box : x, y, width, height in mm from the sheet's top left."""

    digit: int
    split: Split
    box: tuple[float, float, float, float]


def sheet_boxes() -> list[SheetBox]:
    """All boxes, row by row."""
    boxes = []
    for digit in DIGITS:
        for column in range(TRAIN_EACH + TEST_EACH):
            split: Split = "train" if column < TRAIN_EACH else "test"
            left = FIRST_BOX_MM[0] + column * PITCH_MM[0] + (TEST_GAP_MM if split == "test" else 0.0)
            boxes.append(SheetBox(digit, split, (left, FIRST_BOX_MM[1] + digit * PITCH_MM[1], *BOX_MM)))
    return boxes


def marker_corners() -> NDArray[np.float32]:
    """Corners of the four markers in mm, float32 (4, 4, 2): marker, then clockwise from its top left; x, y."""
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32) * MARKER_MM
    return np.stack([square + np.array(corner, np.float32) for corner in MARKERS_MM])


def marker_dictionary() -> cv2.aruco.Dictionary:
    """The dictionary that the markers are of."""
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)


def sheet_pdf() -> bytes:
    """The sheet as a PDF of one A4 page."""
    marks = ["0 g"]
    for number, (x, y) in enumerate(MARKERS_MM):
        marks += _marker(number, x, y)
    marks += [_text(26.0, 18.0, 11.0, TITLE), *(_text(26.0, 23.5 + 4.5 * row, 8.5, line) for row, line in enumerate(ADVICE))]
    first, last = FIRST_BOX_MM[0], FIRST_BOX_MM[0] + TRAIN_EACH * PITCH_MM[0] + TEST_GAP_MM
    marks += [_text(first, 45.5, 8.0, "to learn from"), _text(last, 45.5, 8.0, "to measure with")]
    marks += [_text(10.5, FIRST_BOX_MM[1] + digit * PITCH_MM[1] + 11.5, 16.0, str(digit)) for digit in DIGITS]
    marks += [f"{LINE_GREY} G 0.7 w"]
    marks += [f"{_rectangle(*box.box)} S" for box in sheet_boxes()]
    return _one_page("\n".join(marks).encode("ascii"))


def _marker(number: int, x: float, y: float) -> list[str]:
    """Black cells of a marker, as filled rectangles."""
    cells = cv2.aruco.generateImageMarker(marker_dictionary(), number, MARKER_CELLS, borderBits=1)
    side = MARKER_MM / MARKER_CELLS
    # A hair wider than a cell: viewers draw a seam between rectangles that only touch.
    return [f"{_rectangle(x + column * side, y + row * side, side + 0.02, side + 0.02)} f" for row, column in np.argwhere(cells == 0)]


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    """PDF counts in points from the bottom left."""
    left, bottom = x * POINTS_A_MM, (PAGE_MM[1] - y - height) * POINTS_A_MM
    return f"{left:.2f} {bottom:.2f} {width * POINTS_A_MM:.2f} {height * POINTS_A_MM:.2f} re"


def _text(x: float, y: float, size: float, text: str) -> str:
    """Text whose first base line begins there; of plain letters, without brackets and backslashes."""
    return f"BT /F1 {size:g} Tf {x * POINTS_A_MM:.2f} {(PAGE_MM[1] - y) * POINTS_A_MM:.2f} Td ({text}) Tj ET"


def _one_page(content: bytes) -> bytes:
    """A PDF (ISO 32000-1) of one page with this content and the font Helvetica, which every viewer has."""
    packed = zlib.compress(content)
    width, height = (side * POINTS_A_MM for side in PAGE_MM)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.2f} {height:.2f}] /Contents 4 0 R "
        f"/Resources << /Font << /F1 5 0 R >> >> >>".encode("ascii"),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table) + tail
