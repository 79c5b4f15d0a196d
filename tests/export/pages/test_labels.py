"""Which proposals and which clusters are digits: whole ones, halves, pairs, and nothing at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.pages.labels import NOT_SAME_BY_HAND, UNDECIDED, label_boxes, label_cluster, shared_area

Box = tuple[int, int, int, int]

THREE = np.array([[10, 10, 20, 30], [40, 10, 20, 30], [100, 10, 6, 30]], np.float64)
DIGITS = (3, 8, 1)
NONE = np.zeros((0, 4))

sides = st.floats(1, 40)
boxes = st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50), sides, sides), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("proposed", "label"),
    [
        ((10, 10, 20, 30), 3),
        ((42, 12, 17, 27), 8),
        ((99, 9, 8, 32), 1),
        ((10, 10, 20, 10), NOT_ONE_DIGIT),
        ((10, 10, 50, 30), NOT_ONE_DIGIT),
        ((200, 200, 20, 30), NOT_ONE_DIGIT),
        ((0, 0, 150, 100), NOT_ONE_DIGIT),
    ],
    ids=["the same", "a little smaller", "a fatter 1", "a third", "a pair", "elsewhere", "the page"],
)
def test_what_a_proposal_is(proposed: Box, label: int) -> None:
    assert label_boxes([proposed], THREE, DIGITS).tolist() == [label]


def test_between_digit_and_none_nobody_can_say() -> None:
    good, worse, rest = (10, 10, 20, 30), (10, 10, 20, 19), (10, 10, 20, 10)
    assert label_boxes([good, worse, rest], THREE, DIGITS).tolist() == [3, UNDECIDED, NOT_ONE_DIGIT]
    # The same proposal without a better one beside it is the digit: ink may be found thinner than it was written.
    assert label_boxes([worse], THREE, DIGITS).tolist() == [3]
    assert label_boxes([good, rest], THREE, DIGITS, NOT_SAME_BY_HAND).tolist() == [3, UNDECIDED]


def test_nothing_proposed_and_nothing_written() -> None:
    assert label_boxes([], THREE, DIGITS).shape == (0,)
    found = label_boxes([(0, 0, 5, 5), (9, 9, 5, 5)], NONE, ())
    assert (found.tolist(), found.dtype) == ([NOT_ONE_DIGIT] * 2, np.uint8)
    assert label_boxes([], NONE, ()).shape == (0,)


@given(boxes, boxes)
def test_the_shared_area_is_a_share(a: list[tuple[float, ...]], b: list[tuple[float, ...]]) -> None:
    first, second = np.array(a, np.float64), np.array(b, np.float64)
    shared = shared_area(first, second)
    assert shared.shape == (len(a), len(b))
    assert shared.min() >= 0.0
    assert shared.max() <= 1.0 + 1e-9
    assert shared == pytest.approx(shared_area(second, first).T)
    assert np.diag(shared_area(first, first)) == pytest.approx(1.0)


def test_the_shared_area_of_known_boxes() -> None:
    a = np.array([[0, 0, 10, 10]], np.float64)
    b = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [10, 0, 10, 10], [0, 0, 0, 0], [2, 2, 5, 5]], np.float64)
    assert shared_area(a, b).tolist() == [pytest.approx([1.0, 1 / 3, 0.0, 0.0, 0.25])]
    assert shared_area(a, NONE).shape == (1, 0)


CORNER = (100, 50)


def cluster(*solid: Box, size: tuple[int, int] = (90, 30)) -> np.ndarray:
    """Ink in boxes of a picture of (width, height)."""
    picture = np.zeros((size[1], size[0]), np.uint8)
    for x, y, w, h in solid:
        picture[y : y + h, x : x + w] = 255
    return picture


def on_page(*local: Box) -> np.ndarray:
    """Boxes in the cluster's pixels as boxes in page pixels."""
    return np.array(local, np.float64).reshape(-1, 4) + np.array([*CORNER, 0, 0])


FIRST, SECOND, THIRD = (0, 0, 20, 30), (30, 0, 20, 30), (60, 0, 20, 30)
LETTER = (66, 2, 8, 26)


def test_whole_digits_are_read_from_left_to_right() -> None:
    picture = cluster(FIRST, SECOND, THIRD)
    assert label_cluster(picture, CORNER, on_page(THIRD, FIRST, SECOND), (9, 4, 4)) == [4, 4, 9]


def test_a_letter_beside_digits_is_told_once() -> None:
    picture = cluster(FIRST, SECOND, LETTER, (78, 2, 8, 26))
    assert label_cluster(picture, CORNER, on_page(FIRST, SECOND), (1, 2)) == [1, 2, NOT_ONE_DIGIT]
    assert label_cluster(picture, CORNER, on_page(FIRST, SECOND), (1, 2), letters=False) == [1, 2]
    assert label_cluster(picture, CORNER, on_page(SECOND), (2,)) == [NOT_ONE_DIGIT, 2, NOT_ONE_DIGIT]


@pytest.mark.parametrize("small", [(66, 26, 3, 3), (66, 14, 20, 3), (66, 0, 1, 30)], ids=["a point", "a dash", "a hair"])
def test_a_point_or_a_dash_is_no_letter(small: Box) -> None:
    assert label_cluster(cluster(FIRST, SECOND, small), CORNER, on_page(FIRST, SECOND), (1, 2)) == [1, 2]


@pytest.mark.parametrize(
    ("there", "expected"),
    [((30, 0, 20, 15), None), ((30, 0, 20, 20), [1, 2]), ((30, 0, 20, 5), [1]), ((30, 0, 0, 0), [1])],
    ids=["half", "most", "a sliver", "nothing"],
)
def test_digits_in_part(there: Box, expected: list[int] | None) -> None:
    assert label_cluster(cluster(FIRST, there), CORNER, on_page(FIRST, SECOND), (1, 2)) == expected


def test_a_cluster_without_digits_is_one_stretch_of_anything_else() -> None:
    assert label_cluster(cluster(FIRST, SECOND), CORNER, NONE, ()) == [NOT_ONE_DIGIT]
    assert label_cluster(cluster(FIRST), CORNER, np.array([[500.0, 500.0, 20.0, 30.0]]), (7,)) == [NOT_ONE_DIGIT]
    assert label_cluster(cluster(), CORNER, on_page(FIRST), (7,)) == [NOT_ONE_DIGIT]


def test_a_box_larger_than_the_cluster() -> None:
    assert label_cluster(cluster(FIRST, size=(20, 30)), CORNER, on_page((-5, -5, 30, 40)), (6,)) == [6]
    assert label_cluster(cluster(FIRST, size=(20, 30)), CORNER, on_page((-50, -50, 200, 200)), (6,)) == [NOT_ONE_DIGIT]
