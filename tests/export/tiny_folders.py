"""Data folders of a few files: cheque fields in their archive, letters in a file of mined glyphs, pages of text."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.strokes import draw_digit


def write_cheques(data: Path, count: int = 12, part: str = "train") -> Path:
    """An archive of fields on each of which 3, 7 and 5 stand; returns its path."""
    labels: dict[str, Any] = {}
    path = data / "orand_car_a" / "orand_car_a.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(count):
            field = np.full((60, 170), 230, np.uint8)
            boxes = []
            for at, digit in enumerate((3, 7, 5)):
                ink = draw_digit(digit, 40, 4)
                x, y, (h, w) = 12 + 50 * at, 8 + index % 5, ink.shape
                field[y : y + h, x : x + w] = 230 - ink // 5 * 4
                boxes.append([x, y, w, h, digit])
            name = f"{part}/{index:03d}.png"
            archive.writestr(name, cv2.imencode(".png", field)[1].tobytes())
            labels[name] = {"string": "375", "boxes_xywh_digit": boxes}
        archive.writestr("labels.json", json.dumps(labels))
    return path


def write_text_pages(data: Path, count: int = 12) -> list[Path]:
    """Photographs of a line of letters."""
    (data / "paper").mkdir(parents=True, exist_ok=True)
    paths = [data / "paper" / f"donut_{index:02d}.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        page = np.full((120, 300), 240 - index, np.uint8)
        cv2.putText(page, "heading", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 30, 4, cv2.LINE_AA)
        cv2.imwrite(str(path), page)
    return paths


def write_letters(path: Path, count: int = 60) -> Path:
    """Mined glyphs: crosses of several sizes."""
    glyphs = []
    for index in range(count):
        glyph = np.zeros((20 + index % 9, 16 + index % 5), np.uint8)
        glyph[:, 6:9] = 255
        glyph[4 + index % 7 : 7 + index % 7] = 255
        glyphs.append(glyph)
    pixels = np.concatenate([glyph.ravel() for glyph in glyphs])
    np.savez(path, pixels=pixels, shapes=np.array([glyph.shape for glyph in glyphs], np.int32))
    return path
