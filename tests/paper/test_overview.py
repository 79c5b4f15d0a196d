"""The overview shows writing at one size and one darkness, whatever its own, and is not misled by what it hangs on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Glyphs, find_glyphs
from edge_digits.paper.ink import find_ink
from edge_digits.paper.overview import GLYPH_HEIGHT_PX, LARGEST_ENLARGEMENT, MOST_PIXELS, MULTIPLE, make_overview, writing_height
from edge_digits.paper.page import find_page
from edge_digits.sources.frame import Frame
from tests.strokes import draw_digit


def glyphs_of(height: int, ink: int = 30, size: tuple[int, int] = (900, 1200), line: bool = False) -> Glyphs:
    """Four digits of that height side by side on white paper; on a printed line where one is asked for."""
    picture = np.full(size, 235, np.uint8)
    x = 100
    for digit in (2, 3, 5, 7):
        drawn = draw_digit(digit, height, max(2, height // 10))
        h, w = drawn.shape
        part = picture[200 : 200 + h, x : x + w]
        part[...] = np.where(drawn > 128, ink, part)
        x += w + height // 2
    if line:
        picture[200 + round(0.95 * height) :][:3, 60 : x + 40] = ink
    return find_glyphs(find_ink(find_page(Frame(picture, "page", 1))))


def height_of_ink(picture: NDArray[np.uint8]) -> int:
    return int(np.ptp(np.flatnonzero((picture > 90).any(axis=1)))) + 1


@pytest.mark.parametrize("height", [24, 50, 120, 160])
def test_writing_comes_out_at_one_height(height: int) -> None:
    glyphs = glyphs_of(height)
    overview = make_overview(glyphs, writing_height(glyphs))
    assert height_of_ink(overview.picture) == pytest.approx(GLYPH_HEIGHT_PX, abs=3)
    assert overview.picture.dtype == np.uint8
    assert all(side % MULTIPLE == 0 for side in overview.picture.shape)
    assert overview.scale == pytest.approx(GLYPH_HEIGHT_PX / height, rel=0.3)


def test_faint_writing_comes_out_as_dark_as_black() -> None:
    darkness = []
    for ink in (30, 190):
        glyphs = glyphs_of(60, ink)
        picture = make_overview(glyphs, writing_height(glyphs)).picture
        darkness.append(float(np.percentile(picture[picture > 40], 90)))
    assert darkness[0] == pytest.approx(darkness[1], rel=0.25)


def test_a_line_below_the_digits_does_not_change_their_height() -> None:
    alone, on_line = glyphs_of(50), glyphs_of(50, line=True)
    assert writing_height(on_line) == pytest.approx(writing_height(alone), rel=0.25)


def test_time_stays_bounded_on_a_page_of_tiny_writing() -> None:
    glyphs = glyphs_of(16, size=(1600, 1600))
    picture = make_overview(glyphs, 1.0).picture
    assert picture.size <= MOST_PIXELS * 1.05
    assert make_overview(glyphs, 1.0).scale <= LARGEST_ENLARGEMENT


def test_a_page_without_writing() -> None:
    glyphs = find_glyphs(find_ink(find_page(Frame(np.full((300, 400), 235, np.uint8), "blank", 1))))
    assert writing_height(glyphs) == 1.0
    assert not make_overview(glyphs, writing_height(glyphs)).picture.any()
