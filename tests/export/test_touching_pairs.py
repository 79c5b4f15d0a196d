from __future__ import annotations

import cv2
import numpy as np
import pytest

from export.data.glyphs import GlyphSet
from export.touching_pairs import PENS, join, make_pairs, write


def bar(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), bool)


def test_the_same_seed_gives_the_same_pairs(drawn_digits: GlyphSet) -> None:
    first, again = (list(make_pairs([drawn_digits], 8, 3)) for _ in range(2))
    assert all(np.array_equal(a.picture, b.picture) and a.digits == b.digits for a, b in zip(first, again, strict=True))
    other = list(make_pairs([drawn_digits], 8, 4))
    assert [p.digits for p in other] != [p.digits for p in first] or not np.array_equal(other[0].picture, first[0].picture)
    # A longer list begins with the shorter one.
    assert np.array_equal(next(make_pairs([drawn_digits], 1, 3)).picture, first[0].picture)


def test_every_pen_and_set_takes_its_turn(drawn_digits: GlyphSet) -> None:
    twin = GlyphSet("twin", drawn_digits.glyphs, drawn_digits.labels)
    pairs = list(make_pairs([drawn_digits, twin], 16, 0))
    assert {(p.pen, p.source) for p in pairs} == {(pen.name, name) for pen in PENS for name in ("mnist_train", "twin")}
    assert all(len(p.digits) == 2 and p.digits.isdigit() and p.picture.dtype == np.uint8 for p in pairs)
    assert {p.overlapping for p in pairs} == {True, False}


def test_the_ink_of_a_pair_is_one_piece(drawn_digits: GlyphSet) -> None:
    whole = 0
    solid = [pair for pair in make_pairs([drawn_digits], 80, 1) if pair.pen in ("fibre tip", "marker")]
    for pair in solid:
        calm = cv2.GaussianBlur(pair.picture, (0, 0), 1.0)
        _, ink = cv2.threshold(calm, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
        sizes = cv2.connectedComponentsWithStats(ink)[2][1:, cv2.CC_STAT_AREA]
        whole += int(sizes.max() > 0.97 * sizes.sum())
    assert whole >= 0.9 * len(solid)


def test_digits_come_at_the_asked_height(drawn_digits: GlyphSet) -> None:
    for height, stroke in ((36.0, 3.0), (120.0, 18.0)):
        tall = [write(glyph, height, stroke).shape[0] for glyph in drawn_digits.glyphs[:20]]
        assert np.mean(tall) == pytest.approx(height, rel=0.12)


def test_a_broader_pen_leaves_more_ink(drawn_digits: GlyphSet) -> None:
    thin, broad = (write(drawn_digits.glyphs[0], 80.0, stroke).sum() for stroke in (6.0, 13.0))
    assert broad > 1.2 * thin


def test_bars_pushed_together_meet_all_along() -> None:
    joined, merged = join(bar(20, 4), bar(20, 4), 0, 1)
    assert joined.shape == (20, 7)
    assert merged == 20
    assert joined.all()


def test_a_right_digit_above_the_left_one_does_not_come_out_on_its_left() -> None:
    joined, merged = join(bar(10, 6), bar(5, 3), 30, 40)
    assert joined.shape == (35, 6)
    assert merged == 0


def test_absurd_sets() -> None:
    one = GlyphSet("one", [np.full((20, 3), 255, np.uint8)], np.array([1], np.uint8))
    with pytest.raises(ValueError, match="one holds 1 digits"):
        list(make_pairs([one], 1, 0))
    flat = GlyphSet("flat", [np.full((3, 20), 255, np.uint8)] * 2, np.array([7, 7], np.uint8))
    with pytest.raises(ValueError, match="gave no pair"):
        list(make_pairs([flat], 1, 0))
    assert list(make_pairs([one], 0, 0)) == []
