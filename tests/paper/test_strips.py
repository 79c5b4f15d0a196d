"""The strip rule, as properties of any run of ink and on drawn digits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_digits.paper.strips import INK_HEIGHT_PX, LONGEST_PX, MARGIN_PX, STRIP_HEIGHT_PX, WIDTH_STEP_PX, make_strip
from edge_digits.paper.tiles import stroke_width
from tests.strokes import draw_digit

Grey = NDArray[np.uint8]

any_run = st.tuples(st.integers(1, 48), st.integers(1, 120)).flatmap(lambda shape: arrays(np.uint8, shape))
runs = st.lists(st.integers(0, 9), min_size=1, max_size=4)


def written(digits: list[int], height: int = 60, pen: float = 6) -> Grey:
    """Digits side by side, cut to their ink."""
    ink = np.hstack([draw_digit(digit, height, pen) for digit in digits])
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def difference(a: Grey, b: Grey) -> float:
    """Mean difference in grey levels; rounding may make a strip one pixel longer, and that one step wider."""
    width = max(a.shape[1], b.shape[1])
    a, b = (np.pad(strip, ((0, 0), (0, width - strip.shape[1]))) for strip in (a, b))
    return float(np.abs(a.astype(int) - b).mean())


@given(any_run)
@example(np.zeros((1, 1), np.uint8))
@example(np.full((1, 1), 255, np.uint8))
@example(np.full((1, 5000), 255, np.uint8))
@example(np.full((5000, 1), 7, np.uint8))
@example(np.eye(1500, dtype=np.uint8) * 255)
@settings(max_examples=100)
def test_any_array_gives_a_strip(picture: Grey) -> None:
    before = picture.copy()
    strip = make_strip(picture)
    assert (picture == before).all()
    assert strip.dtype == np.uint8
    assert strip.shape[0] == STRIP_HEIGHT_PX
    assert strip.shape[1] % WIDTH_STEP_PX == 0
    assert 0 < strip.shape[1] <= LONGEST_PX
    room = (STRIP_HEIGHT_PX - INK_HEIGHT_PX) // 2
    assert not strip[:room].any()
    assert not strip[-room:].any()
    assert not strip[:, :MARGIN_PX].any()
    assert not strip[:, -MARGIN_PX:].any()
    assert strip.max() in (0, 255)
    assert strip.any() or picture.max() < 255


@given(st.integers(1, 90), st.integers(1, 400))
def test_a_solid_run_keeps_its_shape(height: int, width: int) -> None:
    strip = make_strip(np.full((height, width), 255, np.uint8))
    long = int(np.count_nonzero(strip.any(axis=0)))
    assert np.count_nonzero(strip.any(axis=1)) == INK_HEIGHT_PX
    assert long == pytest.approx(min(max(1, width * INK_HEIGHT_PX / height), LONGEST_PX - 2 * MARGIN_PX), abs=0.51)
    assert strip.shape[1] - WIDTH_STEP_PX < long + 2 * MARGIN_PX <= strip.shape[1]


@given(runs, st.floats(0.4, 1.0))
@settings(max_examples=30)
def test_faint_ink_gives_the_same_strip_as_dark_ink(digits: list[int], strength: float) -> None:
    # No hairlines: whether a line is thickened is told by its ink above half of black.
    ink = written(digits, 26, 4)
    faint = np.rint(ink * strength).astype(np.uint8)
    assert difference(make_strip(ink), make_strip(faint)) < 4.0


@given(runs, st.integers(5, 9), st.sampled_from([2, 3, 5]))
@settings(max_examples=30)
def test_scale_changes_almost_nothing(digits: list[int], pen: int, factor: int) -> None:
    small = written(digits, 60, pen)
    large = np.asarray(cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST), np.uint8)
    assert difference(make_strip(small), make_strip(large)) < 5.0


@pytest.mark.parametrize("digit", range(10))
def test_a_hairline_survives(digit: int) -> None:
    hairline = make_strip(written([digit, digit], 400, 2))
    assert hairline.max() == 255
    assert stroke_width(np.asarray(cv2.resize(hairline, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC), np.uint8)) / 8 > 1.2


def test_no_ink_is_an_empty_strip() -> None:
    assert not make_strip(np.zeros((20, 50), np.uint8)).any()


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 5), np.uint8)]
)
def test_other_arrays_are_refused(bad: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"picture has dtype .* give uint8"):
        make_strip(bad)  # type: ignore[arg-type]
