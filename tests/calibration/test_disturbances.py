from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import disturbances
from calibration.disturbances import CONTROLS, DISTURBANCES, SCALE, disturb, enlarge, photograph, sharpen, thicken, thin, tilt
from edge_digits.paper.tiles import stroke_width
from tests.calibration import toy


@pytest.fixture(scope="module")
def tiles() -> NDArray[np.uint8]:
    return toy.toy_digits(16, 21)[0]


@pytest.mark.parametrize("name", DISTURBANCES)
def test_tiles_come_out_and_the_same_every_time(name: str, tiles: NDArray[np.uint8]) -> None:
    found = disturb(tiles, name)
    assert (found.dtype, found.shape) == (np.uint8, tiles.shape)
    assert found.any(axis=(1, 2)).all()
    assert np.array_equal(found, disturb(tiles, name))


@pytest.mark.parametrize("name", DISTURBANCES)
def test_no_tiles_give_none(name: str) -> None:
    assert disturb(np.zeros((0, 28, 28), np.uint8), name).shape == (0, 28, 28)


@pytest.mark.parametrize("name", ["enlarged", "sharpened", "stroke_plus_1.5_px", "stroke_minus_1.5_px", "tilt_plus_15_deg"])
def test_a_blank_tile_stays_blank(name: str) -> None:
    assert not disturb(np.zeros((1, 28, 28), np.uint8), name).any()


def test_strokes_change_by_one_and_a_half_tile_pixels(tiles: NDArray[np.uint8]) -> None:
    changes = []
    for tile in tiles:
        ink = sharpen(enlarge(tile))
        before = stroke_width(ink)
        changes.append([(stroke_width(changed) - before) / SCALE for changed in (thicken(ink), disturbances.erode(ink))])
    assert np.median(changes, axis=0) == pytest.approx([1.5, -1.5], abs=0.3)


def test_a_hairline_survives_a_thinner_pen_but_not_an_erosion() -> None:
    ink = np.zeros((112, 112), np.uint8)
    ink[20:90, 40:44] = ink[20:90, 60:76] = 255
    assert not disturbances.erode(ink)[:, 38:46].any()
    assert (thin(ink)[25:85, 40:44] == 255).all()
    assert thin(ink)[50, 55:85].astype(bool).sum() == 16 - 6


def test_controls_change_next_to_nothing(tiles: NDArray[np.uint8]) -> None:
    for name in ("enlarged", "photographed"):
        assert name in CONTROLS
        off = np.abs(disturb(tiles, name).astype(float) - tiles).mean()
        turned = np.abs(disturb(tiles, "tilt_plus_15_deg").astype(float) - tiles).mean()
        assert off < 0.6 * turned


def test_paper_and_light_leave_the_shape(tiles: NDArray[np.uint8]) -> None:
    plain = disturb(tiles, "photographed").astype(float)
    for name in ("contrast_x0.25", "grey_background", "inverted"):
        assert np.abs(disturb(tiles, name) - plain).mean() < 4.0


def test_a_tilt_turns_counter_clockwise() -> None:
    ink = np.zeros((112, 112), np.uint8)
    ink[54:58, 20:92] = 255
    rows, columns = np.nonzero(tilt(ink, 15.0) > 127)
    assert np.polyfit(columns, rows, 1)[0] == pytest.approx(-np.tan(np.radians(15.0)), abs=0.02)


def test_a_photograph_has_the_levels_it_was_asked_for() -> None:
    ink = np.zeros((112, 112), np.uint8)
    ink[:, :56] = 255
    picture = photograph(ink, paper=128, pen=16, rng=np.random.default_rng(0)).astype(float)
    assert (picture[:, :56].mean(), picture[:, 56:].mean()) == pytest.approx((16, 128), abs=0.2)
    assert picture[:, 56:].std() == pytest.approx(disturbances.NOISE_LEVELS, abs=0.2)
