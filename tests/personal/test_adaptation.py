"""Adapting with the shipped model: a strange habit is learned, others are kept, nonsense is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_digits.errors import AdaptationRefusedError, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import make_tiles
from edge_digits.personal.adaptation import adapt, count_errors, folds_of, outputs_of
from edge_digits.personal.reserve import Reserve, load_reserve
from edge_digits.personal.samples import find_samples, read_samples
from edge_digits.recognition.classifier import Classifier
from tests.personal.writers import mirrored, write_samples

HABITS = {2: mirrored, 7: mirrored}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(RecognitionOptions(provider="cpu", threads=1))


@pytest.fixture(scope="module")
def reserve() -> Reserve:
    return load_reserve()


def test_a_strange_hand_is_learned_and_no_other_forgotten(classifier: Classifier, reserve: Reserve, tmp_path: Path) -> None:
    samples = read_samples(find_samples(write_samples(tmp_path, 8, HABITS)))
    adaptation = adapt(classifier, samples, reserve)
    figures = adaptation.figures
    assert figures.own_errors_before >= 8
    assert figures.own_errors_after <= 0.5 * figures.own_errors_before
    assert figures.reserve_drop <= 0.2
    later = read_samples(find_samples(write_samples(tmp_path, 4, HABITS, seed=2, split="test"), "test"))
    outputs = outputs_of(classifier, make_tiles(later.glyphs))
    before, after = count_errors(outputs.logits, later.labels), count_errors(adaptation.difference.apply(outputs), later.labels)
    assert before >= 4
    assert after <= 0.5 * before


def test_wrong_labels_are_refused_with_the_figures(classifier: Classifier, reserve: Reserve, tmp_path: Path) -> None:
    samples = read_samples(find_samples(write_samples(tmp_path, 2, {})))
    samples.labels[:] = np.random.default_rng(4).permutation(samples.labels)
    with pytest.raises(AdaptationRefusedError, match=r"labels cannot be right.*own errors \d+ -> \d+ of 20.*nothing was written"):
        adapt(classifier, samples, reserve)


def test_a_reserve_that_suffers_is_a_refusal(classifier: Classifier, reserve: Reserve, tmp_path: Path) -> None:
    """Digits that others write, under shifted labels: own errors fall, those of the others rise."""
    samples = read_samples(find_samples(write_samples(tmp_path, 10, {}, shift=1)))
    with pytest.raises(AdaptationRefusedError, match=r"not adapted, because .*reserve errors"):
        adapt(classifier, samples, reserve)


def test_too_few_samples_are_refused(classifier: Classifier, reserve: Reserve, tmp_path: Path) -> None:
    samples = read_samples(find_samples(write_samples(tmp_path, 1, {}))[:9])
    with pytest.raises(UsageError, match="9 samples are too few"):
        adapt(classifier, samples, reserve)


def test_folds_hold_every_digit_evenly() -> None:
    labels = np.array([0] * 7 + [3] * 5 + [9])
    fold = folds_of(labels, 5)
    assert sorted(np.bincount(fold[labels == 0], minlength=5)) == [1, 1, 1, 2, 2]
    assert list(np.bincount(fold[labels == 3], minlength=5)) == [1] * 5
    assert sorted(np.bincount(fold, minlength=5)) == [2, 2, 3, 3, 3]


def test_the_same_samples_give_the_same_head(classifier: Classifier, reserve: Reserve, tmp_path: Path) -> None:
    samples = read_samples(find_samples(write_samples(tmp_path, 2, HABITS)))
    first, second = (adapt(classifier, samples, reserve).difference for _ in range(2))
    assert (first.weights == second.weights).all()


@pytest.mark.parametrize("writer", ["aiano", "kstock_ds10", "tgtony"])
def test_no_real_writer_gets_worse(classifier: Classifier, reserve: Reserve, shared: Path, writer: str) -> None:
    samples = read_samples(find_samples(shared / "personal" / writer))
    try:
        figures = adapt(classifier, samples, reserve).figures
    except AdaptationRefusedError:
        # The shipped model stays: it must have read nearly all of this hand, else something could have been learned.
        outputs = outputs_of(classifier, make_tiles(samples.glyphs))
        assert count_errors(outputs.logits, samples.labels) <= 0.03 * len(samples)
    else:
        assert figures.own_errors_after <= figures.own_errors_before
        assert figures.reserve_drop <= 0.2
