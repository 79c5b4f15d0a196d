"""One glyph from a picture of one digit: whatever the polarity, light, size and dust."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_digits.paper.single import LARGEST_SIDE_PX, find_single_glyph
from edge_digits.paper.tiles import make_tile
from tests.strokes import draw_digit

Picture = NDArray[np.uint8]


def on_paper(digit: int, paper: int = 230, ink: int = 40, side: int = 160) -> Picture:
    """A digit in the middle of a square of paper."""
    glyph = draw_digit(digit, side // 2, side / 20)
    share = np.zeros((side, side), np.float32)
    top, left = (side - glyph.shape[0]) // 2, (side - glyph.shape[1]) // 2
    share[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph / 255.0
    return np.rint(paper + (ink - paper) * share).astype(np.uint8)


def difference(first: Picture, second: Picture) -> float:
    """Share of the ink that two tiles do not have in common."""
    a, b = first.astype(int), second.astype(int)
    return float(np.abs(a - b).sum() / (a + b).sum())


@pytest.mark.parametrize("digit", range(10))
def test_every_polarity_gives_the_same_glyph(digit: int) -> None:
    pen, chalk, canvas = (find_single_glyph(picture) for picture in (on_paper(digit), on_paper(digit, 60, 200), on_paper(digit, 0, 255)))
    assert difference(pen, chalk) < 0.05
    assert difference(pen, canvas) < 0.05
    assert pen.max() == 255


def test_a_slope_of_light_is_divided_out() -> None:
    slope = np.linspace(1.0, 0.55, 160)[None, :]
    even = on_paper(5)
    sloped = np.rint(even * slope).astype(np.uint8)
    assert difference(make_tile(find_single_glyph(even)), make_tile(find_single_glyph(sloped))) < 0.06


def test_dust_and_neighbours_are_left_out() -> None:
    clean = on_paper(3)
    dirty = clean.copy()
    dirty[8:11, 20:23] = 40
    dirty[60:110, :6] = 40
    expected, found = find_single_glyph(clean), find_single_glyph(dirty)
    assert found.any()
    assert (found[8:11, 20:23] == 0).all()
    assert (found[60:110, :6] == 0).all()
    assert difference(make_tile(expected), make_tile(found)) < 0.02


def test_the_detached_bar_of_a_five_is_kept() -> None:
    picture = np.full((120, 120), 230, np.uint8)
    cv2.ellipse(picture, (55, 75), (22, 22), 0, -120, 130, 40, 7)
    cv2.line(picture, (62, 25), (90, 25), 40, 7)
    assert find_single_glyph(picture)[22:28, 65:88].all()


def test_a_tight_crop_is_ink_too() -> None:
    tight = 255 - draw_digit(7, 90, 8)[4:-4, 4:-4]
    assert find_single_glyph(tight).any()


def test_an_mnist_tile_comes_through_nearly_as_it_is() -> None:
    tile = make_tile(draw_digit(8, 100, 12))
    assert difference(tile, make_tile(find_single_glyph(tile))) < 0.05


def test_colour_is_read_as_grey() -> None:
    blue_on_white = np.full((100, 100, 3), 240, np.uint8)
    cv2.line(blue_on_white, (50, 15), (45, 85), (160, 40, 20), 6)
    glyph = find_single_glyph(blue_on_white)
    assert glyph.shape == (100, 100)
    assert glyph[50, 47] == 255


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (28, 28), (300, 40)])
def test_plain_pictures_hold_no_ink(level: int, shape: tuple[int, int]) -> None:
    assert not find_single_glyph(np.full(shape, level, np.uint8)).any()


def test_large_pictures_are_brought_down() -> None:
    glyph = find_single_glyph(on_paper(2, side=1500))
    assert max(glyph.shape) == LARGEST_SIDE_PX
    assert difference(make_tile(glyph), make_tile(find_single_glyph(on_paper(2)))) < 0.1


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_noise_never_breaks_it(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    glyph = find_single_glyph(noise)
    assert glyph.shape == noise.shape
    assert glyph.dtype == np.uint8
