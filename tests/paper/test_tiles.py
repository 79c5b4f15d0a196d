"""The MNIST rule, as properties of any glyph, on MNIST itself, and as golden vectors for other languages."""

from __future__ import annotations

import gzip
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_digits.paper.tiles import BOX_SIDE_PX, PAPER_LEVEL, TILE_SIDE_PX, as_model_input, make_tile, make_tiles, stroke_width
from tests.strokes import draw_digit

GOLDEN = Path(__file__).with_name("golden_tiles.npz")
GOLDEN_TOLERANCE = 1
"""Grey levels: OpenCV's area averaging rounds differently from one processor to another."""

Tile = NDArray[np.uint8]

any_glyph = st.tuples(st.integers(1, 48), st.integers(1, 48)).flatmap(lambda shape: arrays(np.uint8, shape))
pens = st.integers(4, 30)
digits = st.integers(0, 9)


def mass(tile: Tile) -> tuple[float, float]:
    """Centre of mass (y, x) in pixel indices."""
    weight = tile.astype(np.float64)
    return float(weight.sum(1) @ np.arange(28) / weight.sum()), float(weight.sum(0) @ np.arange(28) / weight.sum())


def difference(a: Tile, b: Tile) -> float:
    """Mean difference in grey levels at the best of the nine shifts by up to a pixel: the centre of mass falls on one
    or the other side of a half pixel by chance."""
    shifted = (np.roll(b, (dy, dx), (0, 1)).astype(int) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    return min(float(np.abs(a - other).mean()) for other in shifted)


def ink_box(tile: Tile) -> tuple[int, int]:
    """Height and width of what is not paper."""
    rows, columns = np.flatnonzero(tile.any(axis=1)), np.flatnonzero(tile.any(axis=0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


@given(any_glyph)
@example(np.zeros((1, 1), np.uint8))
@example(np.full((1, 1), 255, np.uint8))
@example(np.full((1, 5000), 255, np.uint8))
@example(np.full((5000, 1), PAPER_LEVEL, np.uint8))
@example(np.eye(1500, dtype=np.uint8) * 255)
@example(np.full((40, 40), PAPER_LEVEL - 1, np.uint8))
@settings(max_examples=300)
def test_any_array_gives_a_tile(glyph: Tile) -> None:
    before = glyph.copy()
    tile = make_tile(glyph)
    assert tile.shape == (TILE_SIDE_PX, TILE_SIDE_PX)
    assert tile.dtype == np.uint8
    assert tile.max() in (0, 255)
    assert (glyph == before).all()
    if glyph.max() < PAPER_LEVEL:
        assert tile.max() == 0
    elif tile.max():
        assert max(ink_box(tile)) <= BOX_SIDE_PX


@given(any_glyph, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_paper_around_the_glyph_changes_nothing(glyph: Tile, top: int, bottom: int, left: int, right: int) -> None:
    padded = np.pad(glyph, ((top, bottom), (left, right)))
    assert (make_tile(padded) == make_tile(glyph)).all()


@given(any_glyph, st.integers(0, PAPER_LEVEL - 1))
def test_a_veil_below_the_paper_level_changes_nothing(glyph: Tile, veil: int) -> None:
    veiled = np.maximum(np.pad(glyph, 3), np.uint8(veil))
    assert (make_tile(veiled) == make_tile(glyph)).all()


@given(digits, pens, st.floats(0.5, 1.0))
def test_faint_ink_gives_the_same_tile_as_dark_ink(digit: int, pen: int, strength: float) -> None:
    dark = draw_digit(digit, 120, pen)
    faint = np.rint(dark * strength).astype(np.uint8)
    assert difference(make_tile(dark), make_tile(faint)) < 4.0


@given(digits, st.integers(6, 14), st.sampled_from([2, 3, 5, 8]))
def test_scale_changes_almost_nothing(digit: int, pen: int, factor: int) -> None:
    small = draw_digit(digit, 60, pen)
    large = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    assert difference(make_tile(small), make_tile(large)) < 4.0


@given(digits, pens)
def test_centre_of_mass_lies_in_the_middle(digit: int, pen: int) -> None:
    y, x = mass(make_tile(draw_digit(digit, 150, pen)))
    assert abs(y - TILE_SIDE_PX / 2) <= 0.51
    assert abs(x - TILE_SIDE_PX / 2) <= 0.51


@given(st.integers(20, 200), st.integers(20, 200))
def test_aspect_ratio_is_kept(height: int, width: int) -> None:
    tall, wide = ink_box(make_tile(np.full((height, width), 255, np.uint8)))
    longest = max(height, width)
    assert max(tall, wide) == BOX_SIDE_PX
    assert tall == pytest.approx(BOX_SIDE_PX * height / longest, abs=0.51)
    assert wide == pytest.approx(BOX_SIDE_PX * width / longest, abs=0.51)


@pytest.mark.parametrize("digit", range(10))
def test_white_ink_on_black_is_another_picture(digit: int) -> None:
    glyph = draw_digit(digit, 100, 10)
    assert difference(make_tile(glyph), make_tile(255 - glyph)) > 40.0


@pytest.mark.parametrize("digit", range(10))
def test_a_hairline_survives(digit: int) -> None:
    hairline = make_tile(draw_digit(digit, 400, 2))
    assert stroke_width(cv2.resize(hairline, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)) / 8 > 1.2


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8), np.zeros(4, np.uint8)])
def test_other_arrays_are_refused(bad: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"glyph has dtype .* give uint8"):
        make_tile(bad)  # type: ignore[arg-type]


def test_many_tiles_are_what_each_is_alone() -> None:
    glyphs = [draw_digit(digit, 90, 9) for digit in range(10)]
    tiles = make_tiles(glyphs)
    assert (tiles.shape, tiles.dtype) == ((10, 1, TILE_SIDE_PX, TILE_SIDE_PX), np.float32)
    assert (tiles == as_model_input(np.stack([make_tile(glyph) for glyph in glyphs]))).all()
    assert (tiles.min(), tiles.max()) == (0.0, 1.0)
    assert make_tiles([]).shape == (0, 1, TILE_SIDE_PX, TILE_SIDE_PX)


@given(st.integers(10, 60), st.integers(1, 9))
def test_stroke_width_of_a_bar(length: int, pen: int) -> None:
    measured = stroke_width(np.full((length * 10, pen), 255, np.uint8))
    assert measured == pytest.approx(pen * 4 / np.pi, rel=0.1)
    assert stroke_width(np.zeros((length, pen), np.uint8)) == 0.0


def test_mnist_passes_through_unchanged(shared: Path) -> None:
    # MNIST's own tiles are what the rule makes: passing one through moves no stroke, and passing it twice changes nothing.
    with gzip.open(shared / "data" / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        originals = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)[::10]
    once = [make_tile(tile) for tile in originals]
    changed = np.array([np.abs(a.astype(int) - b).mean() for a, b in zip(originals, once, strict=True)])
    assert np.median(changed) < 0.2
    assert (changed < 1.0).mean() > 0.99
    again = np.array([np.abs(make_tile(tile).astype(int) - tile).mean() for tile in once])
    assert (again == 0).mean() > 0.99
    assert again.max() < 1.0


def test_golden_vectors() -> None:
    with np.load(GOLDEN, allow_pickle=False) as golden:
        names = sorted(name.removeprefix("glyph_") for name in golden if name.startswith("glyph_"))
        worst = {n: int(np.abs(make_tile(golden[f"glyph_{n}"]).astype(int) - golden[f"tile_{n}"]).max()) for n in names}
    assert len(worst) >= 20
    assert {name: levels for name, levels in worst.items() if levels > GOLDEN_TOLERANCE} == {}
