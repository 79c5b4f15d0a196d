"""Glyphs seen from further away: as properties of any page, and on drawn digits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Hypothesis
from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.paper.surroundings import FULL_CONTRAST, GLYPH_SIDE_PX, PATCH_SHAPE, make_surroundings
from tests.strokes import draw_digit

Grey = NDArray[np.uint8]

any_page = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(lambda shape: arrays(np.uint8, shape))
shares = st.floats(0, 1)


def ink_of(darkness: Grey) -> Ink:
    page = Page(255 - darkness, np.eye(3), (darkness.shape[1], darkness.shape[0]), False)
    return Ink(darkness, darkness, np.zeros_like(darkness), 1.0, page)


def glyph_at(darkness: Grey, box: tuple[int, int, int, int]) -> Hypothesis:
    x, y, w, h = box
    return Hypothesis(0, 0, 0, box, np.where(darkness[y : y + h, x : x + w] > 0, 255, 0).astype(np.uint8))


def digit_page(digit: int = 3, neighbour: bool = False, at: int = 32) -> tuple[Grey, Hypothesis]:
    """A digit 48 pixels high on a page of 192 by 192, its box's corner at (64, 64 + at - 32)."""
    page = np.zeros((192, 192), np.uint8)
    ink = draw_digit(digit, 48, 5)
    box = 64, 32 + at, ink.shape[1], ink.shape[0]
    page[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = ink
    hypothesis = glyph_at(page, box)
    if neighbour:
        page[70:100, 130:136] = 255
    return page, hypothesis


def look(page: Grey, hypothesis: Hypothesis, height: float = 48.0) -> Grey:
    return make_surroundings(ink_of(page), [hypothesis], height)[0]


def difference(a: Grey, b: Grey) -> float:
    return float(np.abs(a.astype(int) - b).mean())


@given(any_page, shares, shares, shares, shares, st.sampled_from([0.0, 1.0, 20.0, 5000.0]))
@settings(max_examples=60)
def test_any_page_gives_patches(page: Grey, left: float, top: float, right: float, bottom: float, height: float) -> None:
    x, y = int(left * (page.shape[1] - 1)), int(top * (page.shape[0] - 1))
    box = x, y, 1 + int(right * (page.shape[1] - x - 1)), 1 + int(bottom * (page.shape[0] - y - 1))
    before = page.copy()
    patch = look(page, glyph_at(page, box), height)
    assert (patch.shape, patch.dtype) == ((2, *PATCH_SHAPE), np.uint8)
    assert (page == before).all()
    rows, columns = np.flatnonzero(patch[1].any(axis=1)), np.flatnonzero(patch[1].any(axis=0))
    if rows.size:
        assert rows[-1] - rows[0] < GLYPH_SIDE_PX
        assert columns[-1] - columns[0] < GLYPH_SIDE_PX
        for found, side in ((rows, PATCH_SHAPE[0]), (columns, PATCH_SHAPE[1])):
            assert (side - GLYPH_SIDE_PX) // 2 <= found[0]
            assert found[-1] < (side + GLYPH_SIDE_PX + 1) // 2


@given(st.integers(0, 9), st.integers(1, 3))
def test_beyond_the_edge_is_paper(digit: int, steps: int) -> None:
    page, hypothesis = digit_page(digit)
    margin = 32 * steps
    x, y, w, h = hypothesis.box
    moved = Hypothesis(0, 0, 0, (x + margin, y + margin, w, h), hypothesis.picture)
    assert difference(look(np.pad(page, margin), moved), look(page, hypothesis)) < 0.5
    cut = np.ascontiguousarray(page[y : y + h, x : x + w])
    alone = look(cut, Hypothesis(0, 0, 0, (0, 0, w, h), hypothesis.picture))
    assert difference(alone, look(page, hypothesis)) < 1.5


@given(st.integers(0, 9), st.floats(0.3, 1.0))
@settings(max_examples=30)
def test_faint_ink_looks_like_dark_ink(digit: int, strength: float) -> None:
    page, hypothesis = digit_page(digit, neighbour=True)
    faint = np.rint(page * strength).astype(np.uint8)
    assert difference(look(faint, hypothesis)[0], look(page, hypothesis)[0]) < 1.0


@given(st.integers(0, 9), st.sampled_from([2, 3, 4, 8]))
@settings(max_examples=30)
def test_scale_changes_almost_nothing(digit: int, factor: int) -> None:
    page, hypothesis = digit_page(digit, neighbour=True)
    large = np.asarray(cv2.resize(page, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST), np.uint8)
    box = tuple(factor * side for side in hypothesis.box)
    picture = np.asarray(cv2.resize(hypothesis.picture, box[2:], interpolation=cv2.INTER_NEAREST), np.uint8)
    enlarged = Hypothesis(0, 0, 0, box, picture)  # type: ignore[arg-type]
    assert difference(look(large, enlarged, 48.0 * factor), look(page, hypothesis)) < 4.0


def test_the_first_channel_shows_the_neighbours_and_the_second_does_not() -> None:
    page, hypothesis = digit_page(neighbour=True)
    alone, lonely = digit_page()
    beside, bare = look(page, hypothesis), look(alone, lonely)
    assert (beside[1] == bare[1]).all()
    # The bar stands right of the glyph, 66 to 72 page pixels from its left side.
    right = [np.flatnonzero((patch[0] > 100).any(axis=0))[-1] - PATCH_SHAPE[1] / 2 for patch in (beside, bare)]
    assert right[1] < GLYPH_SIDE_PX / 2 < right[0]


@pytest.mark.parametrize("level", [20, 120, 255])
def test_the_glyphs_own_darkness_is_the_measure(level: int) -> None:
    page = np.zeros((160, 160), np.uint8)
    page[60:100, 60:100] = level
    patch = look(page, glyph_at(page, (60, 60, 40, 40)), 40.0)
    middle = patch[0, PATCH_SHAPE[0] // 2, PATCH_SHAPE[1] // 2]
    assert int(middle) == pytest.approx(255 * FULL_CONTRAST, abs=1)
    assert np.count_nonzero(patch[0] > 102) == pytest.approx(GLYPH_SIDE_PX**2, abs=2 * GLYPH_SIDE_PX)


def test_a_point_stays_small() -> None:
    page = np.zeros((96, 96), np.uint8)
    page[50:54, 50:54] = 200
    patch = look(page, glyph_at(page, (50, 50, 4, 4)), 40.0)
    assert np.count_nonzero(patch[1]) <= 3 * 3
    assert np.count_nonzero(look(page, glyph_at(page, (50, 50, 4, 4)), 4.0)[1]) > 10 * 10


def test_many_patches_are_what_each_is_alone() -> None:
    page = np.zeros((256, 256), np.uint8)
    boxes = [(8, 8, 6, 9), (20, 20, 150, 170), (200, 30, 20, 40), (0, 200, 256, 56)]
    rng = np.random.default_rng(4)
    for x, y, w, h in boxes:
        page[y : y + h, x : x + w] = rng.integers(0, 256, (h, w))
    hypotheses = [glyph_at(page, box) for box in boxes]
    together = make_surroundings(ink_of(page), hypotheses, 30.0)
    assert all((patch == look(page, hypothesis, 30.0)).all() for patch, hypothesis in zip(together, hypotheses, strict=True))


def test_no_glyphs_no_patches() -> None:
    assert make_surroundings(ink_of(np.zeros((40, 40), np.uint8)), [], 0.0).shape == (0, 2, *PATCH_SHAPE)


def test_a_glyph_without_ink_is_an_empty_patch() -> None:
    page = np.zeros((40, 40), np.uint8)
    assert not look(page, glyph_at(page, (10, 10, 5, 9)), 20.0).any()
