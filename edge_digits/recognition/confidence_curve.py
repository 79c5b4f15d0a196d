"""What the reader's confidence is worth on pages, as it was measured and stored beside the model.

A classifier's probability speaks of a tile; on a page a digit is also wrong because it is a letter, half of a digit or a
stain. `python -m calibration.confidence` reads pages whose truth is known and stores two rising maps, for digits and for
whole numbers, and a table: how many of the named digits were wrong at each threshold, and what can be promised. A curve
holds for the networks it was fitted with and for no others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import ModelContractError, ModelDamagedError, UsageError
from edge_digits.options import ReadingOptions

CURVE_NAME: Final = "confidence.json"
FORMAT_VERSION: Final = 1
NEAREST_TO_ONE: Final = 1e-7
"""Probabilities are kept this far from 0 and 1, about a step of float32, where log-odds are taken of them."""


@dataclass(frozen=True, slots=True)
class ConfidenceMap:
    """From a probability as the networks give it to the share that was right among such.

    given, right : float64 (k,), k >= 1, natural log-odds; given rises strictly, right does not fall. Linear in between,
    constant beyond the first and the last.
    """

    given: NDArray[np.float64]
    right: NDArray[np.float64]

    def __call__(self, probabilities: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """probabilities : (n,), 0..1. Returns float64 (n,), 0..1, in the same order from unsure to sure."""
        return 1.0 / (1.0 + np.exp(-np.interp(log_odds(probabilities), self.given, self.right)))

    def least_reaching(self, probability: float) -> float:
        """The lowest given probability that the map lifts to at least this one; above 1 where none is."""
        if float(self([0.0])[0]) >= probability:
            return 0.0
        if float(self([1.0])[0]) < probability:
            return math.nextafter(1.0, 2.0)
        wanted = float(log_odds([probability])[0])
        after = min(int(np.searchsorted(self.right, wanted, "left")), len(self.right) - 1)
        span = (self.given[after - 1 : after + 1], self.right[after - 1 : after + 1]) if after else (self.given[:1], self.right[:1])
        return float(1.0 / (1.0 + np.exp(-np.interp(wanted, span[1], span[0]))))


@dataclass(frozen=True, slots=True)
class Level:
    """One threshold and what it gave on the pages of the fit; shares 0..1.

    threshold : digits at least this probable, as the networks give it, are named. named : share of the digits found.
    wrong : share of the named ones that were wrong. at_most : what may be promised of that share.
    """

    threshold: float
    named: float
    wrong: float
    at_most: float


@dataclass(frozen=True, slots=True)
class ConfidenceCurve:
    """What was measured for one set of networks.

    model : name of the model. networks : SHA-256 of its networks, one tuple a precision. digits, numbers : the maps; that
    for numbers takes the product of its digits' mapped confidences. levels : surest first. fitted : on what, and when.
    """

    model: str
    networks: tuple[tuple[str, ...], ...]
    digits: ConfidenceMap
    numbers: ConfidenceMap
    levels: tuple[Level, ...]
    fitted: Mapping[str, Any]

    @property
    def best_promise(self) -> float:
        """The lowest share of wrong digits that can be promised at all: the least bound that a failing search meets."""
        met, beyond = [], len(self.levels)
        while beyond > 0:
            beyond = (beyond - 1) // 2
            met.append(self.levels[beyond].at_most)
        return min(met)

    def threshold_for(self, max_error: float) -> float:
        """The threshold that names most while at most this share of the named digits is wrong.

        Found by halving, since every bound that is looked at is one more that may be kept by luck: with few looks they hold
        together. Y. Geifman, R. El-Yaniv, "Selective classification for deep neural networks", 2017, algorithm SGR.
        Raises UsageError where no level that the search meets holds.
        """
        kept, first, beyond = None, 0, len(self.levels)
        while first < beyond:
            middle = (first + beyond - 1) // 2
            if self.levels[middle].at_most <= max_error:
                kept, first = self.levels[middle], middle + 1
            else:
                beyond = middle
        if kept is None:
            raise UsageError(
                f"max-error is {max_error:g}; model '{self.model}' can promise {_rounded_up(self.best_promise):g} at best, judged by the "
                f"pages its confidence was fitted on; ask for no less than that, or set min-confidence instead"
            )
        return kept.threshold


def _rounded_up(share: float) -> float:
    """Two significant digits, never below: what is told may be asked for."""
    if not share > 0:
        return share
    step = 10.0 ** (math.floor(math.log10(share)) - 1)
    return min(1.0, float(f"{math.ceil(share / step - 1e-9) * step:.6g}"))


def naming_threshold(options: ReadingOptions, own: float, curve: ConfidenceCurve | None, model: str) -> float:
    """The probability, as the networks give it, from which a digit is named. own : the model's threshold, for no wish.

    Raises UsageError for an error that cannot be promised.
    """
    if options.max_error is not None:
        if curve is None:
            raise UsageError(
                f"max-error is {options.max_error:g}, and for model '{model}' nothing can be promised: no confidence curve was "
                "fitted with it; set min-confidence instead, or fit one with `python -m calibration.confidence`"
            )
        return curve.threshold_for(options.max_error)
    if options.min_confidence is None:
        return own
    return options.min_confidence if curve is None else curve.digits.least_reaching(options.min_confidence)


def log_odds(probabilities: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """ln(p / (1 - p)), float64 of the same shape, finite. probabilities : 0..1."""
    kept = np.clip(np.asarray(probabilities, np.float64), NEAREST_TO_ONE, 1.0 - NEAREST_TO_ONE)
    return np.asarray(np.log(kept) - np.log1p(-kept), np.float64)


def load_curve(folder: Path, networks: tuple[str, ...]) -> ConfidenceCurve | None:
    """The curve that a folder of models holds for these networks; None without a file, and when it is of other networks.

    networks : SHA-256 of each, in the order of Reader.networks. Raises ModelDamagedError, ModelContractError.
    """
    return next((curve for curve in load_curves(folder / CURVE_NAME) if networks in curve.networks), None)


def load_curves(path: Path) -> list[ConfidenceCurve]:
    """All curves of a file; [] where there is none. Raises ModelDamagedError, ModelContractError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise ModelDamagedError(f"{path}: confidence curves cannot be read ({error}); reinstall the model, or remove the file") from error
    version = content.get("format") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise ModelContractError(f"{path}: format {version}, this edge_digits reads {FORMAT_VERSION}; fit the curve again")
    try:
        return [_curve(entry) for entry in content["curves"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelDamagedError(f"{path}: holds no sound confidence curve ({error}); reinstall the model, or fit it again") from error


def _curve(entry: Mapping[str, Any]) -> ConfidenceCurve:
    levels = tuple(Level(*(float(row[key]) for key in ("threshold", "named", "wrong", "at_most"))) for row in entry["levels"])
    shares = [share for level in levels for share in (level.threshold, level.named, level.wrong, level.at_most)]
    if not levels or not all(0.0 <= share <= 1.0 for share in shares):
        raise ValueError("levels out of range")
    networks = tuple(tuple(map(str, chosen)) for chosen in entry["networks"])
    return ConfidenceCurve(str(entry["model"]), networks, _map(entry["digits"]), _map(entry["numbers"]), levels, dict(entry["fitted"]))


def _map(entry: Mapping[str, Any]) -> ConfidenceMap:
    given, right = np.array(entry["given"], np.float64), np.array(entry["right"], np.float64)
    if given.ndim != 1 or given.shape != right.shape or not len(given) or not np.isfinite([given, right]).all():
        raise ValueError("a map without two rows of numbers")
    if (np.diff(given) <= 0).any() or (np.diff(right) < 0).any():
        raise ValueError("a map that does not rise")
    return ConfidenceMap(given, right)


def as_entry(curve: ConfidenceCurve) -> dict[str, Any]:
    """The JSON form of one curve, as load_curves reads it."""
    return {
        "model": curve.model,
        "networks": [list(chosen) for chosen in curve.networks],
        **{kind: {"given": part.given.tolist(), "right": part.right.tolist()} for kind, part in _parts(curve)},
        "levels": [{"threshold": x.threshold, "named": x.named, "wrong": x.wrong, "at_most": x.at_most} for x in curve.levels],
        "fitted": dict(curve.fitted),
    }


def _parts(curve: ConfidenceCurve) -> tuple[tuple[str, ConfidenceMap], tuple[str, ConfidenceMap]]:
    return ("digits", curve.digits), ("numbers", curve.numbers)
