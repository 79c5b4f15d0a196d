"""Percentiles and turn-taking."""

from __future__ import annotations

import pytest

from edge_digits.bench.timing import FEWEST_ROUNDS, Effort, interleave, summarize
from edge_digits.errors import UsageError


def test_summary_of_known_samples() -> None:
    summary = summarize([float(n) for n in range(1, 102)])
    assert summary == {"p50": 51.0, "p95": 96.0, "p99": 100.0, "mean": 51.0, "min": 1.0, "count": 101}


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
