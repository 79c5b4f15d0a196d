from __future__ import annotations

import numpy as np
import pytest

from edge_digits.paper.tiles import make_tile
from export import negatives
from export.data.folder import crop_to_ink
from export.data.glyphs import GlyphSet
from export.negatives import SAFE_LETTERS, bracket, digit_and_neighbour, half, letter, line, make_negative, pair


@pytest.fixture(scope="module")
def digits(drawn_digits: GlyphSet) -> GlyphSet:
    return GlyphSet("drawn", [crop_to_ink(glyph) for glyph in drawn_digits.glyphs], drawn_digits.labels)


def test_every_kind_gives_ink(digits: GlyphSet) -> None:
    rng = np.random.default_rng(0)
    for kind, _ in negatives._WEIGHTED:
        for _ in range(20):
            glyph = kind(rng, digits)
            assert glyph.dtype == np.uint8
            assert make_tile(glyph).any(), kind.__name__


def test_the_same_seed_gives_the_same_negative(digits: GlyphSet) -> None:
    one, two = (make_negative(np.random.default_rng(4), digits) for _ in range(2))
    assert np.array_equal(one, two)


def test_a_half_is_never_a_stroke_that_reads_as_1(digits: GlyphSet) -> None:
    rng = np.random.default_rng(1)
    for _ in range(150):
        part = half(rng, digits)
        assert part.shape[1] >= negatives.STRAIGHTEST_PART * part.shape[0]


def test_ones_have_no_half() -> None:
    assert 1 not in negatives.SAFE_VERTICAL_CUTS
    assert 1 not in negatives.SAFE_HORIZONTAL_CUTS
    ones = GlyphSet("ones", [np.full((30, 6), 255, np.uint8)] * 4, np.ones(4, np.uint8))
    rng = np.random.default_rng(0)
    # Nothing to cut from: pairs come instead, which are wider than a single 1.
    assert all(half(rng, ones).shape[1] > 8 for _ in range(10))


def test_pairs_hold_about_two_digits_of_ink(digits: GlyphSet) -> None:
    rng = np.random.default_rng(2)
    widths = [pair(rng, digits).shape[1] for _ in range(100)]
    assert np.median(widths) > 1.4 * np.median([glyph.shape[1] * 44 / glyph.shape[0] for glyph in digits.glyphs])


def test_a_neighbour_is_more_than_a_crumb(digits: GlyphSet) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        assert digit_and_neighbour(rng, digits).shape[1] >= 10


def test_lines_lie(digits: GlyphSet) -> None:
    rng = np.random.default_rng(4)
    for _ in range(100):
        rows, columns = np.nonzero(line(rng, digits))
        assert np.ptp(columns) > np.ptp(rows) * 0.6


def test_brackets_are_clearly_curved(digits: GlyphSet) -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        rows, columns = np.nonzero(bracket(rng, digits) > 127)
        assert np.ptp(columns) > 0.2 * np.ptp(rows)


def test_letters_leave_look_alikes_out(digits: GlyphSet) -> None:
    assert not set(SAFE_LETTERS) & set("oOlIiIjJzZsSbBqgGQD0123456789")
    assert letter(np.random.default_rng(0), digits).any()
