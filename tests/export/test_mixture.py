from __future__ import annotations

import numpy as np
import pytest

from export.data.collect import TrainingData
from export.data.folder import crop_to_ink
from export.data.glyphs import GlyphSet, negatives
from export.mixture import Mixture, MixtureOptions


@pytest.fixture(scope="module")
def data(drawn_digits: GlyphSet) -> TrainingData:
    digits = GlyphSet("mnist_train", [crop_to_ink(glyph) for glyph in drawn_digits.glyphs], drawn_digits.labels)
    few = GlyphSet("chen_train", digits.glyphs[:7], digits.labels[:7])
    signs = negatives("symbols_train", [np.full((4, 30), 255, np.uint8)] * 5)
    return TrainingData((digits, few), (signs,), (), (), ())


def make(data: TrainingData, seed: int = 3) -> Mixture:
    mixture = Mixture(data, seed, MixtureOptions(tiles=640, batch=32, negative_share=0.25))
    mixture.start_epoch(0)
    return mixture


def test_the_shares_are_kept(data: TrainingData) -> None:
    mixture = make(data)
    labels = np.concatenate([mixture[i][1].numpy() for i in range(len(mixture))])
    assert len(labels) == 640
    assert abs(float((labels == 10).mean()) - 0.25) < 0.01
    assert set(labels) == set(range(11))


def test_a_batch_depends_on_seed_epoch_and_number_alone(data: TrainingData) -> None:
    one, two = make(data), make(data)
    for index in (4, 0, 11):
        two[index + 1]
        for a, b in zip(one[index], two[index], strict=True):
            assert a.equal(b)
    assert not one[2][0].equal(one[3][0])
    other_seed = make(data, seed=4)
    assert not one[2][0].equal(other_seed[2][0])
    before = one[2][0]
    one.start_epoch(1)
    assert not before.equal(one[2][0])


def test_every_glyph_comes_before_one_comes_twice(data: TrainingData) -> None:
    mixture = make(data)
    counts = np.bincount(mixture._order[mixture._order[:, 0] == 0][:, 1], minlength=len(data.digits[0]))
    assert counts.max() - counts.min() <= 1


def test_batches_are_what_training_expects(data: TrainingData) -> None:
    tiles, labels = make(data)[0]
    assert tuple(tiles.shape) == (32, 1, 28, 28)
    assert str(tiles.dtype) == "torch.uint8"
    assert str(labels.dtype) == "torch.int64"
    assert int(tiles.max()) == 255


def test_past_the_end(data: TrainingData) -> None:
    mixture = make(data)
    with pytest.raises(IndexError):
        mixture[len(mixture)]


def test_without_negative_sets_they_are_made(data: TrainingData) -> None:
    mixture = make(TrainingData(data.digits, (), (), (), ()))
    labels = np.concatenate([mixture[i][1].numpy() for i in range(len(mixture))])
    assert abs(float((labels == 10).mean()) - 0.25) < 0.01
