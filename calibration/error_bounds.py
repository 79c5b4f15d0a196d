"""What may be promised of the named digits: upper bounds of the share that is wrong, threshold by threshold.

Errors come in pages: a heading taken for digits gives ten at once. So a hundred digits of one page say less than a hundred
of twenty pages, and the bound is that for as many independent digits as would vary like these: E. Korn, B. Graubard,
"Confidence intervals for proportions with small expected number of positive counts estimated from survey data", 1998,
around C. Clopper, E. Pearson, 1934. No folder may contradict a promise: where the share seen in one folder is above the
bound over all, that share stands in its place.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration.confidence_maps import Observations
from edge_digits.errors import MissingExtraError
from edge_digits.recognition.confidence_curve import Level

SURENESS: Final = 0.95
"""How probably a promise holds, as far as the pages of the fit are like those to come."""
LEAST_NAMED: Final = 0.5
"""Share of the digits that a threshold must name: what leaves more open is of no use to anybody."""
STEPS: Final = 51
LOOKS: Final = math.ceil(math.log2(STEPS + 1))
"""Bounds that a search by halving meets: all of them must hold."""
FEW_ERRORS: Final = 5
"""With fewer errors, how they cluster is taken from the next lower threshold that has more."""


def find_levels(seen: Observations) -> tuple[Level, ...]:
    """Thresholds from the one that names half of the digits to the one that names all, surest first.

    They are shares of the digits found, whatever came of them, so that no threshold is chosen for its luck.
    """
    load_inverse_beta()
    ordered = np.sort(seen.given)
    at = np.linspace(0, int(len(ordered) * (1.0 - LEAST_NAMED)), STEPS).round().astype(int)
    found, clustering = [], 1.0
    for threshold in np.unique(ordered[at]):
        named = seen.part(seen.given >= threshold)
        clustering = design_effect(named.right, named.page) if (~named.right).sum() >= FEW_ERRORS else clustering
        wrong = float((~named.right).mean())
        worst = max(float((~named.right[named.folder == folder]).mean()) for folder in np.unique(named.folder))
        bound = upper_bound(wrong, len(named) / clustering)
        found.append(Level(float(threshold), len(named) / len(seen), wrong, max(bound, worst)))
    return tuple(found[::-1])


def design_effect(right: NDArray[np.bool_], page: NDArray[np.int64]) -> float:
    """How many times more the share of errors varies than if digits were independent; at least 1.

    right : bool (n,). page : int64 (n,). The variance of a ratio of page totals, over that of a binomial share. With one
    page it is n: a page alone is one observation.
    """
    count = len(right)
    _, index = np.unique(page, return_inverse=True)
    sizes, errors = np.bincount(index), np.bincount(index, weights=~right)
    pages, share = len(sizes), float((~right).mean())
    if pages < 2:
        return float(count)
    if share in (0.0, 1.0):
        return 1.0
    variance = pages / (pages - 1) * float(((errors - share * sizes) ** 2).sum()) / count**2
    return float(np.clip(variance * count / (share * (1.0 - share)), 1.0, count))


def upper_bound(share: float, count: float) -> float:
    """Clopper and Pearson's one-sided upper bound, 0..1, for a share seen among `count` independent ones, count > 0.

    LOOKS of them hold together with SURENESS.
    """
    if share >= 1.0:
        return 1.0
    return float(load_inverse_beta()(share * count + 1.0, (1.0 - share) * count, 1.0 - (1.0 - SURENESS) / LOOKS))


def load_inverse_beta() -> Any:
    """scipy.special.betaincinv. Raises MissingExtraError with the install command."""
    try:
        from scipy.special import betaincinv
    except ImportError as error:
        raise MissingExtraError('bounds need scipy; run: pip install "edge-digits[evaluate]"') from error
    return betaincinv
