"""Ink: it lies where the pen went, as wide as the pen, darker than paper or lighter than a board."""

from __future__ import annotations

import numpy as np
import pytest

from export.pages.pens import PEN_KINDS, InkLayer, Pen, choose_pen, lay_ink

PEN = Pen("fibre", (20, 20, 20), 6.0, 1.0, 0.0, 0.0, 0.3, 0.0)


def level(width: float = 3.0) -> np.ndarray:
    along = np.linspace(20, 80, 20, dtype=np.float32)
    return np.column_stack([along, np.full(20, 40, np.float32), np.full(20, width, np.float32)])


def test_a_stroke_is_as_wide_as_the_pen_and_its_box_holds_it() -> None:
    layer = InkLayer(PEN, (80, 100))
    box = layer.draw([level()], np.random.default_rng(0))
    assert box == pytest.approx((17, 37, 66, 6))
    column = layer.coverage[:, 50].astype(float).sum() / 255
    assert column == pytest.approx(6, abs=1.1)
    rows, columns = np.nonzero(layer.coverage > 128)
    assert rows.min() >= 35
    assert rows.max() <= 44
    assert columns.min() >= 15
    assert columns.max() <= 84


def test_a_stroke_beyond_the_sheet_leaves_no_ink() -> None:
    layer = InkLayer(PEN, (80, 100))
    assert layer.draw([level() + np.array([500, 0, 0], np.float32)], np.random.default_rng(0)) is None
    assert not layer.coverage.any()


@pytest.mark.parametrize("kind", PEN_KINDS)
def test_every_pen_shows_on_its_ground(kind: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        pen = choose_pen(rng, 60, kind)
        layer = InkLayer(pen, (80, 100))
        layer.draw([level(pen.width_px / 2)], rng)
        ground = 40 if kind == "chalk" else 250
        picture = np.full((80, 100, 3), ground, np.uint8)
        lay_ink(picture, layer, rng)
        change = np.abs(picture.astype(int) - ground).max(axis=2)[layer.coverage > 128]
        assert np.percentile(change, 80) > 12, (kind, pen)
        assert (picture[layer.coverage == 0] == ground).all()
        towards = picture.astype(int).mean() - ground
        assert towards > 0 if kind == "chalk" else towards < 0


def test_a_bitmap_lands_between_its_corners() -> None:
    layer = InkLayer(PEN, (80, 100))
    corners = np.array([[30, 20, 1], [50, 20, 1], [30, 60, 1]], np.float32)
    box = layer.draw_bitmap(np.full((20, 10), 255, np.uint8), corners)
    assert box == pytest.approx((30, 20, 20, 40), abs=2)
