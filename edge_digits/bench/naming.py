"""What a threshold buys: how many of the digits that stand there are named, and how many of the named ones are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TextIO

import numpy as np

from edge_digits.bench.alignment import JudgedDigit, JudgedPage
from edge_digits.reader import Reader

CURVE_POINTS: Final = 101
"""Of a risk-coverage curve: one a percent."""


def naming_figures(reader: Reader, pages: Sequence[JudgedPage]) -> dict[str, Any]:
    """The chosen setting and what came of it, counts and shares; digits that nobody could read are left out.

    threshold : the networks' probability from which a digit is named. named, wrong : read digits; named_error their share,
    None where nothing is named. covered : digits that stand there and were named, rightly or not; coverage their share.
    kept : whether named_error is at most max_error, None where none was asked for.
    """
    known = [digit for page in pages for digit in page.digits if digit.right is not None]
    named = [digit for digit in known if digit.digit.digit is not None]
    true_digits = sum(page.true_digits for page in pages)
    wrong, covered = sum(not digit.right for digit in named), sum(digit.found for digit in named)
    error, asked = _share(wrong, len(named)), reader.options.reading.max_error
    return {
        "max_error": asked,
        "threshold": reader.min_confidence,
        "calibrated": reader.curve is not None,
        "named": len(named),
        "wrong": wrong,
        "named_error": error,
        "true_digits": true_digits,
        "covered": covered,
        "coverage": _share(covered, true_digits),
        "kept": None if asked is None else error is None or error <= asked,
        "risk_coverage": risk_coverage(known, true_digits),
    }


def risk_coverage(known: Sequence[JudgedDigit], true_digits: int) -> list[dict[str, float]]:
    """Coverage and error among the named for thresholds from the surest digit down, at most CURVE_POINTS of them.

    known : digits whose `right` is known. Digits of one confidence come together, since no threshold parts them.
    """
    if not known or not true_digits:
        return []
    confidence = np.array([digit.digit.confidence for digit in known])
    order = np.argsort(-confidence, kind="stable")
    wrong, found = (np.cumsum(np.array([flag(known[i]) for i in order], np.int64)) for flag in (_is_wrong, _is_found))
    ends = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    chosen = np.unique(ends[np.linspace(0, len(ends) - 1, min(len(ends), CURVE_POINTS)).round().astype(int)])
    return [
        {
            "confidence": round(float(confidence[order][at]), 6),
            "coverage": round(float(found[at]) / true_digits, 6),
            "named_error": round(float(wrong[at]) / (int(at) + 1), 6),
        }
        for at in chosen
    ]


def print_naming(naming: dict[str, Any], out: TextIO) -> None:
    """The figures in one line, and in a second one whether what was asked for was kept."""
    print(
        f"named digits: {naming['wrong']} of {naming['named']} wrong ({_percent(naming['named_error'])}); {naming['covered']} of "
        f"{naming['true_digits']} digits that stand there named ({_percent(naming['coverage'])})",
        file=out,
    )
    if naming["kept"] is not None:
        verdict = "kept" if naming["kept"] else "not kept"
        print(f"asked: at most {_percent(naming['max_error'])} of the named digits wrong: {verdict} on these pages", file=out)


def _is_wrong(digit: JudgedDigit) -> bool:
    return not digit.right


def _is_found(digit: JudgedDigit) -> bool:
    return digit.found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100.0 * share:.3g} %"
