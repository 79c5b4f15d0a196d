"""Bounds of the share of wrong digits: against known values, and against what happens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.confidence_maps import Observations
from calibration.error_bounds import LOOKS, STEPS, SURENESS, design_effect, find_levels, upper_bound
from edge_digits.errors import UsageError
from edge_digits.recognition.confidence_curve import ConfidenceCurve, ConfidenceMap

EACH = 1.0 - (1.0 - SURENESS) / LOOKS
FLAT = ConfidenceMap(np.array([-1.0, 1.0]), np.array([-1.0, 1.0]))


def make_pages(pages: int, digits: int, error: float, *, clustered: bool, seed: int) -> Observations:
    """Digits whose confidence says nothing; wrong with this chance each, or whole pages at a time."""
    rng = np.random.default_rng(seed)
    page = np.repeat(np.arange(pages), digits)
    wrong = rng.random(pages)[page] < error if clustered else rng.random(pages * digits) < error
    return Observations(rng.random(len(page)), ~wrong, page, np.zeros(len(page), np.int64))


def test_without_errors_the_bound_is_the_rule_of_three_made_stricter() -> None:
    assert upper_bound(0.0, 1000) == pytest.approx(1.0 - (1.0 - EACH) ** (1 / 1000))
    assert 3 / 1000 < upper_bound(0.0, 1000) < 6 / 1000


def test_a_bound_is_met_by_the_binomial_distribution() -> None:
    from scipy.stats import binom

    assert binom.cdf(7, 400, upper_bound(7 / 400, 400)) == pytest.approx(1.0 - EACH)


@given(st.floats(0.0, 1.0), st.floats(1.0, 1e6))
def test_a_bound_is_above_what_was_seen(share: float, count: float) -> None:
    assert share <= upper_bound(share, count) <= 1.0


def test_independent_digits_count_each_and_clustered_ones_by_the_page() -> None:
    alone = make_pages(100, 20, 0.1, clustered=False, seed=1)
    together = make_pages(100, 20, 0.1, clustered=True, seed=1)
    assert design_effect(alone.right, alone.page) < 1.6
    assert design_effect(together.right, together.page) == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize(("right", "page", "effect"), [([True] * 9, [0] * 9, 9), ([True, True], [0, 1], 1), ([False, False], [0, 1], 1)])
def test_the_ends_of_the_design_effect(right: list[bool], page: list[int], effect: float) -> None:
    assert design_effect(np.array(right), np.array(page)) == effect


def test_levels_go_from_half_of_the_digits_to_all() -> None:
    levels = find_levels(make_pages(50, 40, 0.02, clustered=False, seed=2))
    assert len(levels) == STEPS
    assert levels[0].named == pytest.approx(0.5, abs=0.001)
    assert levels[-1].named == 1.0
    assert [level.threshold for level in levels] == sorted((level.threshold for level in levels), reverse=True)
    assert all(level.wrong <= level.at_most for level in levels)


def test_digits_of_one_confidence_are_one_level() -> None:
    seen = Observations(np.full(300, 0.9), np.ones(300, bool), np.arange(300) // 10, np.zeros(300, np.int64))
    (level,) = find_levels(seen)
    assert (level.threshold, level.named, level.wrong) == (0.9, 1.0, 0.0)
    assert 0 < level.at_most < 0.03


def test_no_folder_may_contradict_a_promise() -> None:
    folder = np.repeat([0, 1], [5000, 100])
    right = np.ones(5100, bool)
    right[5000:5030] = False
    seen = Observations(np.full(5100, 0.9), right, np.arange(5100) // 10, folder)
    (level,) = find_levels(seen)
    assert level.wrong < 0.01
    assert level.at_most == pytest.approx(0.3)


@pytest.mark.parametrize("clustered", [False, True])
def test_promises_are_kept_about_as_often_as_is_said(clustered: bool) -> None:
    error, kept, asked = 0.05, 0, 150
    for seed in range(asked):
        levels = find_levels(make_pages(60, 20, error, clustered=clustered, seed=seed))
        curve = ConfidenceCurve("made", (), FLAT, FLAT, levels, {})
        try:
            curve.threshold_for(error - 1e-9)
        except UsageError:
            kept += 1
    # Confidence says nothing here, so every threshold's true error is the same, and each promise below it is broken.
    assert kept / asked >= SURENESS - 0.03
