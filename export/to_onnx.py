"""Writes a trained network as a float ONNX file of the contract: `python -m export.to_onnx --run runs/small --out digits.float.onnx`.

Batch norm is folded into the convolutions here, so that the graph holds only Conv, Relu, GlobalAveragePool, Flatten and Gemm:
what int8 conversion expects, and what the oldest promised runtime can run.
"""

from __future__ import annotations

import argparse
import copy
import io
import itertools
import json
import math
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import onnx
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition.weights import CONTRACT_VERSION, DEFAULT_NOT_ONE_DIGIT_SHARE, LABELS, NOT_ONE_DIGIT
from export import checkpoint
from export.figures import REJECT_THRESHOLD
from export.networks import ConvNetwork, build
from export.record import RECORD_NAME

OPSET: Final = 17
NEWEST_IR_VERSION: Final = 8
"""The IR that came with opset 17: a newer one is refused by the runtimes of older distributions."""

TRAINING_KEYS: Final = ("network", "parameters", "commit", "changed", "seed", "machine", "settings", "glyphs", "seconds", "figures")


class _LogitsAndFeatures(nn.Module):
    """The network with both outputs of the contract."""

    def __init__(self, network: ConvNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network.features(tiles)
        return self.network.head(features), features


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m export.to_onnx", description="Write a trained network as a float ONNX file.")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="run folder of `python -m export.train`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .onnx file to write")
    parser.add_argument(
        "--not-one-digit-share",
        type=float,
        metavar="P",
        help='share of "not one digit" for which the file\'s probabilities shall hold, 0..1 (default: that of training)',
    )
    options = parser.parse_args(arguments)
    try:
        network, state = load_network(options.run)
        temperature = state.get("temperature", 1.0)
        share = training_share(state["settings"])
        if options.not_one_digit_share is not None:
            shift_share(network, temperature, share, options.not_one_digit_share)
            share = options.not_one_digit_share
        data = to_onnx(network, temperature, training_of(options.run, TRAINING_KEYS), share)
        write_atomically(options.out, data)
    except EdgeDigitsError as error:
        print(f"export.to_onnx: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{options.out}: {len(data)} bytes", file=sys.stderr)
    return ExitCode.OK


def load_network(run: Path) -> tuple[ConvNetwork, dict[str, Any]]:
    """The averaged network of a run in evaluation mode, and the checkpoint it came from. Raises UsageError."""
    state = checkpoint.load(run)
    network = build(state["settings"]["network"])
    network.load_state_dict(state["average"])
    return network.eval(), state


def training_share(settings: dict[str, Any]) -> float:
    """Share of "not one digit" that the loss of a run saw: its share of the tiles, weighted by what a mistake on it cost."""
    tiles = settings.get("mixture", {}).get("negative_share", DEFAULT_NOT_ONE_DIGIT_SHARE)
    others = tiles * settings.get("optimisation", {}).get("negative_weight", 1.0)
    return float(others / (others + 1.0 - tiles))


def shift_share(network: ConvNetwork, temperature: float, seen: float, wanted: float) -> None:
    """Make the probabilities hold for another share of "not one digit", by the bias of its logit. Raises UsageError."""
    if not 0.0 < wanted < 1.0:
        raise UsageError(f"not-one-digit-share is {wanted}; give a share between 0 and 1")
    with torch.no_grad():
        network.head.bias[NOT_ONE_DIGIT] += temperature * (math.log(wanted / (1 - wanted)) - math.log(seen / (1 - seen)))


def to_onnx(network: ConvNetwork, temperature: float, training: dict[str, Any], share: float = DEFAULT_NOT_ONE_DIGIT_SHARE) -> bytes:
    """The bytes of an ONNX file: opset 17, input `tiles` [n, 1, 28, 28], outputs `logits` [n, 11] and `features` [n, k]."""
    module = _LogitsAndFeatures(fold_batch_norm(network)).eval()
    example = torch.zeros(2, 1, TILE_SIDE_PX, TILE_SIDE_PX)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs a package more, and writes a newer IR.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            (example,),
            buffer,
            opset_version=OPSET,
            dynamo=False,
            input_names=["tiles"],
            output_names=["logits", "features"],
            dynamic_axes={name: {0: "n"} for name in ("tiles", "logits", "features")},
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = min(model.ir_version, NEWEST_IR_VERSION)
    model.graph.name = "edge_digits"
    set_metadata(model, temperature, REJECT_THRESHOLD, training, share)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


Network = TypeVar("Network", bound=nn.Module)


def fold_batch_norm(network: Network) -> Network:
    """A copy on the CPU with every batch norm folded into the convolution before it in its sequence."""
    folded = copy.deepcopy(network).cpu().eval()
    for sequence in [module for module in folded.modules() if isinstance(module, nn.Sequential)]:
        names = [name for name, _ in sequence.named_children()]
        for before, name in itertools.pairwise(names):
            layer = sequence.get_submodule(name)
            if isinstance(layer, nn.BatchNorm2d):
                sequence.set_submodule(before, fuse_conv_bn_eval(sequence.get_submodule(before), layer))  # type: ignore[type-var]
                sequence.set_submodule(name, nn.Identity())
    return folded


def set_metadata(model: Any, temperature: float, reject_threshold: float, training: dict[str, Any], share: float) -> None:
    """Write the contract's keys into a model."""
    values = {
        "contract_version": str(CONTRACT_VERSION),
        "labels": json.dumps(LABELS),
        "temperature": str(temperature),
        "reject_threshold": str(reject_threshold),
        "not_one_digit_share": f"{share:.6g}",
        "training": json.dumps(training, separators=(",", ":")),
    }
    del model.metadata_props[:]
    for key, value in values.items():
        model.metadata_props.add(key=key, value=value)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises UsageError when it cannot be written."""
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


def training_of(run: Path, keys: Sequence[str]) -> dict[str, Any]:
    """What of the run's record goes into the file; {} for a run that is not finished."""
    path = run / RECORD_NAME
    if not path.is_file():
        print(f"{path}: none yet, the run is not finished; the file will hold no training record", file=sys.stderr)
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    return {key: record[key] for key in keys if key in record}


if __name__ == "__main__":
    sys.exit(main())
