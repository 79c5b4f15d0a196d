"""Photographs of real paper, read end to end. Digits, order and places are compared, never pixels.

A page that fails is saved with what was found drawn on it, under the path that the message names.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits import Reader, Reading
from edge_digits.reading.draw import annotate
from edge_digits.sources.frame import Frame
from tests.picture_files import encode, jpeg_oriented

EASY = [
    "001.jpg",  # grey paper, fold shadow, low contrast
    "006.jpg",  # 300x121 pixels, thin blue pen
    "008.jpg",
    "023.jpg",
    "024.jpg",
    "025.png",
    "033.jpg",
    "080.jpg",  # fifty digits in rows
    "082.jpg",
    "100.png",  # one digit
    "128.png",
    "132.jpg",
]


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One reader for all pages."""
    return Reader(threads=1)


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict[str, list[str]]:
    """Name -> transcribed lines, without spaces."""
    pages = json.loads((shared / "pages" / "truth.json").read_text(encoding="utf-8"))
    assert all(pages[name]["half"] == "tune" for name in EASY)
    return {name: [line.replace(" ", "") for line in pages[name]["lines"]] for name in EASY}


def lines(reading: Reading) -> list[str]:
    """Lines without spaces."""
    return [line.text.replace(" ", "") for line in reading.lines]


@pytest.mark.parametrize("name", EASY)
def test_an_easy_page_is_read_without_a_mistake(
    name: str, reader: Reader, truth: dict[str, list[str]], shared: Path, tmp_path: Path
) -> None:
    picture = cv2.imread(str(shared / "pages" / name))
    reading = reader.read(shared / "pages" / name)
    seen = tmp_path / f"{Path(name).stem}-read.png"
    cv2.imwrite(str(seen), annotate(Frame.from_array(picture), reading))
    assert lines(reading) == truth[name], f"see {seen}"
    assert (reading.height, reading.width) == picture.shape[:2]


@pytest.mark.parametrize("name", EASY)
def test_boxes_lie_around_ink_in_reading_order(name: str, reader: Reader, shared: Path) -> None:
    grey = cv2.imread(str(shared / "pages" / name), cv2.IMREAD_GRAYSCALE)
    reading = reader.read(shared / "pages" / name)
    for line in reading.lines:
        boxes = [digit.box for number in line.numbers for digit in number.digits]
        centres = [x + width / 2 for x, _, width, _ in boxes]
        assert centres == sorted(centres)
        for x, y, width, height in boxes:
            assert 0 <= x < x + width <= grey.shape[1]
            assert 0 <= y < y + height <= grey.shape[0]
            # Ink inside, paper around: the darkest of the box is darker than the middle of its surroundings.
            margin = max(width, height) // 2
            around = grey[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
            assert grey[y : y + height, x : x + width].min() < np.median(around) - 20


def test_boxes_are_in_the_pixels_of_the_picture_as_it_is_shown(reader: Reader, shared: Path) -> None:
    upright = cv2.imread(str(shared / "pages" / "023.jpg"))
    turned = jpeg_oriented(encode("JPEG", np.ascontiguousarray(np.rot90(upright))), 6)
    plain, shown = reader.read(encode("JPEG", upright)), reader.read(turned)
    assert (shown.width, shown.height) == (plain.width, plain.height)
    assert lines(shown) == lines(plain)
    assert boxes_of(shown) == pytest.approx(boxes_of(plain), abs=3)


def test_boxes_grow_with_the_picture(reader: Reader, shared: Path) -> None:
    small = cv2.imread(str(shared / "pages" / "001.jpg"))
    large = cv2.resize(small, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    one, other = reader.read(small), reader.read(large)
    assert lines(one) == lines(other)
    assert boxes_of(other) == pytest.approx(1.5 * boxes_of(one), abs=0.02 * max(large.shape))


def boxes_of(reading: Reading) -> np.ndarray:
    """All digits' boxes, float (n, 4)."""
    return np.array([digit.box for digit in reading.digits], np.float64)
