from __future__ import annotations

import numpy as np
import pytest

from edge_digits.paper.tiles import make_tile, stroke_width
from export.augment import AugmentOptions, augment, augmented_tile
from export.data.folder import crop_to_ink
from export.data.glyphs import GlyphSet


def test_the_same_seed_gives_the_same_tile(drawn_digits: GlyphSet) -> None:
    glyph = drawn_digits.glyphs[30]
    first, again, other = (augmented_tile(glyph, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_tiles_follow_the_tile_rule(drawn_digits: GlyphSet) -> None:
    rng = np.random.default_rng(0)
    for glyph in drawn_digits.glyphs[::4]:
        tile = augmented_tile(glyph, rng)
        assert tile.shape == (28, 28)
        assert tile.dtype == np.uint8
        assert tile.max() == 255
        rows, columns = np.flatnonzero(tile.max(axis=1) >= 16), np.flatnonzero(tile.max(axis=0) >= 16)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20


def test_strength_zero_leaves_the_glyph_alone(drawn_digits: GlyphSet) -> None:
    glyph = drawn_digits.glyphs[3]
    assert np.array_equal(augmented_tile(glyph, np.random.default_rng(0), 0.0), make_tile(glyph))


def test_pens_differ(drawn_digits: GlyphSet) -> None:
    rng = np.random.default_rng(1)
    options = AugmentOptions(pen_share=1.0, blur_share=0, low_resolution_share=0, residue_share=0)
    glyph = crop_to_ink(drawn_digits.glyphs[90])
    widths = [stroke_width(augment(glyph, rng, 1.0, options)) for _ in range(60)]
    assert min(widths) < 0.6 * np.median(widths)
    assert max(widths) > 1.3 * np.median(widths)


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (3, 200), (300, 300)])
def test_absurd_sizes(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        assert augmented_tile(np.full(shape, 255, np.uint8), rng).shape == (28, 28)


def test_an_empty_glyph_gives_an_empty_tile() -> None:
    assert not augmented_tile(np.zeros((20, 20), np.uint8), np.random.default_rng(0)).any()


def test_a_tenth_of_the_strength_changes_less(drawn_digits: GlyphSet) -> None:
    rng = np.random.default_rng(3)
    glyph = crop_to_ink(drawn_digits.glyphs[50])
    plain = make_tile(glyph).astype(float)

    def change(strength: float) -> float:
        return float(np.mean([np.abs(augmented_tile(glyph, rng, strength) - plain).mean() for _ in range(40)]))

    assert change(0.1) < 0.7 * change(1.0)
