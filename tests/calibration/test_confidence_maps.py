"""Maps fitted on made observations whose true chances are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.confidence_maps import (
    FOLDS,
    METHODS,
    Observations,
    fit_best,
    fit_isotonic,
    fit_logistic,
    folds,
    held_out,
    log_loss,
)
from edge_digits.recognition.confidence_curve import log_odds


def observe(
    given: NDArray[np.float64], chance: NDArray[np.float64], seed: int = 1, pages: int = 50, folder: NDArray[np.int64] | None = None
) -> Observations:
    """Observations that are right with these chances, spread over pages of one size."""
    count = len(given)
    right = np.random.default_rng(seed).random(count) < chance
    return Observations(given, right, np.arange(count) * pages // max(1, count), np.zeros(count, np.int64) if folder is None else folder)


def overconfident(count: int = 6000, seed: int = 1) -> tuple[Observations, NDArray[np.float64]]:
    """Log-odds twice as large as they should be; the observations and their true chances."""
    odds = np.random.default_rng(seed).normal(2.0, 1.5, count)
    chance = 1 / (1 + np.exp(-odds))
    return observe(1 / (1 + np.exp(-2 * odds)), chance, seed), chance


@pytest.mark.parametrize("method", METHODS)
def test_a_map_finds_the_true_chances(method: str) -> None:
    seen, chance = overconfident()
    assert np.abs(METHODS[method](seen)(seen.given) - chance).mean() < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_held_out_maps_beat_what_was_given(method: str) -> None:
    seen, _ = overconfident()
    assert log_loss(held_out(seen, METHODS[method]), seen) < log_loss(seen.given, seen) - 0.02


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ["all right", "all wrong", "one value", "two", "upside down", "certain"])
def test_a_map_rises_and_is_never_certain(method: str, case: str) -> None:
    rng = np.random.default_rng(3)
    given = rng.random(300)
    right = {
        "all right": np.ones(300, bool),
        "all wrong": np.zeros(300, bool),
        "upside down": rng.random(300) > given,
    }.get(case, rng.random(300) < 0.8)
    given = {"one value": np.full(300, 0.9), "certain": np.repeat([0.0, 1.0], 150)}.get(case, given)
    seen = Observations(given, right, np.arange(300) // 10, np.zeros(300, np.int64))
    if case == "two":
        seen = seen.part(np.arange(300) < 2)
    fitted = METHODS[method](seen)
    mapped = fitted(np.linspace(0, 1, 500))
    assert (np.diff(fitted.given) > 0).all()
    assert (np.diff(fitted.right) >= 0).all()
    assert (np.diff(mapped) >= 0).all()
    least = 1 / (len(seen) + 2)
    assert mapped.min() >= least - 1e-9
    assert mapped.max() <= 1 - least + 1e-9


def test_a_few_observations_change_little() -> None:
    given = np.array([0.9, 0.95, 0.99])
    seen = Observations(given, np.array([True, True, True]), np.arange(3), np.zeros(3, np.int64))
    assert np.abs(log_odds(fit_logistic(seen)([0.6])) - log_odds([0.6])).max() < 0.5


def test_what_is_told_backwards_is_mapped_to_what_it_is_on_the_whole() -> None:
    given = np.linspace(0.05, 0.95, 400)
    seen = observe(given, 1 - given)
    for fit in (fit_logistic, fit_isotonic):
        assert fit(seen)([0.1, 0.9]) == pytest.approx([0.5, 0.5], abs=0.1)


def test_steps_beat_a_line_where_chances_come_in_steps() -> None:
    given = np.random.default_rng(5).random(4000)
    seen = observe(given, np.where(given > 0.5, 0.97, np.where(given > 0.45, 0.5, 0.03)))
    assert fit_best(seen).method == "isotonic"
    logistic, _ = overconfident()
    assert fit_best(logistic).method == "logistic"


def test_the_best_is_the_one_with_the_least_held_out_loss() -> None:
    seen, _ = overconfident(1500)
    best = fit_best(seen)
    assert set(best.losses) == {"given", *METHODS}
    assert best.losses[best.method] == min(best.losses[method] for method in METHODS)
    assert best.losses["given"] == pytest.approx(log_loss(seen.given, seen))
    assert best.said.shape == (1500,)


def test_a_page_is_never_in_two_folds_and_neighbours_stay_together() -> None:
    page = np.repeat(np.arange(40), 7)
    folder = (page >= 25).astype(np.int64)
    seen = Observations(np.full(280, 0.5), np.ones(280, bool), page, folder)
    fold = folds(seen)
    by_page = [set(fold[page == index]) for index in range(40)]
    assert all(len(found) == 1 for found in by_page)
    for pages in (range(25), range(25, 40)):
        order = [next(iter(by_page[index])) for index in pages]
        assert order == sorted(order)
        assert set(order) == set(range(FOLDS))


def test_every_folder_counts_alike() -> None:
    many, few = np.full(1900, 0.9), np.full(100, 0.9)
    folder = np.repeat([0, 1], [1900, 100])
    right = np.concatenate([np.ones(1900, bool), np.zeros(100, bool)])
    seen = Observations(np.concatenate([many, few]), right, np.arange(2000) // 20, folder)
    assert seen.weight.mean() == pytest.approx(1.0)
    assert seen.weight[folder == 0].sum() == pytest.approx(seen.weight[folder == 1].sum())
    for fit in (fit_logistic, fit_isotonic):
        assert fit(seen)([0.9])[0] == pytest.approx(0.5, abs=0.02)


def test_one_page_alone_is_borne() -> None:
    seen = observe(np.linspace(0.5, 0.99, 60), np.full(60, 0.8), pages=1)
    assert np.isfinite(fit_best(seen).said).all()
