"""Percentiles and turn-taking."""

from __future__ import annotations

import numpy as np
import pytest

from edge_digits.bench.timing import FEWEST_ROUNDS, Effort, interleave, median_interval, summarize
from edge_digits.errors import UsageError


def test_summary_of_known_samples() -> None:
    summary = summarize([float(n) for n in range(1, 102)])
    between = summary.pop("median_between")
    assert summary == {"p50": 51.0, "p95": 96.0, "p99": 100.0, "mean": 51.0, "min": 1.0, "count": 101}
    assert between == [41.0, 61.0]


def test_the_median_lies_between_its_ranks_in_95_of_100_runs() -> None:
    """Ranks of tables of order statistics: 6 samples are the fewest that bound a median with 95 %."""
    assert [median_interval(count) for count in (1, 2, 5, 6, 10, 20)] == [(0, 0), (0, 1), (0, 4), (0, 5), (1, 8), (5, 14)]
    random = np.random.default_rng(7)
    draws = np.sort(random.exponential(size=(2000, 20)), axis=1)
    held = (draws[:, 5] <= np.log(2)) & (np.log(2) <= draws[:, 14])
    assert 0.94 <= held.mean() <= 0.98


def test_no_samples_have_no_summary() -> None:
    with pytest.raises(ValueError, match="no samples"):
        summarize([])


def test_cases_take_turns_and_warm_up_is_not_counted() -> None:
    order: list[str] = []
    samples = interleave({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, Effort(rounds=3, warm_up=2))
    assert order == ["a", "b"] * 5
    assert {case: len(times) for case, times in samples.items()} == {"a": 3, "b": 3}


def test_primed_calls_come_in_pairs() -> None:
    order: list[str] = []
    samples = interleave({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, Effort(2, 0), primed=True)
    assert order == ["a", "a", "b", "b"] * 2
    assert len(samples["a"]) == 2


def test_spent_budget_still_gives_the_fewest_rounds() -> None:
    samples = interleave({"a": lambda: None}, Effort(rounds=1000, warm_up=1, budget_s=0.0))
    assert len(samples["a"]) == FEWEST_ROUNDS


@pytest.mark.parametrize(("rounds", "warm_up", "word"), [(0, 0, "repeat is 0"), (-3, 0, "repeat is -3"), (1, -1, "warm-up is -1")])
def test_absurd_efforts_are_refused(rounds: int, warm_up: int, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Effort(rounds, warm_up)
