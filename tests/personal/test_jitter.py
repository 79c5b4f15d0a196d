"""Jittered copies: what they change, what they leave, how many there are, and that a digit and its copies stay together."""

from __future__ import annotations

import numpy as np
import pytest

from edge_digits.paper.tiles import make_tile
from edge_digits.personal.head import Outputs
from edge_digits.personal.jitter import JITTERS, MOST_ROWS, copies_of, jittered
from edge_digits.personal.methods import Own
from tests.strokes import draw_digit

TILES = np.array([make_tile(draw_digit(digit, 80, 8)) for digit in range(10)])


def lean(tile: np.ndarray) -> float:
    """How far the ink of a tile leans to the right at its bottom: its covariance sideways and downwards."""
    y, x = np.nonzero(tile > 100)
    return float(np.cov(x, y)[0, 1])


@pytest.mark.parametrize("jitter", range(len(JITTERS)))
def test_copies_are_tiles_that_differ_a_little(jitter: int) -> None:
    copies = jittered(TILES, jitter)
    assert copies.shape == TILES.shape
    assert copies.dtype == np.uint8
    differences = np.abs(copies.astype(int) - TILES).mean(axis=(1, 2))
    assert (differences > 2).all()
    assert (differences < 70).all()
    assert np.array_equal(copies, jittered(TILES, jitter))


def test_opposites_lean_to_opposite_sides() -> None:
    one = TILES[1]
    right, left = (lean(jittered(TILES, jitter)[1]) for jitter in (2, 3))
    assert left < lean(one) < right


def test_no_tiles_and_empty_ones() -> None:
    assert jittered(TILES[:0], 0).shape == (0, 28, 28)
    assert not jittered(np.zeros((1, 28, 28), np.uint8), 0).any()


def test_many_samples_have_few_copies_and_always_pairs() -> None:
    counts = [copies_of(count) for count in (0, 1, 100, 285, 286, 500, 667, 5000)]
    assert counts == [6, 6, 6, 6, 4, 2, 0, 0]
    assert all(count * (1 + copies_of(count)) <= max(count, MOST_ROWS) for count in range(1, 3000))


def test_a_digit_and_its_copies_stay_together() -> None:
    rows = [Outputs(np.full((4, 11), number, np.float32), np.arange(4, dtype=np.float32)[:, None]) for number in range(3)]
    own = Own(rows[0], np.array([5, 6, 7, 8]), tuple(rows[1:])).take(np.array([True, False, False, True]))
    outputs, labels = own.with_copies()
    assert labels.tolist() == [5, 8] * 3
    assert outputs.features[:, 0].tolist() == [0, 3] * 3
    assert outputs.logits[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
