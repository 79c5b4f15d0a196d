"""The small networks beside the tile classifier: opened, held against their contract, tested by golden inputs.

They always run on the CPU: a call takes less than handing its inputs to a graphics card. With --precision auto they are
int8, and float where a network was published without int8; --provider cuda takes their float files, run on the CPU too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import ModelContractError, ModelDamagedError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.strips import STRIP_HEIGHT_PX
from edge_digits.paper.surroundings import PATCH_SHAPE
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import (
    COMPANIONS,
    CONTRACT_VERSION,
    DEFAULT_NOT_ONE_DIGIT_SHARE,
    LABELS,
    MANIFEST_NAME,
    PRECISIONS,
    WEIGHTS_FOLDER,
    ModelFile,
    find_companion,
    load_manifest,
)

GOLDEN_TOLERANCE: Final = {"float": 0.01, "int8": 1.5}
"""Largest allowed difference of a golden output, as for the tile classifier. Golden inputs are chosen such that zeros and
noise in place of their outputs lie further off (calibration/companions/golden.py)."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Names and shapes of a network's one input and one output. A shape leaves out the batch; None is a symbolic axis."""

    input: str
    input_shape: tuple[int | None, ...]
    output: str
    output_shape: tuple[int | None, ...]

    def fits(self, inputs: Mapping[str, tuple[Any, ...]], outputs: Mapping[str, tuple[Any, ...]]) -> bool:
        """Whether a graph with these shapes, batch axis first, keeps the contract."""
        wanted = {self.input: self.input_shape}, {self.output: self.output_shape}
        return all(
            set(found) == set(names) and all(_same_shape(found[name], names[name]) for name in names)
            for found, names in zip((inputs, outputs), wanted, strict=True)
        )


def _same_shape(found: tuple[Any, ...], wanted: tuple[int | None, ...]) -> bool:
    axes = (None, *wanted)
    return len(found) == len(axes) and all(
        not isinstance(side, int) if axis is None else side == axis for side, axis in zip(found, axes, strict=True)
    )


CELL_PX: Final = 4
"""Side of a cell of the finder's maps, in pixels of the overview."""
MAP_CHANNELS: Final = CELL_PX**2 + len(LABELS) + 2
"""Of the maps: the 16 pixels of a cell, row by row (logit of being a written digit's ink), the eleven classes of a digit whose middle
lies there (logits), its height and width as logarithms of cells."""

CONTRACTS: Final[dict[str, Contract]] = {
    "context": Contract("surroundings", (2, *PATCH_SHAPE), "corrections", (len(LABELS),)),
    "strings": Contract("strips", (1, STRIP_HEIGHT_PX, None), "columns", (None, len(LABELS) + 1)),
    "finder": Contract("pages", (1, None, None), "maps", (MAP_CHANNELS, None, None)),
}
"""By kind; all float32. `strips` are a multiple of 16 wide, `columns` a quarter as many; the last of the 12 is the blank. `pages` are a
multiple of 16 high and wide, `maps` a quarter as large."""


@dataclass(frozen=True, slots=True)
class CompanionCard:
    """What a network says about itself in its metadata.

    kind : "context" or "strings". training : the training record. not_one_digit_share : of a context network, the share
    of "not one digit" among the proposals it was trained on, 0..1.
    """

    kind: str
    training: dict[str, Any]
    not_one_digit_share: float = DEFAULT_NOT_ONE_DIGIT_SHARE


@dataclass(frozen=True, slots=True)
class Companion:
    """A network ready to run: its verified file, its session on the CPU, its card."""

    file: ModelFile
    engine: Engine
    card: CompanionCard

    def run(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """inputs : uint8, of the contract's shape, n at least 1. Returns the network's output."""
        return self.engine.run(CONTRACTS[self.card.kind].output, as_companion_input(inputs))

    def self_test(self) -> float:
        """Run the golden inputs; returns the largest difference of an output from the published one, 0.0 without any.

        Raises ModelDamagedError beyond the tolerance.
        """
        if self.file.golden is None:
            return 0.0
        inputs, expected = self.file.golden
        found = self.run(inputs)
        worst = float(np.abs(found - expected).max()) if found.shape == expected.shape else float("inf")
        if not worst <= GOLDEN_TOLERANCE[self.file.precision]:
            raise ModelDamagedError(
                f"{self.file.name} {self.file.precision}: self-test failed, golden outputs differ by {worst:.3g}; "
                "try --precision float, and run `edge-digits doctor`"
            )
        return worst


def as_companion_input(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 0..255 to float32 0..1, shape kept."""
    return np.multiply(pixels, np.float32(1 / 255), dtype=np.float32)


def open_companion(kind: str, options: RecognitionOptions | None = None, folder: Path = WEIGHTS_FOLDER) -> Companion | None:
    """Load, verify and self-test a network; None where the folder's manifest names none of that kind.

    kind : "context" or "strings". options : precision and threads count, and provider "cuda" for the float file.
    folder : of models; the shipped one where nothing else is said.
    Raises ModelNotFoundError, ModelDamagedError, ModelContractError, MissingExtraError.
    """
    options = options or RecognitionOptions()
    precision = "float" if options.provider == "cuda" and options.precision == "auto" else options.precision
    file = find_companion(kind, precision, folder)
    if file is None:
        return None
    engine = Engine(file.data, "cpu", options.threads, file.name)
    card = read_companion_card(engine.metadata, kind, file.name)
    if not CONTRACTS[kind].fits(engine.inputs, engine.outputs):
        wanted = CONTRACTS[kind]
        raise ModelContractError(
            f"{file.name}: inputs {engine.inputs}, outputs {engine.outputs}; wanted '{wanted.input}' {wanted.input_shape} and "
            f"'{wanted.output}' {wanted.output_shape} behind a batch axis; reinstall edge-digits"
        )
    companion = Companion(file, engine, card)
    companion.self_test()
    return companion


def companion_files(folder: Path = WEIGHTS_FOLDER) -> dict[str, dict[str, dict[str, Any]]]:
    """SHA-256 and bytes of every companion's files, {kind: {precision: {"sha256", "bytes"}}}, as the folder's manifest tells them.

    Raises ModelDamagedError, ModelContractError.
    """
    if not (folder / MANIFEST_NAME).is_file():
        return {}
    entries = load_manifest(folder).get("companions", {})
    return {
        kind: {precision: {key: entries[kind][precision][key] for key in ("sha256", "bytes")} for precision in published(entries[kind])}
        for kind in COMPANIONS
        if kind in entries
    }


def published(entry: Mapping[str, Any]) -> list[str]:
    """The precisions of a manifest's entry, int8 first."""
    return [precision for precision in PRECISIONS if precision in entry]


def read_companion_card(metadata: Mapping[str, str], kind: str, name: str) -> CompanionCard:
    """Check a network's metadata against the contract and read it. Raises ModelContractError naming what differs."""
    found = tuple(metadata.get(key) for key in ("contract_version", "labels", "kind"))
    if found != (str(CONTRACT_VERSION), json.dumps(LABELS), kind):
        raise ModelContractError(
            f"{name}: not a {kind} network of contract {CONTRACT_VERSION} (contract_version {found[0]}, labels {found[1]}, "
            f"kind {found[2]}); use one that `python -m export.companions_to_onnx` wrote"
        )
    try:
        share = float(metadata["not_one_digit_share"]) if kind == "context" else DEFAULT_NOT_ONE_DIGIT_SHARE
        training = json.loads(metadata["training"])
    except (KeyError, ValueError) as error:
        raise ModelContractError(f"{name}: metadata incomplete ({error}); export the network again") from error
    if not isinstance(training, dict) or not 0 < share < 1:
        raise ModelContractError(f"{name}: training record is no object, or not-one-digit-share {share} is out of range; export it again")
    return CompanionCard(kind, training, share)
