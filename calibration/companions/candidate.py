"""One file of a companion on trial: opened by the product's own engine, and what it reads of examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration import onnx_files
from calibration.companions.sets import Examples
from calibration.errors import CalibrationError
from edge_digits.recognition.companions import CONTRACTS, CompanionCard, as_companion_input, read_companion_card
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.strings import BLANK
from edge_digits.recognition.weights import COMPANIONS

Outputs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """path, data, engine (one thread) and card of a file belong together."""

    path: Path
    data: bytes
    engine: Engine
    card: CompanionCard

    def outputs(self, inputs: NDArray[np.uint8]) -> Outputs:
        """inputs : uint8, of the kind's contract. Returns its output."""
        return self.engine.run(CONTRACTS[self.card.kind].output, as_companion_input(inputs))

    def all_outputs(self, examples: Examples) -> list[Outputs]:
        """The outputs of all examples, batch by batch."""
        return [self.outputs(batch) for batch in examples.batches()]


def load_companion_model(path: Path) -> Any:
    """An onnx.ModelProto of a companion's contract. Raises CalibrationError; ModelContractError for foreign metadata."""
    try:
        model = onnx_files.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise CalibrationError(
            f"{path}: cannot be read ({error.strerror}); give an ONNX file of `python -m export.companions_to_onnx`"
        ) from error
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    kind = onnx_files.metadata(model).get("kind", "none")
    if kind not in COMPANIONS or opset != onnx_files.OPSET:
        raise CalibrationError(f"{path}: kind '{kind}', opset {opset}; wanted {' or '.join(COMPANIONS)}, opset {onnx_files.OPSET}")
    read_companion_card(onnx_files.metadata(model), kind, str(path))
    return model


def load_candidate(path: Path) -> Candidate:
    """Open a file. Raises CalibrationError or ModelError when it is none of the contract."""
    load_companion_model(path)
    data = path.read_bytes()
    engine = Engine(data, threads=1, name=str(path))
    kind = engine.metadata["kind"]
    if not CONTRACTS[kind].fits(engine.inputs, engine.outputs):
        raise CalibrationError(f"{path}: inputs {engine.inputs}, outputs {engine.outputs} are not those of {kind}; export it again")
    return Candidate(path, data, engine, read_companion_card(engine.metadata, kind, str(path)))


def readings(outputs: Sequence[Outputs], examples: Examples) -> list[tuple[int, ...]]:
    """What is read of every example: the best label of a glyph, the labels of a run.

    outputs : batch by batch, of a context network where the examples have log-probabilities, else of a string network.
    """
    if examples.said is None:
        return [decoded(columns) for batch in outputs for columns in batch]
    return [(int(label),) for label in (np.concatenate(outputs) + examples.said).argmax(axis=1)]


def decoded(columns: Outputs) -> tuple[int, ...]:
    """The best label of every column, repetitions and blanks taken out. columns : float32 (k, 12)."""
    best = columns.argmax(axis=1)
    fresh = np.concatenate([[True], best[1:] != best[:-1]])
    return tuple(int(label) for label in best[fresh & (best != BLANK)])


def largest_difference(first: Iterable[Outputs], second: Iterable[Outputs]) -> float:
    """Of one output, over all batches."""
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))
