"""Strokes found in bitmaps: they follow the ink, cross where the pen crossed, and bumps are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from export.pages.strokes import outlined_sign, thin, trace_sign


def picture(*lines: tuple[tuple[int, int], tuple[int, int]], pen: int = 5) -> np.ndarray:
    ink = np.zeros((60, 60), np.uint8)
    for start, end in lines:
        cv2.line(ink, start, end, 255, pen, cv2.LINE_AA)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def test_a_bar_is_one_stroke_of_its_length_and_width() -> None:
    bar = picture(((30, 5), (30, 55)))
    width = bar.shape[1] / bar.shape[0]
    traced = trace_sign(bar)
    assert traced is not None
    assert len(traced.strokes) == 1
    (stroke,) = traced.strokes
    assert np.ptp(stroke[:, 1]) == pytest.approx(1.0 - traced.pen, abs=0.06)
    assert np.ptp(stroke[:, 0]) < 0.05
    assert traced.pen == pytest.approx(width, abs=0.03)
    assert traced.width == pytest.approx(width, abs=0.03)


def test_a_cross_is_two_strokes_that_run_straight_through() -> None:
    traced = trace_sign(picture(((8, 8), (52, 52)), ((52, 8), (8, 52))))
    assert traced is not None
    assert len(traced.strokes) == 2
    for stroke in traced.strokes:
        assert np.ptp(stroke[:, 0]) > 0.7
        assert np.ptp(stroke[:, 1]) > 0.7


def test_a_ring_closes() -> None:
    ink = np.zeros((60, 60), np.uint8)
    cv2.circle(ink, (30, 30), 22, 255, 5, cv2.LINE_AA)
    traced = trace_sign(ink[5:56, 5:56])
    assert traced is not None
    (stroke,) = traced.strokes
    assert np.hypot(*(stroke[0, :2] - stroke[-1, :2])) < 0.06
    centre_distance = np.hypot(stroke[:, 0] - 0.5, stroke[:, 1] - 0.5)
    assert centre_distance.min() > 0.36
    assert centre_distance.max() < 0.5


def test_thinning_leaves_one_pixel_and_nothing_of_nothing() -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[7:12, 4:36] = 1
    line = thin(mask)
    assert line.any()
    assert line.sum(axis=0).max() == 1
    assert not thin(np.zeros((5, 5), np.uint8)).any()


def test_a_speck_has_no_stroke() -> None:
    assert trace_sign(np.zeros((9, 9), np.uint8)) is None


def test_an_outlined_sign_keeps_its_bitmap_between_its_corners() -> None:
    glyph = picture(((30, 5), (40, 55)))
    sign = outlined_sign(glyph)
    assert sign.bitmap is glyph
    assert sign.strokes[0][:, :2].tolist() == [[0, 0], [pytest.approx(glyph.shape[1] / glyph.shape[0]), 0], [0, 1]]
