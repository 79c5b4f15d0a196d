"""`edge-digits info`: which models there are, and what each was measured to do. Says only what the manifest says."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from typing import Any, Final

from edge_digits import __version__
from edge_digits.errors import ExitCode
from edge_digits.recognition.adapted import adapted_names
from edge_digits.recognition.confidence_curve import CURVE_NAME, ConfidenceCurve, load_curves
from edge_digits.recognition.weights import CONTRACT_VERSION, PRECISIONS, WEIGHTS_FOLDER, load_manifest

DISTRIBUTIONS: Final = (
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
LABEL_WIDTH: Final = 22
COLUMN_WIDTH: Final = 16
SHORT_SHA: Final = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `info`."""
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the models and their figures. Raises ModelError when the manifest cannot be used."""
    facts = collect()
    print(json.dumps(facts, indent=1, ensure_ascii=False) if arguments.json else as_text(facts))
    return ExitCode.OK


def collect() -> dict[str, Any]:
    """{"contract", "default", "models", "companions": the manifest's entries, "confidence": by model, "adapted": names, "versions"}."""
    manifest = load_manifest()
    curves = load_curves(WEIGHTS_FOLDER / CURVE_NAME)
    return {
        "contract": CONTRACT_VERSION,
        "default": manifest["default"],
        "models": manifest["models"],
        "companions": manifest.get("companions", {}),
        "confidence": {name: _confidence(entry, curves) for name, entry in manifest["models"].items()},
        "adapted": adapted_names(),
        "versions": {"edge-digits": __version__, "python": platform.python_version(), **_installed()},
    }


def _confidence(entry: Mapping[str, Any], curves: Sequence[ConfidenceCurve]) -> dict[str, Any] | None:
    """What the curve of this very model was fitted on, and its best promise; None where confidences are the networks' own."""
    files = {entry[kind]["sha256"] for kind in PRECISIONS if kind in entry}
    curve = next((curve for curve in curves if any(files.intersection(chosen) for chosen in curve.networks)), None)
    return None if curve is None else {"best_promise": curve.best_promise, "fitted": dict(curve.fitted)}


def _installed() -> dict[str, str]:
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def as_text(facts: Mapping[str, Any]) -> str:
    """The same for people: a block a model, int8 and float side by side."""
    blocks = []
    for name, entry in facts["models"].items():
        block = _model_block(name, entry, name == facts["default"])
        blocks.append(f"{block}\n  {'confidence':{LABEL_WIDTH}}{_origin_of_confidence(facts['confidence'][name])}")
    blocks += [_model_block(f"{kind}, beside each model", entry) for kind, entry in facts["companions"].items()]
    if facts["adapted"]:
        blocks.append(f"adapted: {', '.join(facts['adapted'])}")
    blocks.append(", ".join(f"{name} {version}" for name, version in facts["versions"].items()) + f"; model contract {facts['contract']}")
    return "\n\n".join(blocks)


def _model_block(name: str, entry: Mapping[str, Any], is_default: bool = False) -> str:
    kinds = [kind for kind in PRECISIONS if kind in entry]
    lines = [f"{name}{' (default)' if is_default else ''}", _row("", kinds)]
    lines.append(_row("bytes", [f"{entry[kind]['bytes']:,}" for kind in kinds]))
    lines.append(_row("SHA-256", [entry[kind]["sha256"][:SHORT_SHA] for kind in kinds]))
    lines += [_row(f"{group} %", [_percent(entry[kind]["figures"].get(group, {})) for kind in kinds]) for group in _sets(entry, kinds)]
    for batch in entry[kinds[0]].get("latency_us_per_digit", {}):
        label = f"us a digit, {batch.replace('_', ' ')}"
        lines.append(_row(label, [f"{entry[kind]['latency_us_per_digit'][batch]['p50']:.1f}" for kind in kinds]))
    lines += [f"  {label:{LABEL_WIDTH}}{text}" for label, text in _origin(entry)]
    return "\n".join(lines)


def _row(label: str, cells: list[str]) -> str:
    return f"  {label:{LABEL_WIDTH}}" + "".join(f"{cell:>{COLUMN_WIDTH}}" for cell in cells)


def _sets(entry: Mapping[str, Any], kinds: list[str]) -> list[str]:
    return list(dict.fromkeys(group for kind in kinds for group in entry[kind].get("figures", {})))


def _percent(figures: Mapping[str, Any]) -> str:
    """Accuracy; for marks that are no digit, the share refused."""
    value = figures.get("rejected_percent", figures.get("accuracy_percent"))
    return "-" if value is None else f"{value:.2f}"


def _origin(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    training, judged = entry.get("training", {}), entry.get("judged", {})
    sets = [f"{part['title']} ({part['licence']})" for part in entry.get("training_sets", {}).values()]
    rows = [
        ("licence", str(entry.get("licence", "not stated"))),
        ("trained", f"commit {str(training.get('commit', 'not recorded'))[:SHORT_SHA]}, seed {training.get('seed', 'not recorded')}"),
        *(("on" if index == 0 else "", text) for index, text in enumerate(sets)),
    ]
    if "int8_refused" in entry:
        rows.append(("int8", f"not published: missed {', '.join(check['gate'] for check in entry['int8_refused']['missed'])}"))
    if judged:
        rows.append(("judged", f"{judged['date'][:10]} on {judged['machine']['processor']}, {_gates(judged)}"))
    return rows


def _origin_of_confidence(known: Mapping[str, Any] | None) -> str:
    if known is None:
        return "the networks' own probabilities: no curve was fitted with these files"
    folders = known["fitted"]["folders"]
    pages, digits = (sum(part[word] for part in folders) for word in ("pages", "digits"))
    return f"fitted on {pages} pages, {digits:,} digits, {known['fitted']['date']}; --max-error from {100 * known['best_promise']:.2g} %"


def _gates(judged: Mapping[str, Any]) -> str:
    count = len(judged["gates"])
    if judged["committed_gates"]:
        return f"all {count} release gates passed"
    return f"by {count} gates that are not the release gates: not a model to rely on"
