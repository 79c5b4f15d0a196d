"""Fits a rising map from given probabilities to the share that was right: a logistic one or an isotonic one.

Both work on log-odds. Which is taken is decided by log loss on pages that a map has not seen: pages, and not digits, are
held out, since the digits of one page share its pen, its light and its mistakes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.confidence_curve import ConfidenceMap, log_odds

FOLDS: Final = 5
LEAST_IN_STEP: Final = 25
"""Observations in a step of the isotonic map: fewer say little about a share."""
WIDEST: Final = 17.0
"""Log-odds beyond those of any probability kept by `log_odds`."""
ROUNDS: Final = 60
SMALLEST_STEP: Final = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observations:
    """Things that were read, each with what came of it; n of them, and in the order of folders and pages.

    given : float64, probability 0..1. right : bool. page : int64, index of its page over all folders, not falling.
    folder : int64, index of its folder.
    """

    given: Floats
    right: NDArray[np.bool_]
    page: NDArray[np.int64]
    folder: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.given)

    def part(self, kept: NDArray[np.bool_]) -> Observations:
        """Those that a mask of the same length keeps."""
        return Observations(self.given[kept], self.right[kept], self.page[kept], self.folder[kept])

    @property
    def weight(self) -> Floats:
        """Mean 1; all folders count alike, so that thousands of generated digits do not drown a hundred real ones."""
        counts = np.bincount(self.folder)
        weight = 1.0 / counts[self.folder]
        return np.asarray(weight / weight.mean(), np.float64)


Fit = Callable[[Observations], ConfidenceMap]


def fit_logistic(seen: Observations) -> ConfidenceMap:
    """Slope and offset of the log-odds. J. Platt, "Probabilistic outputs for support vector machines", 1999.

    One observation's worth of the unchanged map is mixed in, so that few pages change little. The slope is not negative.
    """
    x, weight = log_odds(seen.given), seen.weight
    design, start = np.stack([x, np.ones_like(x)]), np.array([1.0, 0.0])

    def loss(line: Floats) -> float:
        odds = line @ design
        return float((weight * (np.logaddexp(0.0, odds) - seen.right * odds)).sum() + ((line - start) ** 2).sum() / 2.0)

    found = start.copy()
    for _ in range(ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-(found @ design)))
        slope = design @ (weight * (chance - seen.right)) + (found - start)
        curvature = (design * (weight * chance * (1.0 - chance))) @ design.T + np.eye(2)
        step = np.linalg.solve(curvature, slope)
        # Far from the bottom a full Newton step may leap over it and back for ever.
        while float(np.abs(step).max()) > SMALLEST_STEP and loss(found - step) > loss(found):
            step = step / 2.0
        found = found - step
        if float(np.abs(step).max()) <= SMALLEST_STEP:
            break
    if found[0] < 0:
        found = np.array([0.0, _share(float((weight * seen.right).sum()), float(weight.sum()))])
    return _capped(np.array([-WIDEST, WIDEST]), found[0] * np.array([-WIDEST, WIDEST]) + found[1], len(seen))


def fit_isotonic(seen: Observations) -> ConfidenceMap:
    """Shares of neighbouring steps, joined until they rise; straight lines in between. M. Ayer et al., 1955."""
    order = np.argsort(seen.given, kind="stable")
    x, right, weight = log_odds(seen.given)[order], seen.right[order], seen.weight[order]
    steps: list[Floats] = []
    for part in np.array_split(np.arange(len(order)), max(1, len(order) // LEAST_IN_STEP)):
        steps.append(np.array([(weight * x)[part].sum(), (weight * right)[part].sum(), weight[part].sum()]))
        while len(steps) > 1 and (_level(steps[-2]) >= _level(steps[-1]) or _middle(steps[-1]) - _middle(steps[-2]) < 1e-6):
            last = steps.pop()
            steps[-1] = steps[-1] + last
    return _capped(np.array([_middle(step) for step in steps]), np.array([_level(step) for step in steps]), len(seen))


METHODS: Final[dict[str, Fit]] = {"logistic": fit_logistic, "isotonic": fit_isotonic}


def _middle(step: Floats) -> float:
    return float(step[0] / step[2])


def _level(step: Floats) -> float:
    return _share(float(step[1]), float(step[2]))


def _share(right: float, count: float) -> float:
    """Log-odds of a share with half an observation added to either side, so that none is certain."""
    return float(np.log((right + 0.5) / (count - right + 0.5)))


def _capped(given: Floats, right: Floats, count: int) -> ConfidenceMap:
    """A map that claims no more than so many observations can bear: one error among all of them and one more."""
    cap = float(np.log(count + 1.0))
    # Where a straight line passes the cap it needs a corner there.
    corners = [float(np.interp(bound, right, given)) for bound in (-cap, cap) if right[0] < bound < right[-1]]
    places = np.unique(np.concatenate([given, corners]))
    return ConfidenceMap(places, np.clip(np.interp(places, given, right), -cap, cap))


def log_loss(chance: Floats, seen: Observations) -> float:
    """Mean of -ln(probability of what came), nats, folders counted alike. chance : float64 (n,), of being right."""
    kept = np.clip(chance, 1e-9, 1.0 - 1e-9)
    return float(np.average(-np.log(np.where(seen.right, kept, 1.0 - kept)), weights=seen.weight))


def folds(seen: Observations) -> NDArray[np.int64]:
    """A fold for each observation, int64 (n,): the pages of each folder in FOLDS runs, neighbouring pages together.

    Neighbouring pages are often of one hand or one table; apart, they would tell of each other.
    """
    fold_of = np.zeros(int(seen.page.max()) + 1, np.int64)
    for folder in np.unique(seen.folder):
        pages = np.unique(seen.page[seen.folder == folder])
        for fold, run in enumerate(np.array_split(pages, FOLDS)):
            fold_of[run] = fold
    return fold_of[seen.page]


def held_out(seen: Observations, fit: Fit) -> Floats:
    """What maps fitted on the other folds say of each observation, float64 (n,)."""
    fold, said = folds(seen), np.empty(len(seen))
    for index in np.unique(fold):
        inside = fold == index
        rest = seen.part(~inside)
        said[inside] = fit(rest)(seen.given[inside]) if len(rest) else seen.given[inside]
    return said


@dataclass(frozen=True, slots=True)
class FittedMap:
    """The map of the method with the least held-out log loss. said : what held-out maps say of each observation."""

    method: str
    map: ConfidenceMap
    said: Floats
    losses: dict[str, float]


def fit_best(seen: Observations) -> FittedMap:
    """Fit by every method; losses has that of the given probabilities too, under "given"."""
    said = {method: held_out(seen, fit) for method, fit in METHODS.items()}
    losses = {method: log_loss(chance, seen) for method, chance in said.items()}
    best = min(losses, key=lambda method: losses[method])
    return FittedMap(best, METHODS[best](seen), said[best], {"given": log_loss(seen.given, seen), **losses})
