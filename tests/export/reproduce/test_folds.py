from __future__ import annotations

import numpy as np
import pytest

from export.reproduce.folds import deal_folds

Part = tuple[np.ndarray, np.ndarray]


def digits(each: int, seed: int = 0, repeat: int = 1) -> Part:
    """Different pictures, so many a class, each of them `repeat` times."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(10, dtype=np.uint8), each)
    images = rng.integers(0, 256, (len(labels), 6, 6), dtype=np.uint8)
    return np.concatenate([images] * repeat), np.concatenate([labels] * repeat)


def test_every_digit_is_left_out_once() -> None:
    part = digits(13)
    folds = deal_folds([part], 5, seed=1)
    assert len(folds) == 5
    assert sorted(np.concatenate([fold.validation for fold in folds]).tolist()) == list(range(130))
    for fold in folds:
        assert sorted([*fold.training, *fold.validation]) == list(range(130))


def test_every_class_is_in_every_fold() -> None:
    images, labels = digits(13)
    for fold in deal_folds([(images, labels)], 5, seed=1):
        counts = np.bincount(labels[fold.validation], minlength=10)
        assert counts.min() >= 2
        assert counts.max() <= 3


def test_equal_pictures_are_on_one_side() -> None:
    images, labels = digits(10, repeat=3)
    for fold in deal_folds([(images, labels)], 5, seed=1):
        left_out = {image.tobytes() for image in images[fold.validation]}
        assert not left_out & {image.tobytes() for image in images[fold.training]}


def test_a_set_has_the_same_folds_beside_another() -> None:
    first, second = digits(20, seed=1), digits(7, seed=2)
    alone, both = deal_folds([first], 5, seed=3), deal_folds([first, second], 5, seed=3)
    for one, two in zip(alone, both, strict=True):
        assert np.array_equal(one.validation, two.validation[two.validation < len(first[1])])
        assert (two.validation >= len(first[1])).any()


def test_the_seed_decides() -> None:
    part = digits(20)
    assert np.array_equal(deal_folds([part], 5, seed=1)[0].validation, deal_folds([part], 5, seed=1)[0].validation)
    assert not np.array_equal(deal_folds([part], 5, seed=1)[0].validation, deal_folds([part], 5, seed=2)[0].validation)


def test_no_digits_and_no_folds() -> None:
    nothing = np.zeros((0, 6, 6), np.uint8), np.zeros(0, np.uint8)
    assert [len(fold.validation) for fold in deal_folds([nothing], 3, seed=1)] == [0, 0, 0]
    with pytest.raises(ValueError, match="count is 1"):
        deal_folds([digits(3)], 1, seed=1)
