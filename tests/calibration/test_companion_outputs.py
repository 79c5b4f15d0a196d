"""What the numbers that a companion gives out mean: digits of a run, pixels of a map."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.companions.candidate import decoded, readings
from calibration.companions.sets import Examples
from calibration.companions.stroke_figures import strokes_of


def test_corrections_are_added_to_what_was_said() -> None:
    said = np.log(np.array([[0.6, 0.4] + [1e-6] * 9], np.float32))
    examples = Examples((np.zeros((1, 2, 48, 64), np.uint8),), ((1,),), said)
    corrections = np.zeros((1, 11), np.float32)
    assert readings([corrections], examples) == [(0,)]
    corrections[0, 1] = 1.0
    assert readings([corrections], examples) == [(1,)]


@pytest.mark.parametrize(
    ("best", "labels"),
    [
        ([11, 11], ()),
        ([3, 3, 11, 3], (3, 3)),
        ([10, 11, 10, 2, 2], (10, 10, 2)),
        ([0], (0,)),
        ([1, 2, 1], (1, 2, 1)),
        ([11, 5, 5, 5], (5,)),
    ],
)
def test_greedy_decoding(best: list[int], labels: tuple[int, ...]) -> None:
    assert decoded(np.eye(12, dtype=np.float32)[best]) == labels


def test_maps_unfold_into_pixels() -> None:
    maps = np.full((1, 29, 1, 2), -1.0, np.float32)
    maps[0, 6, 0, 1] = 1.0
    assert np.argwhere(strokes_of(maps)).tolist() == [[0, 1, 6]]
