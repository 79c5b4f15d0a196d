"""Latency as percentiles, taken so that two cases can be compared: in the same run, turn by turn, after a warm-up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from time import perf_counter
from typing import Any, Final, TypeVar

import numpy as np

from edge_digits.errors import UsageError

PERCENTILES: Final = (50, 95, 99)

CONFIDENCE: Final = 0.95

FEWEST_ROUNDS: Final = 3
"""Rounds that are always timed, however small the time budget: a median needs three."""

Case = TypeVar("Case", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure.

    rounds : counted rounds, >= 1. warm_up : rounds before them that are not counted, >= 0.
    budget_s : no further round starts after so many seconds, once FEWEST_ROUNDS are counted; None sets no limit.
    """

    rounds: int
    warm_up: int
    budget_s: float | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise UsageError(f"repeat is {self.rounds}; give a number from 1")
        if self.warm_up < 0:
            raise UsageError(f"warm-up is {self.warm_up}; give 0 or more")


def summarize(samples: Sequence[float]) -> dict[str, Any]:
    """Percentiles of samples of any unit: {"p50", "p95", "p99", "mean", "min", "count", "median_between"}.

    median_between : [low, high] that hold the true median in 95 of 100 runs (`median_interval`). Raises ValueError without samples.
    """
    if not samples:
        raise ValueError("no samples to summarize")
    values = np.sort(np.asarray(samples, np.float64))
    summary: dict[str, Any] = {f"p{p}": round(float(np.percentile(values, p)), 4) for p in PERCENTILES}
    summary |= {"mean": round(float(values.mean()), 4), "min": round(float(values[0]), 4), "count": len(samples)}
    low, high = median_interval(len(samples))
    return summary | {"median_between": [round(float(values[low]), 4), round(float(values[high]), 4)]}


def median_interval(count: int) -> tuple[int, int]:
    """Ranks from 0 of the sorted samples that hold the median of what they were drawn from with at least 95 % confidence.

    Of any distribution: how many samples lie below its median is binomial with one half. First and last where count is too small.
    """
    below, low = comb(count, 0) / 2**count, 0
    while low + 1 <= count // 2 and below + comb(count, low + 1) / 2**count <= (1.0 - CONFIDENCE) / 2:
        low += 1
        below += comb(count, low) / 2**count
    return low, count - 1 - low


def time_call(call: Callable[[], Any]) -> float:
    """Milliseconds that one call takes."""
    started = perf_counter()
    call()
    return (perf_counter() - started) * 1000.0


def interleave(cases: Mapping[Case, Callable[[], Any]], effort: Effort, *, primed: bool = False) -> dict[Case, list[float]]:
    """Milliseconds of each counted call of each case.

    Every round calls each case once, so that a slow moment of the machine falls on all of them.
    primed : each counted call follows one of the same case that is not, so that no case pays for what the one before
        it left in the caches; for calls of microseconds.
    """
    started = perf_counter()
    samples: dict[Case, list[float]] = {case: [] for case in cases}
    for turn in range(effort.warm_up + effort.rounds):
        enough = turn >= effort.warm_up + FEWEST_ROUNDS
        if enough and effort.budget_s is not None and perf_counter() - started > effort.budget_s:
            break
        for case, call in cases.items():
            if primed:
                call()
            elapsed_ms = time_call(call)
            if turn >= effort.warm_up:
                samples[case].append(elapsed_ms)
    return samples
