"""Synthetic pages."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_digits.bench.sample import INK, PAPER, encode_jpeg, golden_digits, make_sheet

BLOTS = np.full((3, 28, 28), 255, np.uint8)


def test_sheet_has_the_digits_asked_for() -> None:
    sheet = make_sheet(BLOTS, 800, 600, 37)
    assert sheet.shape == (600, 800, 3)
    assert sheet.dtype == np.uint8
    dark = (sheet[:, :, 0] < (INK + PAPER) // 2).astype(np.uint8)
    # Blots of one number touch: count them by their area.
    count, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    height = stats[1:, cv2.CC_STAT_HEIGHT].min()
    assert round(stats[1:, cv2.CC_STAT_AREA].sum() / height**2) == 37
    assert count > 5


def test_sheet_is_always_the_same() -> None:
    assert (make_sheet(BLOTS, 400, 300, 5) == make_sheet(BLOTS, 400, 300, 5)).all()


def test_empty_sheet_is_paper() -> None:
    sheet = make_sheet(BLOTS, 100, 80, 0)
    assert sheet.min() > PAPER - 30


def test_more_digits_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        make_sheet(BLOTS, 64, 48, 1000)


def test_golden_digits_show_digits() -> None:
    tiles = golden_digits()
    assert tiles.dtype == np.uint8
    assert tiles.shape[1:] == (28, 28)
    assert len(tiles) >= 10


def test_jpeg_round_trip_keeps_the_picture() -> None:
    sheet = make_sheet(BLOTS, 320, 240, 4)
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(sheet), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded.astype(int) - sheet).mean() < 5
