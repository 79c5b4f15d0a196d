"""Writes a trained companion of the tile classifier as a float ONNX file of the contract.

    python -m export.companions_to_onnx context --run runs/context --proposals runs/proposals --out runs/context/context.onnx
    python -m export.companions_to_onnx strings --run runs/string --out runs/string/strings.onnx
    python -m export.companions_to_onnx finder --run runs/finder --out runs/finder/finder.onnx

Batch norm is folded into the convolutions. The file is held against torch before it is written: nothing is written beyond the tolerance.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from calibration.gates import read_toml
from calibration.publish import TRAINING_SETS
from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.paper.strips import STRIP_HEIGHT_PX
from edge_digits.paper.surroundings import PATCH_SHAPE
from edge_digits.recognition.companions import CONTRACTS, as_companion_input
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import COMPANIONS, CONTRACT_VERSION, LABELS, NOT_ONE_DIGIT
from export import checkpoint
from export.context_network import ContextNetwork
from export.finder_network import FinderNetwork
from export.parity import TOLERANCE
from export.string_network import StringNetwork
from export.to_onnx import NEWEST_IR_VERSION, OPSET, fold_batch_norm, training_of, write_atomically

CompanionNetwork = ContextNetwork | StringNetwork | FinderNetwork
NETWORKS: Final = {"context": ContextNetwork, "strings": StringNetwork, "finder": FinderNetwork}
TRAINING_KEYS: Final = ("network", "parameters", "commit", "changed", "seed", "machine", "settings", "proposals", "seconds")

DIGIT_SETS: Final = ("mnist_train", "usps_train", "optdigits_tra", "chen_train", "orand_train")
MARK_SETS: Final = ("letters_train", "symbols_train", "omniglot_train", "cyrillic_train", "fonts", "mined")
PAGE_SETS: Final = ("letters_train", "omniglot_train", "cyrillic_train", "fonts", "photographs")
DEFAULT_SETS: Final = {"context": (*DIGIT_SETS, *PAGE_SETS), "strings": (*DIGIT_SETS, *MARK_SETS), "finder": (*DIGIT_SETS, *PAGE_SETS)}
"""What `python -m export.pages.proposals` and `python -m export.strings` take where the data folder holds everything."""

PARITY_WIDTHS: Final = (16, 48, 96, 256)
PARITY_SIDES: Final = ((16, 16), (128, 128), (32, 96))
PARITY_INPUTS: Final = 64


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        network = load_companion(options.kind, options.run)
        data = to_onnx(options.kind, network, _metadata(options))
        largest = difference(options.kind, network, data)
        if not largest <= TOLERANCE:
            print(
                f"export.companions_to_onnx: ONNX Runtime differs from torch by {largest:.3g}, beyond {TOLERANCE:g}; nothing was written",
                file=sys.stderr,
            )
            return ExitCode.SOME_INPUTS_FAILED
        write_atomically(options.out, data)
    except EdgeDigitsError as error:
        print(f"export.companions_to_onnx: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{options.out}: {len(data)} bytes; differs from torch by {largest:.3g} at most", file=sys.stderr)
    return ExitCode.OK


def load_companion(kind: str, run: Path) -> CompanionNetwork:
    """The averaged network of a run in evaluation mode. Raises UsageError for no run, or one of another network."""
    network = NETWORKS[kind]()
    try:
        network.load_state_dict(checkpoint.load(run)["average"])
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise UsageError(f"{run}: holds no {kind} network of this version ({_first_line(error)}); give the run folder that does") from error
    return network.eval()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def to_onnx(kind: str, network: CompanionNetwork, metadata: dict[str, str]) -> bytes:
    """The bytes of an ONNX file: opset 17, batch axis symbolic, for strips their width as well."""
    contract = CONTRACTS[kind]
    names = {contract.input: contract.input_shape, contract.output: contract.output_shape}
    axes = {name: {0: "n"} | {at: f"{name}_across" for at, side in enumerate(shape, 1) if side is None} for name, shape in names.items()}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs a package more, and writes a newer IR.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            fold_batch_norm(network),
            (torch.zeros(2, *(48 if side is None else side for side in contract.input_shape)),),
            buffer,
            opset_version=OPSET,
            dynamo=False,
            input_names=[contract.input],
            output_names=[contract.output],
            dynamic_axes=axes,
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = min(model.ir_version, NEWEST_IR_VERSION)
    model.graph.name = f"edge_digits_{kind}"
    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def difference(kind: str, network: nn.Module, data: bytes) -> float:
    """Largest absolute difference of an output between torch and ONNX Runtime, over drawn inputs of several shapes.

    Raises ModelDamagedError when ONNX Runtime cannot load the file.
    """
    engine = Engine(data, "cpu", threads=1, name=f"{kind} network")
    largest = 0.0
    for pixels in drawn_inputs(kind):
        inputs = as_companion_input(pixels)
        with torch.inference_mode():
            wanted = network(torch.from_numpy(inputs)).numpy()
        largest = max(largest, float(np.abs(engine.run(CONTRACTS[kind].output, inputs) - wanted).max()))
    return largest


def drawn_inputs(kind: str) -> list[NDArray[np.uint8]]:
    """Batches of random strokes, uint8, the same ones every time: parity needs ink, not digits. One alone, many, other widths."""
    shapes = {
        "context": [(2, *PATCH_SHAPE)] * 2,
        "strings": [(1, STRIP_HEIGHT_PX, width) for width in PARITY_WIDTHS],
        "finder": [(1, height, width) for height, width in PARITY_SIDES],
    }[kind]
    rng = np.random.default_rng(0)
    batches = []
    for at, shape in enumerate(shapes):
        pixels = rng.integers(0, 256, (1 if at == 0 else PARITY_INPUTS, *shape))
        rows, columns = (rng.random((len(pixels), 1, *side)) < 0.4 for side in ((shape[1], 1), (1, shape[2])))
        batches.append((pixels * (rows | columns)).astype(np.uint8))
    return batches


def _metadata(options: argparse.Namespace) -> dict[str, str]:
    values = {
        "contract_version": str(CONTRACT_VERSION),
        "kind": options.kind,
        "labels": json.dumps(LABELS),
        "training": json.dumps({**training_of(options.run, TRAINING_KEYS), "sets": _known_sets(options)}, separators=(",", ":")),
    }
    if options.kind == "context":
        values["not_one_digit_share"] = f"{not_one_digit_share(options.proposals, options.run):.6g}"
    return values


def _known_sets(options: argparse.Namespace) -> list[str]:
    sets = list(options.sets or DEFAULT_SETS[options.kind])
    unknown = [name for name in sets if name not in read_toml(TRAINING_SETS)]
    if unknown:
        raise UsageError(f"sets {', '.join(unknown)}: not in calibration/training_sets.toml; add source and licence there")
    return sets


def not_one_digit_share(folders: Sequence[Path], run: Path) -> float:
    """Share of "not one digit" among the proposals of a run.

    Raises UsageError when there are none, or they are not as many as the run saw, or all or none of them are digits.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.npz"))]
    labels = []
    for path in paths:
        try:
            with np.load(path) as shard:
                labels.append(shard["labels"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise UsageError(f"{path}: no proposals ({error}); make them with `python -m export.pages.proposals`") from error
    every = np.concatenate(labels) if labels else np.zeros(0, np.uint8)
    trained = checkpoint.load(run)["settings"].get("proposals")
    if len(every) != trained:
        where = ", ".join(map(str, folders)) or "--proposals"
        raise UsageError(f"{where}: {len(every)} proposals, {run} was trained on {trained}; give the same folders as to its training")
    share = float((every == NOT_ONE_DIGIT).mean()) if len(every) else 0.0
    if not 0.0 < share < 1.0:
        raise UsageError(f"{run}: share of not one digit among its proposals is {share:g}; nothing can be judged by such a network")
    return share


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export.companions_to_onnx", description="Write a trained companion as a float ONNX file."
    )
    parser.add_argument("kind", choices=COMPANIONS, help="which network")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="its run folder")
    parser.add_argument(
        "--proposals",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="context: the shards it was trained on; may be given again",
    )
    parser.add_argument(
        "--sets",
        nargs="+",
        metavar="NAME",
        help="sets that its training data was made from (default: all of training_sets.toml that its generator takes)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .onnx file to write")
    options = parser.parse_args(arguments)
    if (options.kind == "context") != bool(options.proposals):
        parser.error("--proposals goes with the context network, and only with it")
    return options


if __name__ == "__main__":
    sys.exit(main())
