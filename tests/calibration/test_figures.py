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
