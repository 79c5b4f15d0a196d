"""What a model bears, refuses and knows of itself: disturbed digits, marks that are no digit, confidence.

    python -m calibration.robustness --model FILE... (--tiles FILE | --data DIR) --out FILE.json [--pictures DIR]

Robustness: MNIST test digits with other strokes, tilts, papers and lights (disturbances.py), accuracy each and difference
to clean. "Not one digit": for each kind of mark the area under the ROC curve of that probability against MNIST test
digits, and the share accepted at the threshold that keeps 99 % of those. Confidence: expected calibration error after
temperature, error among the surest 98 %, reliability by bins. Several files, say of five seeds, give mean and spread too.

The table goes to stdout, every figure into the JSON file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from calibration import figures, onnx_files
from calibration.disturbances import CONTROLS, DISTURBANCES, disturb
from calibration.errors import CalibrationError, report
from calibration.judge import Candidate, load_candidate, machine_facts
from calibration.pictures import draw_reliability, draw_robustness
from calibration.reserve import read_idx
from calibration.tile_sets import LabelledTiles, Tiles, load_tile_sets
from edge_digits.paper.tiles import make_tile
from edge_digits.recognition.weights import NOT_ONE_DIGIT

DIGITS: Final = "mnist_test"
KEPT_PERCENT: Final = 99.0
COVERAGE_PERCENT: Final = 98.0
RECORD_FORMAT: Final = 1
MADE_PREFIX: Final = "made_"
TRAINED_SUFFIX: Final = "_train"


@dataclass(frozen=True, slots=True)
class Material:
    """What all models are measured on.

    clean : MNIST test digits. disturbed : the same digits by name of the disturbance, uint8 (n, 28, 28) each.
    digit_sets : labelled held-out sets that hold digits. marks : uint8 (m, 28, 28) by kind. origin : file, its SHA-256, counts.
    """

    clean: LabelledTiles
    disturbed: Mapping[str, Tiles]
    digit_sets: Mapping[str, LabelledTiles]
    marks: Mapping[str, Tiles]
    origin: Mapping[str, Any]


def from_tiles(path: Path, limit: int | None = None) -> Material:
    """Everything a tiles file holds; at most `limit` tiles of each set. Raises CalibrationError."""
    sets = load_tile_sets(path)
    if not sets.marks:
        raise CalibrationError(
            f"{path}: holds no marks by kind (marks_<kind>_tiles); it is older than they are, write it again with "
            "`python -m export.calibration_tiles`"
        )
    with_digits = {name: _first(part, limit) for name, part in sets.held_out.items() if (part.labels != NOT_ONE_DIGIT).any()}
    if DIGITS not in with_digits:
        raise CalibrationError(f"{path}: holds no '{DIGITS}'; it has {', '.join(sorted(sets.held_out)) or 'no labelled set'}")
    marks = {kind: tiles[:limit] for kind, tiles in sets.marks.items()}
    return _material(with_digits, marks, {"tiles_sha256": sets.sha256})


def from_data(folder: Path, limit: int | None = None) -> Material:
    """MNIST test digits of a data folder, by the tile rule; no other set and no marks. Raises InputError, CalibrationError."""
    images, labels = (read_idx(folder / "mnist" / f"t10k-{kind}.gz") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    if images.ndim != 3 or labels.shape != images.shape[:1] or len(labels) == 0 or labels.max() >= NOT_ONE_DIGIT:
        raise CalibrationError(f"{folder / 'mnist'}: images {images.shape} and labels {labels.shape} are no pair of MNIST files")
    chosen = slice(limit)
    digits = LabelledTiles(np.stack([make_tile(image) for image in images[chosen]]), labels[chosen].astype(np.int64))
    return _material({DIGITS: digits}, {}, {"data": folder.name})


def _first(part: LabelledTiles, limit: int | None) -> LabelledTiles:
    return LabelledTiles(part.tiles[:limit], part.labels[:limit])


def _material(digit_sets: Mapping[str, LabelledTiles], marks: Mapping[str, Tiles], source: dict[str, Any]) -> Material:
    clean = digit_sets[DIGITS]
    progress = tqdm(DISTURBANCES, desc="disturbing digits", file=sys.stderr)
    disturbed = {name: disturb(clean.tiles, name) for name in progress}
    return Material(clean, disturbed, digit_sets, marks, {**source, "digits": len(clean)})


def measure(candidate: Candidate, material: Material) -> dict[str, Any]:
    """All figures of one model file."""
    temperature = candidate.card.temperature
    logits = {name: candidate.logits(part.tiles) for name, part in material.digit_sets.items()}
    result: dict[str, Any] = {
        "file": candidate.path.name,
        "sha256": hashlib.sha256(candidate.data).hexdigest(),
        "bytes": len(candidate.data),
        "temperature": temperature,
        "clean_accuracy_percent": figures.accuracy_percent(logits[DIGITS], material.clean.labels),
    }
    result["robustness"] = _robustness(candidate, material, result["clean_accuracy_percent"])
    if material.marks:
        result["not_one_digit"] = _not_one_digit(candidate, logits[DIGITS], material.marks)
    result["confidence"] = {name: _confidence(logits[name], part, temperature) for name, part in material.digit_sets.items()}
    return result


def _robustness(candidate: Candidate, material: Material, clean_percent: float) -> dict[str, dict[str, float]]:
    rows = {}
    for name, tiles in material.disturbed.items():
        accuracy = figures.accuracy_percent(candidate.logits(tiles), material.clean.labels)
        rows[name] = {"accuracy_percent": accuracy, "difference_points": accuracy - clean_percent}
    return rows


def _not_one_digit(candidate: Candidate, digits: figures.Logits, marks: Mapping[str, Tiles]) -> dict[str, Any]:
    temperature, glyphs = candidate.card.temperature, candidate.card.training.get("glyphs", {})
    of_digits = figures.log_odds(digits, temperature, NOT_ONE_DIGIT)
    threshold = figures.keeping_threshold(of_digits, KEPT_PERCENT)
    kinds: dict[str, dict[str, Any]] = {}
    for kind, tiles in marks.items():
        scores = figures.log_odds(candidate.logits(tiles), temperature, NOT_ONE_DIGIT)
        kinds[kind] = {
            "tiles": len(tiles),
            "in_training": kind.startswith(MADE_PREFIX) or f"{kind}{TRAINED_SUFFIX}" in glyphs,
            "auroc": figures.area_under_roc(scores, of_digits),
            "accepted_percent": 100.0 * float((scores <= threshold).mean()),
        }
    unseen = [row for row in kinds.values() if not row["in_training"]]
    return {
        "threshold_probability": float(1.0 / (1.0 + np.exp(-threshold))),
        "digits_kept_percent": 100.0 * float((of_digits <= threshold).mean()),
        "kinds": kinds,
        "mean_of_kinds": _mean_of_kinds(list(kinds.values())),
        **({"mean_of_kinds_not_in_training": _mean_of_kinds(unseen)} if unseen else {}),
    }


def _mean_of_kinds(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {key: float(np.mean([row[key] for row in rows])) for key in ("auroc", "accepted_percent")}


def _confidence(logits: figures.Logits, part: LabelledTiles, temperature: float) -> dict[str, Any]:
    ten = np.ascontiguousarray(logits[:, :NOT_ONE_DIGIT])
    return {
        "tiles": len(part),
        "accuracy_percent": figures.accuracy_percent(logits, part.labels),
        "ece_percent": figures.calibration_error_percent(logits, part.labels, temperature),
        "ece_among_digits_percent": figures.calibration_error_percent(ten, part.labels, temperature),
        "selective_error_percent": figures.selective_error_percent(logits, part.labels, temperature, COVERAGE_PERCENT),
        "reliability": figures.reliability(logits, part.labels, temperature),
    }


def summarize(models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean over models and sample standard deviation of every figure that all models have, in the models' own nesting.

    Returns {"models", "mean", "spread"}; the spread of one model is 0.
    """
    shared = ("clean_accuracy_percent", "robustness", "not_one_digit", "confidence")
    kept = [{key: model[key] for key in shared if key in model} for model in models]
    return {
        "models": len(models),
        "mean": _over(kept, lambda values: float(np.mean(values))),
        "spread": _over(kept, lambda values: float(np.std(values, ddof=1)) if len(values) > 1 else 0.0),
    }


def _over(parts: Sequence[Any], reduce: Any) -> Any:
    """The same nesting with each number reduced over the parts; what is no number is left out."""
    result = {}
    for key, value in parts[0].items():
        twins = [part[key] for part in parts if key in part]
        if len(twins) < len(parts):
            continue
        if isinstance(value, dict):
            result[key] = _over(twins, reduce)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            result[key] = round(reduce(twins), 6)
    return result


def as_table(record: Mapping[str, Any]) -> str:
    """Mean and spread for people, in the order of the record."""
    mean, spread = record["summary"]["mean"], record["summary"]["spread"]
    lines = [f"models {record['summary']['models']}; mean and spread over them", ""]
    lines.append(f"{'MNIST test digits':34}{'accuracy %':>16}{'to clean':>10}")
    lines.append(f"{'clean':34}{_pair(mean['clean_accuracy_percent'], spread['clean_accuracy_percent']):>16}")
    for name, row in mean["robustness"].items():
        note = " (control)" if name in CONTROLS else ""
        accuracy = _pair(row["accuracy_percent"], spread["robustness"][name]["accuracy_percent"])
        lines.append(f"{name + note:34}{accuracy:>16}{row['difference_points']:>+10.2f}")
    if "not_one_digit" in mean:
        lines += ["", *_mark_lines(mean["not_one_digit"], spread["not_one_digit"], record["models"][0]["not_one_digit"]["kinds"])]
    lines += ["", f"{'confidence':34}{'accuracy %':>11}{'ECE %':>16}{'digits alone':>14}{f'error at {COVERAGE_PERCENT:g} %':>16}"]
    for name, row in mean["confidence"].items():
        ece = _pair(row["ece_percent"], spread["confidence"][name]["ece_percent"])
        selective = f"{row['selective_error_percent']:>16.3f}"
        lines.append(f"{name:34}{row['accuracy_percent']:>11.2f}{ece:>16}{row['ece_among_digits_percent']:>14.3f}{selective}")
    return "\n".join(lines)


def _mark_lines(mean: Mapping[str, Any], spread: Mapping[str, Any], kinds: Mapping[str, Any]) -> list[str]:
    lines = [f"{'marks (* kind not in training)':34}{'AUROC':>16}{'accepted %':>16}"]
    rows = {f"{kind}{'' if kinds[kind]['in_training'] else ' *'}": (row, spread["kinds"][kind]) for kind, row in mean["kinds"].items()}
    for key, label in (("mean_of_kinds", "mean of kinds"), ("mean_of_kinds_not_in_training", "mean of kinds *")):
        if key in mean:
            rows[label] = mean[key], spread[key]
    for label, (row, off) in rows.items():
        lines.append(f"{label:34}{_pair(row['auroc'], off['auroc'], 4):>16}{_pair(row['accepted_percent'], off['accepted_percent']):>16}")
    return lines


def _pair(mean: float, spread: float, digits: int = 2) -> str:
    return f"{mean:.{digits}f} +-{spread:.{digits}f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one or several files."""
    parser = argparse.ArgumentParser(prog="python -m calibration.robustness", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True, type=Path, nargs="+", metavar="FILE", help="ONNX file(s) of the contract, float or int8")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--tiles", type=Path, metavar="FILE", help="tiles file of `python -m export.calibration_tiles`")
    source.add_argument("--data", type=Path, metavar="DIR", help="data folder: its MNIST test digits alone, no marks and no other set")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.json", help="where the record is written")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw robustness.png and reliability.png there (needs matplotlib)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many tiles of each set, for a trial run")
    arguments = parser.parse_args(argv)
    return report("calibration.robustness", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.limit is not None and arguments.limit < 1:
        raise CalibrationError(f"limit is {arguments.limit}; give a number above 0")
    candidates = [load_candidate(path) for path in arguments.model]
    material = from_tiles(arguments.tiles, arguments.limit) if arguments.tiles else from_data(arguments.data, arguments.limit)
    models = [measure(candidate, material) for candidate in tqdm(candidates, desc="models", file=sys.stderr)]
    record: dict[str, Any] = {
        "format": RECORD_FORMAT,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "machine": machine_facts(),
        "material": material.origin,
        "models": models,
        "summary": summarize(models),
    }
    if arguments.pictures:
        draw_robustness(arguments.pictures / "robustness.png", record["summary"])
        draw_reliability(arguments.pictures / "reliability.png", {model["file"]: model["confidence"][DIGITS] for model in models})
    onnx_files.write_atomically(arguments.out, (json.dumps(record, indent=1) + "\n").encode())
    print(as_table(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
