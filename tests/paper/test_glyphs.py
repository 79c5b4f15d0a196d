"""Glyphs are proposed whole, cut and joined; no ink is lost, and nothing is proposed where nothing is written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_digits.paper.glyphs import LONGEST_RUN, MOST_PIECES, Glyphs, find_glyphs
from edge_digits.paper.ink import find_ink
from edge_digits.paper.page import find_page
from edge_digits.paper.touching import find_cuts, split_touching
from edge_digits.sources.frame import Frame
from tests.strokes import draw_digit, draw_page

Grey = NDArray[np.uint8]


def glyphs_of(picture: Grey) -> Glyphs:
    return find_glyphs(find_ink(find_page(Frame.from_array(picture))))


def on_paper(ink: Grey) -> Grey:
    """Ink in the middle of a white sheet."""
    sheet = np.full((ink.shape[0] + 200, ink.shape[1] + 400), 240, np.uint8)
    sheet[100 : 100 + ink.shape[0], 200 : 200 + ink.shape[1]] -= (ink * (200 / 255)).astype(np.uint8)
    return sheet


def pair(left: int, right: int, overlap_px: int) -> Grey:
    """Two digits side by side, sharing this many columns."""
    a, b = draw_digit(left, 120, 9), draw_digit(right, 120, 9)
    both = np.zeros((max(len(a), len(b)), a.shape[1] + b.shape[1] - overlap_px), np.uint8)
    both[: len(a), : a.shape[1]] = a
    both[: len(b), both.shape[1] - b.shape[1] :] = np.maximum(both[: len(b), both.shape[1] - b.shape[1] :], b)
    return both


def test_every_digit_is_a_hypothesis_of_its_own() -> None:
    found = glyphs_of(draw_page(["407", "1892"]))
    assert len(found.clusters) == 7
    assert 60 < found.typical_height < 100
    whole = {(h.cluster, h.first, h.last) for h in found.hypotheses}
    assert all((index, 0, len(cluster) - 1) in whole for index, cluster in enumerate(found.clusters))


def test_touching_digits_are_cut_between_them() -> None:
    found = glyphs_of(on_paper(pair(0, 0, 12)))
    middle = 200 + pair(0, 0, 12).shape[1] / 2
    edges = [h.box[0] + h.box[2] for h in found.hypotheses if h.first == 0]
    assert min(abs(edge - middle) for edge in edges) < 15


def test_the_loose_bar_of_a_five_is_joined() -> None:
    five = draw_digit(5, 120, 9)
    five[22:28] = 0
    found = glyphs_of(on_paper(five))
    tallest = max(h.box[3] for h in found.hypotheses)
    assert tallest > 110


def test_hypotheses_stay_within_the_page() -> None:
    found = glyphs_of(draw_page(["407", "1892"]))
    height, width = found.ink.strokes.shape
    for h in found.hypotheses:
        x, y, w, box_height = h.box
        assert min(x, y) >= 0
        assert x + w <= width
        assert y + box_height <= height
        assert h.picture.shape == (box_height, w)
        assert h.picture.max() == 255


@pytest.mark.parametrize("level", [0, 255])
def test_an_empty_page_gives_nothing(level: int) -> None:
    assert glyphs_of(np.full((300, 400), level, np.uint8)).hypotheses == ()


def test_noise_is_bounded() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (500, 700)).astype(np.uint8)
    assert 0 < len(glyphs_of(noise).hypotheses) <= MOST_PIECES * LONGEST_RUN


@given(st.integers(0, 9), st.integers(0, 9), st.integers(4, 20))
def test_cutting_keeps_every_pixel_once(left: int, right: int, overlap_px: int) -> None:
    ink = pair(left, right, overlap_px)
    parts = split_touching(ink, 120)
    again = np.zeros(ink.shape, np.int32)
    for x, y, part in parts:
        again[y : y + part.shape[0], x : x + part.shape[1]] += part
    assert (again == ink).all()


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.5, 300))
def test_any_shape_can_be_asked_for_cuts(height: int, width: int, typical: float) -> None:
    shape = np.full((height, width), 255, np.uint8)
    for path in find_cuts(shape, typical):
        assert path.shape == (height,)
        assert (path >= 0).all()
        assert (path < width).all()
