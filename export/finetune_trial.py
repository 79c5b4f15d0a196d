"""One trial of fine-tuning as a person would meet it: learn some of the samples, be judged by the guard, be tested on the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_digits.personal.adaptation import FOLDS, folds_of
from edge_digits.personal.samples import DIGITS
from export.figures import logits_of
from export.fine_tuning import Base, Variants, choose_plan
from export.harm_guard import FrozenSet, count_errors, fit_and_measure, reasons_to_refuse
from export.networks import ConvNetwork

Sets = Mapping[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]
"""Name -> (tiles uint8 (n, 28, 28), labels uint8 (n,))."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a trial needs beside the samples. before : errors of the base on each hold-out."""

    base: Base
    frozen: FrozenSet
    held_out: Sets
    before: Mapping[str, int]
    bfloat16: bool


def errors_on(network: ConvNetwork, sets: Sets) -> dict[str, int]:
    """Errors by set: tiles whose best class is not their label."""
    return {name: count_errors(logits_of(network, tiles), labels) for name, (tiles, labels) in sets.items()}


def enough(labels: NDArray[np.int64], per_digit: int) -> bool:
    """Whether every digit has more samples than asked for, so that some are left to test with."""
    return all((labels == digit).sum() > per_digit for digit in DIGITS)


def splits(labels: NDArray[np.int64], per_digit: int | None, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Which samples are learned from, bool (n,): so many of each digit, drawn by seed; all by None, one fold of five left out at a time.

    per_digit : fewer than there are of every digit.
    """
    rng = np.random.default_rng([seed, per_digit or 0])
    if per_digit is not None:
        learned = np.zeros(len(labels), bool)
        for digit in DIGITS:
            learned[rng.choice(np.flatnonzero(labels == digit), per_digit, replace=False)] = True
        yield learned
        return
    order = rng.permutation(len(labels))
    fold = np.zeros(len(labels), np.int64)
    fold[order] = folds_of(labels[order], FOLDS)
    for out in range(FOLDS):
        yield fold != out


def fits_of(labels: NDArray[np.int64], per_digit: int | None) -> int:
    """How many networks the trials of one seed fit."""
    learned = [int(each.sum()) for each in splits(labels, per_digit, 0)]
    return sum(1 + min(FOLDS, count) for count in learned)


def run_trial(bench: Bench, own: Variants, learned: NDArray[np.bool_], seed: int, told: Callable[[], None] | None = None) -> dict[str, Any]:
    """Fine-tune on the learned samples; one that the guard refuses counts as unchanged. Errors are those of the float network."""
    part, rest = own.take(learned), own.take(~learned)
    plan = choose_plan(len(part))
    outcome = fit_and_measure(bench.base, part, bench.frozen, plan, seed, bfloat16=bench.bfloat16, told=told)
    reasons = reasons_to_refuse(outcome.figures)
    before = count_errors(logits_of(bench.base.network, rest.plain), rest.labels)
    after = count_errors(logits_of(outcome.network, rest.plain), rest.labels)
    return {
        "way": plan.way,
        "learned": len(part),
        "tested": len(rest),
        "refused": reasons,
        "own_before": before,
        "own_after": before if reasons else after,
        # What would have been without the guard: shows what it prevents, and what it costs.
        "own_after_unguarded": after,
        "held_out_after": dict(bench.before) if reasons else errors_on(outcome.network, bench.held_out),
        "guard": outcome.figures.to_dict(),
    }
