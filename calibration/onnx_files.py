"""Reading, checking and writing ONNX files of the contract, their metadata kept."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import onnx

from calibration.errors import CalibrationError
from edge_digits.recognition.weights import ModelCard, read_card

OPSET: Final = 17
IR_VERSION: Final = 8
"""The IR version that belongs to opset 17: an old runtime on a small board refuses newer files."""

INPUT: Final = "tiles"
OUTPUTS: Final = ("logits", "features")


def load_model(path: Path) -> Any:
    """An onnx.ModelProto of the contract. Raises CalibrationError; ModelContractError for foreign metadata."""
    try:
        model = parse(path.read_bytes(), str(path))
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be read ({error.strerror}); give an ONNX file of `python -m export.to_onnx`") from error
    read_card(metadata(model), str(path))
    inputs, outputs = [i.name for i in model.graph.input], {o.name for o in model.graph.output}
    opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    if inputs != [INPUT] or outputs != set(OUTPUTS) or opset != OPSET:
        raise CalibrationError(
            f"{path}: inputs {inputs}, outputs {sorted(outputs)}, opset {opset}; wanted '{INPUT}', {', '.join(OUTPUTS)}, opset {OPSET}"
        )
    return model


def parse(data: bytes, name: str) -> Any:
    """An onnx.ModelProto of the bytes of a file. Raises CalibrationError when they are none, or an unsound one."""
    try:
        model = onnx.load_model_from_string(data)
        onnx.checker.check_model(model)
    except Exception as error:  # onnx and protobuf raise types of their own, without a common public base
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CalibrationError(f"{name}: no sound ONNX file ({reason}); export it again") from error
    return model


def metadata(model: Any) -> dict[str, str]:
    """The model's own key-value pairs."""
    return {entry.key: entry.value for entry in model.metadata_props}


def set_metadata(model: Any, values: Mapping[str, str]) -> None:
    """Replace the model's key-value pairs."""
    del model.metadata_props[:]
    for key in sorted(values):
        model.metadata_props.add(key=key, value=values[key])


def shorten_names(model: Any) -> None:
    """Number the inner tensors and drop the nodes' names: a third of a small file is names. Inputs and outputs keep theirs."""
    graph = model.graph
    kept = {"", *(value.name for value in (*graph.input, *graph.output))}
    numbers: dict[str, str] = {}

    def short(name: str) -> str:
        return name if name in kept else numbers.setdefault(name, f"{len(numbers):x}")

    for node in graph.node:
        node.name = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    for initializer in graph.initializer:
        initializer.name = short(initializer.name)


def save_model(model: Any, path: Path) -> int:
    """Write the file in one step, so that an interrupted run leaves no half of one; returns its bytes."""
    return write_atomically(path, model.SerializeToString(deterministic=True))


def write_card(path: Path, card: ModelCard) -> None:
    """Write temperature and reject threshold into a model file, everything else kept."""
    model = load_model(path)
    values = {
        **metadata(model),
        "temperature": f"{card.temperature:.6g}",
        "reject_threshold": f"{card.reject_threshold:.6g}",
        "not_one_digit_share": f"{card.not_one_digit_share:.6g}",
    }
    set_metadata(model, {**values, "training": json.dumps(card.training)})
    save_model(model, path)


def write_atomically(path: Path, data: bytes) -> int:
    """Write beside the target, then replace it. Returns the number of bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return len(data)
