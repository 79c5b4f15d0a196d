"""Filled sheets for tests: printed, written on with digits of the package's reserve, seen flat or from the side."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.forms.printing import sheet_pdf
from edge_digits.forms.template import Template
from edge_digits.personal.reserve import load_reserve

PX_A_MM = 8.0

SMALL = """
name: small
title: Meter
page: a5
fields:
  - {name: date, box: [20, 32, 60, 8], cells: "##/##/####", expect: "date:dmy", required: true}
  - {name: count, box: [20, 50, 28, 8], cells: 4, rows: 3, pitch: 12}
  - {name: weight, box: [60, 50, 40, 8], cells: "###.##"}
  - {name: total, box: [20, 95, 35, 8], cells: 5}
  - {name: number, box: [80, 95, 42, 8], cells: 6}
checks:
  - {sum: count, equals: total}
  - {check_digit: luhn, field: number}
"""
VALUES = {
    "date": "03042021",
    "count_1": "  12",
    "count_2": " 340",
    "count_3": "   5",
    "weight": " 7150",
    "total": "  357",
    "number": "123455",
}


def write_template(folder: Path, text: str = SMALL, name: str = "form.yaml") -> Path:
    """The template as a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def blank_sheet(template: Template) -> NDArray[np.uint8]:
    """The printed sheet, uint8 (h, w), PX_A_MM pixels a millimetre."""
    pytest.importorskip("reportlab")
    documents = pytest.importorskip("pypdfium2")
    document = documents.PdfDocument(sheet_pdf(template))
    page = document[0].render(scale=PX_A_MM * 25.4 / 72, grayscale=True).to_numpy()
    document.close()
    return np.ascontiguousarray(page.reshape(page.shape[:2]), np.uint8)


def filled_sheet(template: Template, values: dict[str, str]) -> NDArray[np.uint8]:
    """The sheet with a digit for each cell, blanks left empty; uint8 (h, w)."""
    sheet = blank_sheet(template)
    for field in template.fields:
        for text, (x, y, w, h) in zip(values.get(field.name, ""), field.cells, strict=False):
            if text != " ":
                write_digit(sheet, int(text), ((x + w / 2) * PX_A_MM, (y + h / 2) * PX_A_MM), 0.7 * h * PX_A_MM)
    return sheet


def write_digit(sheet: NDArray[np.uint8], digit: int, middle: tuple[float, float], height_px: float) -> None:
    """A clear digit of the reserve, black, in place."""
    tile = clearest()[digit]
    scale = height_px / 20.0
    side = round(28 * scale)
    ink = cv2.resize(tile, (side, side), interpolation=cv2.INTER_CUBIC)
    left, top = round(middle[0] - side / 2), round(middle[1] - side / 2)
    part = sheet[top : top + side, left : left + side]
    np.minimum(part, 255 - (ink * 0.85).astype(np.uint8), out=part)


@cache
def clearest() -> tuple[NDArray[np.uint8], ...]:
    """For each digit the tile of the reserve nearest to the mean of its kind."""
    reserve = load_reserve()
    found = []
    for digit in range(10):
        own = reserve.tiles[reserve.labels == digit].astype(np.float32)
        found.append(own[np.abs(own - own.mean(axis=0)).mean(axis=(1, 2)).argmin()].astype(np.uint8))
    return tuple(found)


def photographed(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The sheet on a dark desk, seen from the side and turned by about 100 degrees; uint8 (1400, 1500)."""
    h, w = sheet.shape
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    seen = np.array([[1330, 180], [1400, 1180], [120, 1300], [200, 90]], np.float32)
    warp = cv2.getPerspectiveTransform(corners, seen)
    photo = cv2.warpPerspective(sheet, warp, (1500, 1400), flags=cv2.INTER_AREA, borderValue=60)
    shade = np.linspace(0.65, 1.0, 1500, dtype=np.float32)[None]
    noise = np.random.default_rng(4).normal(0, 3, photo.shape)
    return np.clip(photo * shade + noise, 0, 255).astype(np.uint8)
