"""Makes a fine-tuned network a model folder that `--model` takes: float file, int8 file, judged, published with golden tiles."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration import onnx_files
from calibration.gates import load_gates
from calibration.judge import PRECISIONS, judge, load_candidate
from calibration.publish import publish, refuse_unless_passed
from calibration.quantize import quantize
from calibration.temperature import fit_files
from calibration.tile_sets import load_tile_sets
from edge_digits.errors import ModelError, UsageError
from edge_digits.recognition.adapted import check_name
from edge_digits.recognition.weights import NOT_ONE_DIGIT, WEIGHTS_FOLDER, is_path, load_manifest
from export.calibration_tiles import save_npz
from export.from_onnx import MODELS_FOLDER
from export.harm_guard import FrozenSet
from export.networks import ConvNetwork
from export.to_onnx import to_onnx, write_atomically

GATES: Final = Path(onnx_files.__file__).resolve().parent / "personal_gates.toml"
RESULTS_FOLDER: Final = Path("runs/finetune")
RECORD_NAME: Final = "record.json"
FINE_TUNED: Final = "fine_tuned"
"""Key of the training record under which a model says what it was fine-tuned from, and how."""

LATENCY_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Target:
    """Where the model goes. name : of the model. folder : that `--model` takes."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class PersonalTiles:
    """What the int8 file is made and judged with: tiles uint8 (n, 28, 28) each.

    calibration : of training. own, own_labels : the person's samples. frozen : glyphs that never train.
    """

    calibration: NDArray[np.uint8]
    own: NDArray[np.uint8]
    own_labels: NDArray[np.int64]
    frozen: FrozenSet

    def save(self, path: Path) -> None:
        """Write the tiles file that calibration reads."""
        digits = self.frozen.labels != NOT_ONE_DIGIT
        arrays: dict[str, NDArray[Any]] = {"calibration_tiles": self.calibration}
        for name, tiles, labels in (
            ("temperature", self.frozen.tiles, self.frozen.labels),
            ("own_samples", self.own, self.own_labels),
            ("frozen_digits", self.frozen.tiles[digits], self.frozen.labels[digits]),
            ("frozen_marks", self.frozen.tiles[~digits], self.frozen.labels[~digits]),
        ):
            if len(labels):
                arrays[f"{name}_tiles"], arrays[f"{name}_labels"] = tiles, labels
        save_npz(path, arrays)


def find_target(out: str) -> Target:
    """A plain NAME goes to runs/finetune/NAME, anything else is a folder.

    Raises UsageError for a name that cannot be one, for the folder of shipped models, and for a folder that holds anything
    but an earlier fine-tuned model of that name.
    """
    folder = Path(out) if is_path(out) or Path(out).is_absolute() else RESULTS_FOLDER / out
    name = folder.name
    check_name(name)
    if folder.resolve() in (WEIGHTS_FOLDER, MODELS_FOLDER):
        raise UsageError(f"{folder}: holds the models that are shipped; choose another --out")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; choose another --out")
    if folder.is_dir() and any(folder.iterdir()) and not _is_earlier(folder, name):
        raise UsageError(f"{folder}: holds something else than a fine-tuned model '{name}'; choose another --out")
    return Target(name, folder)


def _is_earlier(folder: Path, name: str) -> bool:
    try:
        models = load_manifest(folder)["models"]
    except ModelError:
        return False
    return list(models) == [name] and FINE_TUNED in models[name].get("training", {})


def publish_personal(
    target: Target, network: ConvNetwork, holds: tuple[float, float], training: dict[str, Any], tiles: PersonalTiles, mnist: Path
) -> dict[str, Any]:
    """Export, quantize, judge and publish; returns the manifest's entry.

    holds : temperature and share of "not one digit" for which the network's probabilities hold, those of its base.
    mnist : folder of the idx files, for golden tiles.
    Raises RefusedError when a gate is missed, CalibrationError and ModelError; the target is then as before.
    """
    with tempfile.TemporaryDirectory(prefix="edge_digits_finetune_") as staged:
        tiles.save(Path(staged) / "tiles.npz")
        sets = load_tile_sets(Path(staged) / "tiles.npz")
        float_path, int8_path = (Path(staged) / f"{target.name}.{kind}.onnx" for kind in ("float", "int8"))
        write_atomically(float_path, to_onnx(network, holds[0], training, holds[1]))
        onnx_files.save_model(quantize(onnx_files.load_model(float_path), sets.calibration), int8_path)
        fit_files(float_path, int8_path, sets.temperature)
        candidates = dict(zip(PRECISIONS, (load_candidate(float_path), load_candidate(int8_path)), strict=True))
        verdict = judge(candidates, sets, load_gates(GATES), LATENCY_ROUNDS)
        refuse_unless_passed(verdict, candidates)
        try:
            return publish(target.name, verdict, candidates, mnist, target.folder)
        except OSError as error:
            raise UsageError(f"{target.folder}: cannot be written ({error.strerror}); choose another --out") from error


def write_record(target: Target, record: dict[str, Any]) -> None:
    """What was done and measured, beside the model."""
    write_atomically(target.folder / RECORD_NAME, (json.dumps(record, indent=1) + "\n").encode())


def for_command_line(folder: Path) -> str:
    """A folder as `--model` takes it: a single word would be the name of a shipped model."""
    return str(folder) if is_path(str(folder)) else str(folder.resolve())
