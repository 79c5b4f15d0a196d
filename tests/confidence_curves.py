"""A confidence curve for tests: of the shipped model, laid beside a copy of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_digits.options import Options, Precision, RecognitionOptions
from edge_digits.reader import Reader
from edge_digits.recognition.weights import WEIGHTS_FOLDER

LEVELS = ((0.99, 0.6, 0.001, 0.004), (0.9, 0.8, 0.004, 0.01), (0.5, 0.95, 0.02, 0.03), (0.0, 1.0, 0.1, 0.12))
"""threshold, named, wrong, at_most; surest first."""
HALVED = ((-8.0, 8.0), (-4.0, 4.0))
"""Log-odds of the map for digits: every confidence is half as sure as it was."""


def curve_entry(networks: Sequence[Sequence[str]] = (("a" * 64,),), **changes: Any) -> dict[str, Any]:
    """One curve as it stands in a file."""
    levels = [dict(zip(("threshold", "named", "wrong", "at_most"), level, strict=True)) for level in LEVELS]
    fitted = {"date": "2026-11-21", "folders": [{"folder": "pages", "half": "tune", "pages": 40, "digits": 1000}]}
    entry = {
        "model": "digits",
        "networks": [list(chosen) for chosen in networks],
        "digits": {"given": list(HALVED[0]), "right": list(HALVED[1])},
        "numbers": {"given": [-8.0, 8.0], "right": [-8.0, 8.0]},
        "levels": levels,
        "fitted": fitted,
    }
    return {**entry, **changes}


def write_curves(path: Path, *entries: dict[str, Any]) -> Path:
    """A file of curves."""
    path.write_text(json.dumps({"format": 1, "curves": list(entries)}), encoding="utf-8")
    return path


def model_with_curve(folder: Path, *, of_another: bool = False, **changes: Any) -> Path:
    """A copy of the shipped models with a curve beside them; of_another : one that was fitted with other networks."""
    copy = Path(shutil.copytree(WEIGHTS_FOLDER, folder / "weights"))
    (copy / "confidence.json").unlink(missing_ok=True)
    networks = [("b" * 64,)] if of_another else [_networks(copy, precision) for precision in ("int8", "float")]
    write_curves(copy / "confidence.json", curve_entry(networks, **changes))
    return copy


def _networks(folder: Path, precision: Precision) -> tuple[str, ...]:
    recognition = RecognitionOptions(model=str(folder), provider="cpu", precision=precision, threads=1)
    return Reader(options=Options(recognition=recognition)).networks
