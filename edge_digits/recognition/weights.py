"""Finds a model file, checks that it is the one its manifest names, and reads what it says about itself."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import ModelContractError, ModelDamagedError, ModelNotFoundError
from edge_digits.recognition.adapted import adapted_names

CONTRACT_VERSION: Final = 1
LABELS: Final = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "not one digit")
NOT_ONE_DIGIT: Final = 10
DEFAULT_NOT_ONE_DIGIT_SHARE: Final = 0.25
"""For a model that does not say: the share in the training mixture (export/mixture.py)."""

WEIGHTS_FOLDER: Final = Path(__file__).resolve().parent.parent / "weights"
MANIFEST_NAME: Final = "manifest.json"
PRECISIONS: Final = ("int8", "float")
"""Of a shipped model's files, in the order in which they are listed."""
COMPANIONS: Final = ("context", "strings", "finder")
"""Kinds of the small networks that a folder of models may hold beside the tile classifiers, at most one of each."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model file, read and verified against its manifest.

    data : the bytes of the ONNX file. sha256 : of those bytes. precision : "int8" or "float".
    golden : tiles uint8 (k, 28, 28) and the logits float32 (k, 11) that this very file gave when it was published, for a
        companion its inputs as uint8 and its outputs; None for a file without a manifest.
    entry : the manifest's entry (figures, licence, training), {} without a manifest. folder : where the file lies.
    """

    name: str
    precision: str
    data: bytes
    sha256: str
    golden: tuple[NDArray[np.uint8], NDArray[np.float32]] | None
    entry: dict[str, Any]
    folder: Path = WEIGHTS_FOLDER


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model file says about itself in its metadata.

    temperature : logits are divided by it before softmax, > 0.
    reject_threshold : digits below this probability are "?", 0..1.
    training : the training record (commit, seed, machine, figures).
    not_one_digit_share : share of "not one digit" among the glyphs for which its probabilities hold, 0..1; a reader
        corrects them by the share that it finds on a page.
    """

    temperature: float
    reject_threshold: float
    training: dict[str, Any]
    not_one_digit_share: float = DEFAULT_NOT_ONE_DIGIT_SHARE


def load_manifest(folder: Path = WEIGHTS_FOLDER) -> dict[str, Any]:
    """The manifest of a folder of models.

    Raises ModelNotFoundError without one, ModelDamagedError when it is no JSON, ModelContractError for another contract.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"{path}: no model manifest; reinstall edge-digits or publish a model") from error
    except (ValueError, OSError) as error:
        raise ModelDamagedError(f"{path}: manifest cannot be read ({error}); reinstall edge-digits") from error
    if not isinstance(manifest, dict):
        raise ModelDamagedError(f"{path}: manifest holds no JSON object; reinstall edge-digits")
    if manifest.get("contract") != CONTRACT_VERSION:
        raise ModelContractError(
            f"{path}: contract {manifest.get('contract')}, this edge_digits reads {CONTRACT_VERSION}; upgrade the older of the two"
        )
    if not isinstance(manifest.get("models"), dict) or manifest.get("default") not in manifest["models"]:
        raise ModelDamagedError(f"{path}: manifest names no models or no default among them; reinstall edge-digits")
    companions = manifest.get("companions", {})
    if not isinstance(companions, dict) or not all(isinstance(entry, dict) for entry in companions.values()):
        raise ModelDamagedError(f"{path}: 'companions' of the manifest is no table of networks; reinstall edge-digits")
    return manifest


def find_model(model: str, precision: str) -> ModelFile:
    """Read and verify a model by name (shipped), by the path of an .onnx file, or by that of a folder with a manifest.

    precision : "int8" or "float", or "auto": int8, and float where a model was published without int8, which some networks
        lose too much by. The path of a file names its precision itself.
    Raises ModelNotFoundError, ModelDamagedError, ModelContractError.
    """
    if is_path(model):
        return _read_path(Path(model), precision)
    manifest = load_manifest()
    name = manifest["default"] if model == "default" else model
    if name not in manifest["models"]:
        known = ", ".join(sorted(manifest["models"]))
        own = f"; adapted: {', '.join(adapted_names())}" if adapted_names() else ""
        raise ModelNotFoundError(f"no model '{model}'; shipped: {known}{own}; or give the path of an .onnx file")
    return _read_entry(WEIGHTS_FOLDER, name, manifest["models"][name], precision)


def find_companion(kind: str, precision: str, folder: Path = WEIGHTS_FOLDER) -> ModelFile | None:
    """Read and verify a companion of the tile classifiers of a folder; None where the folder has no manifest or names none.

    kind : one of COMPANIONS. precision : as for find_model. Raises ModelNotFoundError, ModelDamagedError, ModelContractError.
    """
    if not (folder / MANIFEST_NAME).is_file():
        return None
    entry = load_manifest(folder).get("companions", {}).get(kind)
    return None if entry is None else _read_entry(folder, kind, entry, precision, ("inputs", "outputs"))


def is_path(model: str) -> bool:
    """Whether a model is named by path (of an .onnx file, or with a folder in it) and not by name."""
    return Path(model).suffix == ".onnx" or len(Path(model).parts) > 1


def _read_path(path: Path, precision: str) -> ModelFile:
    if path.is_dir():
        manifest = load_manifest(path)
        return _read_entry(path, manifest["default"], manifest["models"][manifest["default"]], precision)
    if (path.parent / MANIFEST_NAME).is_file():
        for name, entry in load_manifest(path.parent)["models"].items():
            for kind in PRECISIONS:
                if entry.get(kind, {}).get("file") == path.name:
                    return _read_entry(path.parent, name, entry, kind)
    data = _read_bytes(path)
    # A quantized graph names its quantizing nodes in clear text; a file without a manifest says so nowhere else.
    found = "int8" if b"DequantizeLinear" in data else "float"
    return ModelFile(path.stem, found, data, hashlib.sha256(data).hexdigest(), None, {}, path.parent)


def _read_entry(
    folder: Path, name: str, entry: dict[str, Any], precision: str, golden_arrays: tuple[str, str] = ("tiles", "logits")
) -> ModelFile:
    if precision == "auto":
        precision = next((kind for kind in PRECISIONS if kind in entry), PRECISIONS[0])
    if precision not in entry:
        raise ModelNotFoundError(f"model '{name}' has no {precision} file; it has: {', '.join(k for k in PRECISIONS if k in entry)}")
    part = entry[precision]
    try:
        data = _read_verified(folder / part["file"], part["sha256"])
        golden = _read_verified(folder / part["golden"]["file"], part["golden"]["sha256"])
        with np.load(io.BytesIO(golden), allow_pickle=False) as arrays:
            pair = arrays[golden_arrays[0]].astype(np.uint8), arrays[golden_arrays[1]].astype(np.float32)
    except (KeyError, TypeError) as error:
        raise ModelDamagedError(f"{folder / MANIFEST_NAME}: entry '{name}' {precision} lacks {error}; reinstall the model") from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise ModelDamagedError(f"{folder}: golden tiles of '{name}' {precision} cannot be read ({error}); reinstall the model") from error
    return ModelFile(name, precision, data, part["sha256"], pair, entry, folder)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"{path}: no such model file; `edge-digits info` lists the shipped ones") from error
    except OSError as error:
        raise ModelNotFoundError(f"{path}: model file cannot be read ({error.strerror}); check the path and its permissions") from error


def _read_verified(path: Path, sha256: str) -> bytes:
    data = _read_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelDamagedError(f"{path}: SHA-256 is {found[:12]}..., the manifest says {sha256[:12]}...; reinstall the model")
    return data


def read_card(metadata: dict[str, str], name: str) -> ModelCard:
    """Check a model's metadata against the contract and read it.

    Raises ModelContractError when the contract version or the labels differ, or a value is missing or out of range.
    """
    version, labels = metadata.get("contract_version"), metadata.get("labels")
    if version != str(CONTRACT_VERSION) or labels != json.dumps(LABELS):
        raise ModelContractError(
            f"{name}: not a model of contract {CONTRACT_VERSION} (contract_version {version}, labels {labels}); "
            "use one that `python -m export.to_onnx` wrote"
        )
    try:
        share = float(metadata.get("not_one_digit_share", DEFAULT_NOT_ONE_DIGIT_SHARE))
        card = ModelCard(float(metadata["temperature"]), float(metadata["reject_threshold"]), json.loads(metadata["training"]), share)
    except (KeyError, ValueError) as error:
        raise ModelContractError(f"{name}: metadata incomplete ({error}); export the model again") from error
    if not (card.temperature > 0 and 0 <= card.reject_threshold <= 1 and 0 < card.not_one_digit_share < 1):
        raise ModelContractError(
            f"{name}: temperature {card.temperature} or reject threshold {card.reject_threshold} out of range; export again"
        )
    return card
