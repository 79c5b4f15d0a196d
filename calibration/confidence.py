"""Fits what the reader's confidence is worth on pages, and what `--max-error` may promise; stores it beside the model.

    python -m calibration.confidence --pages DIR [--truth FILE] [--half NAME] [--pages DIR ...] [--out confidence.json]

Reads every page as `edge-digits read` does, compares with the truth digit by digit, fits a rising map for digits and one
for whole numbers, and bounds the share of wrong digits at each threshold. --truth and --half speak of the --pages before
them. Pages of a half named "check" are refused: they confirm. Pages that trained a network say too much good of it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np

from calibration import onnx_files
from calibration.confidence_maps import WIDEST, FittedMap, Observations, fit_best
from calibration.error_bounds import SURENESS, find_levels
from calibration.errors import CalibrationError, report
from calibration.figures import expected_calibration_error_percent, reliability_rows
from calibration.page_evidence import Evidence, PageFolder, read_folders
from calibration.pictures import draw_promises, draw_reliability, load_figure_class
from edge_digits import __version__
from edge_digits.errors import ModelError
from edge_digits.options import Options, Precision, ReadingOptions, RecognitionOptions
from edge_digits.reader import Reader
from edge_digits.recognition.confidence_curve import (
    CURVE_NAME,
    FORMAT_VERSION,
    ConfidenceCurve,
    ConfidenceMap,
    as_entry,
    load_curves,
)

RESULTS: Final = Path(__file__).resolve().parent / "results"
LEAST_DIGITS: Final = 200
LEAST_PAGES: Final = 10
LEAST_NUMBERS: Final = 100
"""With fewer numbers than this the product of their digits' confidences stays."""
DECIMALS: Final = 9
"""Of what is stored: thresholds lie among probabilities near 1."""


@dataclass(frozen=True, slots=True)
class FittedCurve:
    """What came of a fit. digits, numbers : the observations and their maps; no map where there were too few numbers."""

    curve: ConfidenceCurve
    digits: tuple[Observations, FittedMap]
    numbers: tuple[Observations, FittedMap] | None


def fit_curve(evidence: Evidence, model: str, networks: Sequence[tuple[str, ...]]) -> FittedCurve:
    """Fit maps and bounds. model : its name. networks : those that the curve holds for, by precision, that of the fit first.

    Raises CalibrationError for too few pages or digits, MissingExtraError without scipy.
    """
    digits = evidence.digits()
    pages = sum(fact["pages"] for fact in evidence.facts)
    if len(digits) < LEAST_DIGITS or pages < LEAST_PAGES:
        raise CalibrationError(
            f"{len(digits)} digits on {pages} pages say too little; give at least {LEAST_PAGES} pages with {LEAST_DIGITS} digits in all"
        )
    digit_map = fit_best(digits)
    numbers = evidence.numbers(digit_map.map)
    number_map = fit_best(numbers) if len(numbers) >= LEAST_NUMBERS else None
    unchanged = ConfidenceMap(np.array([-WIDEST, WIDEST]), np.array([-WIDEST, WIDEST]))
    fitted = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "edge_digits": __version__,
        "sureness": SURENESS,
        "folders": list(evidence.facts),
        "digits": _facts(digits, digit_map),
        "numbers": _facts(numbers, number_map) if number_map else {"method": "product of digits"},
    }
    curve = ConfidenceCurve(model, tuple(networks), digit_map.map, number_map.map if number_map else unchanged, find_levels(digits), fitted)
    return FittedCurve(curve, (digits, digit_map), (numbers, number_map) if number_map else None)


def _facts(seen: Observations, fitted: FittedMap) -> dict[str, Any]:
    """Method, held-out log loss and calibration error, of given and of mapped probabilities."""
    return {
        "method": fitted.method,
        "log_loss": {method: round(loss, 6) for method, loss in fitted.losses.items()},
        "ece_percent": {
            "given": round(expected_calibration_error_percent(seen.given, seen.right), 4),
            "mapped": round(expected_calibration_error_percent(fitted.said, seen.right), 4),
        },
    }


def store(path: Path, curve: ConfidenceCurve) -> None:
    """Write the curve into a file of curves; an older one of the same model or networks goes, others stay.

    Raises ModelError when the file is there and cannot be read, CalibrationError when it cannot be written.
    """
    kept = [old for old in load_curves(path) if old.model != curve.model and not set(old.networks) & set(curve.networks)]
    entries = [as_entry(each) for each in (*kept, curve)]
    text = json.dumps({"format": FORMAT_VERSION, "curves": _rounded(entries)}, indent=1) + "\n"
    try:
        onnx_files.write_atomically(path, text.encode())
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be written ({error.strerror}); give --out in a folder of your own") from error


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def draw(folder: Path, fitted: FittedCurve) -> None:
    """Reliability of digits and numbers before and after, and what may be promised. Raises MissingExtraError, CalibrationError."""
    for counted, part in (("digits", fitted.digits), ("numbers", fitted.numbers)):
        if part is not None:
            seen, found = part
            shown = {"as given": seen.given, f"mapped ({found.method}), pages held out": found.said}
            rows = {
                name: {
                    "reliability": reliability_rows(chance, seen.right, counted),
                    "ece_percent": expected_calibration_error_percent(chance, seen.right),
                }
                for name, chance in shown.items()
            }
            draw_reliability(folder / f"confidence-{counted}.png", rows, counted)
    draw_promises(folder / "max-error.png", fitted.curve.levels)


def as_table(curve: ConfidenceCurve) -> str:
    """The fit for people."""
    lines = [f"{'folder':24}{'half':8}{'pages':>7}{'digits':>8}{'wrong %':>9}{'numbers':>9}{'wrong %':>9}"]
    lines += [
        f"{fact['folder'][-23:]:24}{fact['half'] or '-':8}{fact['pages']:>7}{fact['digits']:>8}{_percent(fact, 'digits'):>9}"
        f"{fact['numbers']:>9}{_percent(fact, 'numbers'):>9}"
        for fact in curve.fitted["folders"]
    ]
    for kind in ("digits", "numbers"):
        lines.append(_map_line(kind, curve.fitted[kind]))
    lines.append(f"{'named %':>9}{'wrong %':>9}{'promised %':>12}{'threshold':>11}")
    shown = [curve.levels[i] for i in np.unique(np.linspace(0, len(curve.levels) - 1, 11).round().astype(int))]
    lines += [f"{100 * x.named:>9.1f}{100 * x.wrong:>9.3f}{100 * x.at_most:>12.3f}{x.threshold:>11.6f}" for x in shown]
    return "\n".join(lines)


def _percent(fact: Mapping[str, Any], kind: str) -> str:
    return f"{100.0 * fact[f'wrong_{kind}'] / fact[kind]:.2f}" if fact[kind] else "-"


def _map_line(kind: str, fact: Mapping[str, Any]) -> str:
    if "log_loss" not in fact:
        return f"{kind}: {fact['method']}"
    losses = ", ".join(f"{method} {loss:.4f}" for method, loss in fact["log_loss"].items())
    error = fact["ece_percent"]
    return f"{kind}: {fact['method']}; held-out log loss: {losses}; calibration error {error['given']:.2f} % -> {error['mapped']:.2f} %"


class _AddFolder(argparse.Action):
    """--pages begins another folder."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        del parser, option_string
        namespace.folders = [*(namespace.folders or []), PageFolder(values)]


class _OfLastFolder(argparse.Action):
    """--truth and --half belong to the folder before them."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        del parser, option_string
        if not namespace.folders:
            raise argparse.ArgumentError(self, "stands after the --pages that it speaks of")
        namespace.folders = [*namespace.folders[:-1], replace(namespace.folders[-1], **{self.dest: values})]


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and store."""
    parser = argparse.ArgumentParser(prog="python -m calibration.confidence", description=(__doc__ or "").splitlines()[0])
    parser.set_defaults(folders=None)
    parser.add_argument("--pages", action=_AddFolder, type=Path, required=True, metavar="DIR", help="folder of pages; may be given again")
    parser.add_argument("--truth", action=_OfLastFolder, type=Path, metavar="FILE", help="what stands on them (default DIR/truth.json)")
    parser.add_argument("--half", action=_OfLastFolder, metavar="NAME", help="only pages of this half, for example tune")
    parser.add_argument("--model", default="default", metavar="NAME|PATH", help="as of `edge-digits read` (default %(default)s)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads within one run; 0 chooses (default)")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"default: {CURVE_NAME} beside the model, where readers look for it")
    parser.add_argument("--pictures", type=Path, default=RESULTS, metavar="DIR", help="where diagrams go (default: calibration/results)")
    arguments = parser.parse_args(argv)
    return report("calibration.confidence", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    load_figure_class()
    reader = _reader(arguments, "auto")
    out = arguments.out or reader.classifier.file.folder / CURVE_NAME
    load_curves(out)
    evidence = read_folders(reader, arguments.folders)
    fitted = fit_curve(evidence, reader.classifier.name, _all_networks(reader, arguments))
    draw(arguments.pictures, fitted)
    store(out, fitted.curve)
    print(as_table(fitted.curve))
    print(f"{out}: {fitted.curve.model}, {fitted.curve.networks[0][0][:12]}", file=sys.stderr)
    return 0


def _reader(arguments: argparse.Namespace, precision: Precision) -> Reader:
    recognition = RecognitionOptions(arguments.model, "cpu", precision, arguments.threads)
    return Reader(options=Options(recognition=recognition, reading=ReadingOptions(calibrated=False)))


def _all_networks(reader: Reader, arguments: argparse.Namespace) -> list[tuple[str, ...]]:
    """Those that were fitted with, and those of the other precision: a page reads the same at either."""
    found = [reader.networks]
    other: Precision = "float" if reader.classifier.precision == "int8" else "int8"
    try:
        found.append(_reader(arguments, other).networks)
    except ModelError:
        print(f"calibration.confidence: model '{reader.classifier.name}' has no {other} file; the curve is of one file", file=sys.stderr)
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    sys.exit(main())
