from __future__ import annotations

import numpy as np
import pytest

from calibration import figures

LOGITS = np.log(np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]], np.float32) + 1e-9).repeat([1, 1, 1, 1], axis=0)
"""Two labels stand for eleven: the figures do not care how many there are."""


def test_accuracy_overall_and_by_label() -> None:
    labels = np.array([0, 1, 1, 0])
    assert figures.accuracy_percent(LOGITS, labels) == 75.0
    assert figures.accuracy_by_label_percent(LOGITS, labels) == {0: 100.0, 1: 50.0}


def test_labels_that_do_not_occur_have_no_accuracy() -> None:
    assert figures.accuracy_by_label_percent(LOGITS, np.zeros(4, np.int64)) == {0: 75.0}


def test_agreement() -> None:
    assert figures.agreement_percent(LOGITS, LOGITS) == 100.0
    assert figures.agreement_percent(LOGITS, LOGITS[:, ::-1]) == 0.0
    assert figures.agreement_percent(LOGITS, LOGITS[[0, 1, 2, 2]]) == 75.0


def test_calibration_error_is_the_gap_by_bins() -> None:
    # Confidences .9, .6, .7 and .8 lie in four bins of one tile each: the gaps are .1, .6, .3 and .2.
    assert figures.calibration_error_percent(LOGITS, np.array([0, 1, 1, 0]), 1.0) == pytest.approx(30.0, abs=1e-3)


def test_full_confidence_has_a_bin() -> None:
    sure = np.array([[100.0, 0.0]], np.float32)
    assert figures.calibration_error_percent(sure, np.array([0]), 1.0) == pytest.approx(0.0, abs=1e-6)
    assert figures.calibration_error_percent(sure, np.array([1]), 1.0) == pytest.approx(100.0)


def test_likelihood_of_certain_and_even_guesses() -> None:
    even = np.zeros((5, 11), np.float32)
    assert figures.negative_log_likelihood(even, np.arange(5), 1.0) == pytest.approx(np.log(11))
    sure = np.array([[1000.0, 0.0]], np.float32)
    assert figures.negative_log_likelihood(sure, np.array([0]), 1.0) == 0.0
    assert figures.negative_log_likelihood(sure, np.array([1]), 1.0) == 1000.0


def test_marks_and_doubtful_digits_are_not_named() -> None:
    logits = np.zeros((3, 11), np.float32)
    logits[0, 4] = logits[1, 10] = 9.0
    logits[2, 4] = 0.5
    assert figures.named(logits, 1.0, 0.5).tolist() == [True, False, False]
    assert figures.rejected_percent(logits, 1.0, 0.5) == pytest.approx(200 / 3)
    assert figures.named(logits, 0.01, 0.5).tolist() == [True, False, True]


def test_reliability_gives_the_bins_of_the_calibration_error() -> None:
    rows = figures.reliability(LOGITS, np.array([0, 1, 1, 0]), 1.0)
    assert [row["tiles"] for row in rows] == [1, 1, 1, 1]
    assert [round(row["confidence_percent"]) for row in rows] == [60, 70, 80, 90]
    assert [row["accuracy_percent"] for row in rows] == [0.0, 100.0, 100.0, 100.0]
    gaps = [row["tiles"] / 4 * abs(row["confidence_percent"] - row["accuracy_percent"]) for row in rows]
    assert sum(gaps) == pytest.approx(figures.calibration_error_percent(LOGITS, np.array([0, 1, 1, 0]), 1.0), abs=1e-3)


def test_log_odds_are_those_of_the_probability() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, 11)).astype(np.float32)
    given = figures.probabilities(logits, 1.7)[:, 10].astype(np.float64)
    assert figures.log_odds(logits, 1.7, 10) == pytest.approx(np.log(given / (1 - given)), abs=1e-3)
    labels = np.arange(50) % 11
    each = figures.log_odds(logits, 1.7, labels)
    assert all(each[i] == figures.log_odds(logits, 1.7, int(labels[i]))[i] for i in range(50))


def test_log_odds_tell_apart_what_a_probability_does_not() -> None:
    sure = np.zeros((2, 11), np.float32)
    sure[:, 3] = 60.0, 80.0
    assert figures.probabilities(sure, 1.0)[0, 3] == figures.probabilities(sure, 1.0)[1, 3] == 1.0
    assert np.diff(figures.log_odds(sure, 1.0, 3))[0] == pytest.approx(20.0)


def test_the_surest_tiles_alone_count_in_the_selective_error() -> None:
    logits = np.zeros((100, 11), np.float32)
    logits[:, 4] = np.linspace(1, 10, 100)
    labels = np.full(100, 4)
    labels[:2] = 5
    assert figures.selective_error_percent(logits, labels, 1.0, 98.0) == 0.0
    assert figures.selective_error_percent(logits, labels, 1.0, 100.0) == 2.0
    labels[99] = 5
    assert figures.selective_error_percent(logits, labels, 1.0, 98.0) == pytest.approx(100 / 98)


def test_a_tile_taken_for_no_digit_is_among_the_unsure() -> None:
    logits = np.zeros((50, 11), np.float32)
    logits[:, 7] = 5.0
    logits[0, 7], logits[0, 10] = 9.0, 12.0
    labels = np.full(50, 7)
    labels[0] = 1
    assert figures.selective_error_percent(logits, labels, 1.0, 98.0) == 0.0
    assert figures.selective_error_percent(logits[:1], labels[:1], 1.0, 98.0) == 100.0


@pytest.mark.parametrize(
    ("positives", "negatives", "area"),
    [([3, 4], [1, 2], 1.0), ([1, 2], [3, 4], 0.0), ([1, 1], [1, 1], 0.5), ([2, 4], [1, 3], 0.75), ([2], [1, 2, 3, 2], 0.5)],
)
def test_area_under_roc(positives: list[float], negatives: list[float], area: float) -> None:
    assert figures.area_under_roc(np.array(positives, float), np.array(negatives, float)) == area


def test_area_under_roc_counts_pairs() -> None:
    rng = np.random.default_rng(1)
    high, low = rng.integers(0, 9, 40).astype(float), rng.integers(0, 7, 60).astype(float)
    pairs = (high[:, None] > low[None]).mean() + 0.5 * (high[:, None] == low[None]).mean()
    assert figures.area_under_roc(high, low) == pytest.approx(pairs)


def test_the_threshold_keeps_the_share_asked_for() -> None:
    scores = np.random.default_rng(2).permutation(200).astype(float)
    assert figures.keeping_threshold(scores, 99.0) == 197.0
    assert (scores <= figures.keeping_threshold(scores, 99.0)).mean() >= 0.99
    assert figures.keeping_threshold(scores, 100.0) == 199.0
    assert figures.keeping_threshold(np.array([5.0]), 1.0) == 5.0
