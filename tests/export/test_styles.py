from __future__ import annotations

import cv2
import numpy as np
import pytest

from export.styles import STYLE_SHARE, foreign_form


def stroke(*points: tuple[int, int]) -> np.ndarray:
    glyph = np.zeros((40, 28), np.uint8)
    cv2.polylines(glyph, [np.array(points, np.int32)], False, 255, 3, cv2.LINE_AA)
    return glyph


PLAIN = {0: stroke((14, 4), (6, 20), (14, 36), (22, 20), (14, 4)), 1: stroke((14, 3), (14, 37)), 7: stroke((4, 5), (24, 5), (11, 37))}


@pytest.mark.parametrize("label", sorted(PLAIN))
def test_some_are_redrawn_and_the_rest_stay(label: int) -> None:
    rng = np.random.default_rng(0)
    variants = [foreign_form(PLAIN[label], label, rng) for _ in range(300)]
    redrawn = [variant for variant in variants if variant is not PLAIN[label]]
    assert abs(len(redrawn) / 300 - STYLE_SHARE[label]) < 0.1
    assert all(variant.dtype == np.uint8 and variant.max() == 255 for variant in redrawn)


def test_a_bar_makes_a_seven_wider_at_its_middle() -> None:
    rng = np.random.default_rng(1)
    barred = [v for v in (foreign_form(PLAIN[7], 7, rng) for _ in range(60)) if v is not PLAIN[7]]
    for glyph in barred:
        widths = [np.ptp(np.flatnonzero(row > 127)) if (row > 127).any() else 0 for row in glyph[30:60]]
        assert max(widths) > 12


@pytest.mark.parametrize("label", [2, 3, 4, 5, 6, 8, 9])
def test_other_digits_are_never_changed(label: int) -> None:
    rng = np.random.default_rng(2)
    assert all(foreign_form(PLAIN[7], label, rng) is PLAIN[7] for _ in range(50))


@pytest.mark.parametrize("glyph", [np.zeros((20, 20), np.uint8), np.full((1, 1), 255, np.uint8), np.full((2, 90), 255, np.uint8)])
def test_absurd_glyphs(glyph: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        for label in (0, 1, 7):
            assert foreign_form(glyph, label, rng).dtype == np.uint8
