"""The corridor: any picture goes through it, the same from every side, from several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_digits import InputError, Reader, UsageError
from edge_digits.options import Options, ReadingOptions
from tests.command_line import LINES
from tests.strokes import draw_page


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One reader for all tests here: built once, as users are told."""
    return Reader(threads=1)


def test_paths_bytes_and_arrays_give_the_same(reader: Reader, good: Path) -> None:
    grey = cv2.imread(str(good), cv2.IMREAD_GRAYSCALE)
    sources = [good, str(good), good.read_bytes(), grey, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)]
    readings = [reader.read(source) for source in sources]
    assert [reading.text for reading in readings] == ["\n".join(LINES)] * len(sources)
    assert len({reading.lines for reading in readings}) == 1
    assert [reading.source for reading in readings] == [str(good), str(good), "bytes", "array", "array"]


def test_a_reading_says_how_it_came_about(reader: Reader, good: Path) -> None:
    reading = reader.read(good)
    assert (reading.width, reading.height, reading.page) == (1000, 700, 1)
    assert [number.value for number in reading.numbers] == ["407", "1892", "35"]
    assert [digit.digit for digit in reading.digits] == [4, 0, 7, 1, 8, 9, 2, 3, 5]
    assert list(reading.elapsed_ms)[:5] == ["source", "page", "ink", "glyphs", "tiles"]


def test_every_page_goes_through_the_same_stages(reader: Reader, good: Path) -> None:
    blank = reader.read(np.full((300, 400), 240, np.uint8))
    assert blank.text == ""
    assert set(blank.elapsed_ms) == set(reader.read(good).elapsed_ms)


def test_the_array_is_left_as_it_was(reader: Reader) -> None:
    picture = draw_page(LINES)
    before = picture.copy()
    picture.flags.writeable = False
    reader.read(picture)
    assert (picture == before).all()


def test_several_threads_read_as_one(reader: Reader) -> None:
    pages = [draw_page([str(number)]) for number in (407, 1892, 35, 6013) * 4]
    alone = [reader.read(page).lines for page in pages]
    with ThreadPoolExecutor(4) as pool:
        together = [reading.lines for reading in pool.map(reader.read, pages)]
    assert together == alone


def test_a_threshold_of_its_own() -> None:
    unsure = Reader(threads=1, min_confidence=1.0).read(draw_page(LINES))
    assert sum(digit.digit is None for digit in unsure.digits) > len(unsure.digits) / 2
    sure = Reader(options=Options(reading=ReadingOptions(min_confidence=0.0))).read(draw_page(LINES))
    assert all(digit.digit is not None for digit in sure.digits)


def test_options_are_checked_when_the_reader_is_built() -> None:
    with pytest.raises(UsageError, match="min-confidence is 2"):
        Reader(min_confidence=2)


def test_errors_are_builtins_too(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        reader.read(tmp_path / "missing.png")
    with pytest.raises(InputError):
        reader.read(b"")


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 5000), (5000, 1), (3, 4000), (4000, 3), (7, 7), (30, 3000), (11, 320), (1500, 20)]
)
@pytest.mark.parametrize("content", ["paper", "ink", "noise", "lines"])
def test_a_picture_of_any_shape_is_read(reader: Reader, shape: tuple[int, int], content: str) -> None:
    noise = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    rows = np.arange(shape[0], dtype=np.uint8)[:, None]
    pictures = {"paper": np.full(shape, 240, np.uint8), "ink": np.zeros(shape, np.uint8), "noise": noise}
    pictures["lines"] = np.broadcast_to(np.where(rows % 4 < 1, np.uint8(30), np.uint8(230)), shape).copy()
    check_boxes(reader, pictures[content])


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 255), st.integers(0, 255), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_blots_are_read_without_a_fall(reader: Reader, height: int, width: int, paper: int, ink: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    picture = np.full((height, width), paper, np.uint8)
    for _ in range(int(chance.integers(1, 8))):
        x, y, radius = (int(chance.integers(0, limit)) for limit in (width, height, 30))
        cv2.circle(picture, (x, y), radius, ink, int(chance.integers(-1, 5)) or 1)
    check_boxes(reader, picture)


def check_boxes(reader: Reader, picture: NDArray[np.uint8]) -> None:
    """Every digit found lies on the picture."""
    reading = reader.read(picture)
    for digit in reading.digits:
        x, y, width, height = digit.box
        assert 0 <= x < x + width <= picture.shape[1]
        assert 0 <= y < y + height <= picture.shape[0]
        assert 0.0 <= digit.confidence <= 1.0
