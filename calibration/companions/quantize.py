"""A companion's float ONNX in, int8 ONNX out, with the options of calibration/quantize.py, whose head says why they are so.

Weights are rounded by what they do together (calibration/rounding.py): what a run of ink says hangs on every one of its
columns, and nearest steps of 7 bits changed more than one run in a hundred. The first convolution stays float: it has one
channel or two, on which int8 is no faster.

python -m calibration.companions.quantize --float runs/context/context.onnx --sets runs/context/sets.npz --out runs/context
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from calibration import onnx_files
from calibration.companions.candidate import load_companion_model
from calibration.companions.sets import CompanionSets, load_companion_sets
from calibration.errors import CalibrationError, report
from calibration.quantize import QuantizeOptions, first_nodes, head_nodes, quantize_statically
from calibration.ranges import search_scales
from calibration.rounding import round_weights
from edge_digits.recognition.companions import CONTRACTS, as_companion_input
from edge_digits.recognition.engine import Engine

METHODS: Final = ("search", "minmax")
"""Statistics that need inputs of one width are left out."""
HEADS: Final[dict[str, tuple[str, ...]]] = {"context": ("Flatten", "Gemm"), "strings": ("Squeeze", "Transpose"), "finder": ()}
"""What stands behind the last convolution and stays float."""
HEAD_IS_CONVOLUTION: Final = ("strings", "finder")
"""Networks whose last convolution is their head, too."""
BRANCHED: Final = ("finder",)
"""Networks in which one layer's output has several readers."""

Batches = list[NDArray[np.float32]]


class BatchFeed:
    """Hands batches to onnxruntime's quantizer (its CalibrationDataReader)."""

    def __init__(self, name: str, batches: Batches) -> None:
        """name : of the graph's input."""
        self._name = name
        self._left = iter(batches)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch by input name, None after the last."""
        batch = next(self._left, None)
        return None if batch is None else {self._name: batch}


def quantize_companion(model: Any, sets: CompanionSets, options: QuantizeOptions | None = None, *, together: bool = True) -> Any:
    """The int8 network of a float one.

    model : onnx.ModelProto of the kind's contract. sets : whose calibration part, of training data, fixes the ranges.
    together : weights are rounded by what they do together, not each to its nearest step.
    Returns an onnx.ModelProto with the same metadata but for `quantization`, the options. Raises CalibrationError.
    """
    options = options or QuantizeOptions()
    kind = onnx_files.metadata(model)["kind"]
    if kind != sets.kind:
        raise CalibrationError(f"a {kind} network, and sets of kind {sets.kind}; give those that belong together")
    if options.method not in METHODS:
        raise CalibrationError(f"method is '{options.method}'; choose one of {', '.join(METHODS)}")
    contract = CONTRACTS[kind]
    batches = [as_companion_input(batch) for batch in sets.calibration.batches()]

    def kept_float(path: Path) -> list[str]:
        head = head_nodes(path, HEADS[kind], with_convolution=kind in HEAD_IS_CONVOLUTION) if options.float_head else []
        return [*head, *(first_nodes(path) if options.float_first else [])]

    result = quantize_statically(model, BatchFeed(contract.input, batches), options, kept_float)
    if together:
        round_weights(result, model, batches, reduced=options.reduce_range)
    settings = {**asdict(options), "together": together, "inputs": len(sets.calibration)}
    del settings["tiles"]
    if kind in BRANCHED:
        settings["activations"] = "uint8"
    onnx_files.set_metadata(result, {**onnx_files.metadata(model), "quantization": json.dumps(settings)})
    if options.method == "search":
        engine = Engine(model.SerializeToString(), threads=1)
        wanted = [engine.run(contract.output, batch) for batch in batches]
        search_scales(result, lambda changed: output_distance(changed, contract.output, batches, wanted))
    if kind in BRANCHED:
        make_unsigned(result)
    return result


def make_unsigned(model: Any) -> None:
    """Count the steps of activations from 0 to 255, not from -128 to 127: the same values, in place.

    On x86-64 ONNX Runtime does so itself, but not where an activation has several readers: the convolutions on both sides of
    such a one ran in float, and the finder took 10.3 ms for the 4.9 ms that it takes so (same run, one thread, same maps).
    """
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in {node.input[2] for node in model.graph.node if node.op_type == "QuantizeLinear"}:
        zero = numpy_helper.to_array(initializers[name])
        if zero.dtype == np.int8:
            initializers[name].CopyFrom(numpy_helper.from_array((zero.astype(np.int16) + 128).astype(np.uint8), name))


def output_distance(model: Any, output: str, batches: Batches, wanted: Batches) -> float:
    """Root mean square difference of a model's outputs from the wanted ones."""
    engine = Engine(model.SerializeToString(), threads=1)
    squares = [np.square(engine.run(output, batch) - goal, dtype=np.float64) for batch, goal in zip(batches, wanted, strict=True)]
    return float(np.sqrt(sum(s.sum() for s in squares) / sum(s.size for s in squares)))


def main(argv: Sequence[str] | None = None) -> int:
    """Write KIND.float.onnx and KIND.int8.onnx into a folder."""
    parser = argparse.ArgumentParser(prog="python -m calibration.companions.quantize", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--float", required=True, type=Path, metavar="F.onnx", dest="float_path", help="of `python -m export.companions_to_onnx`"
    )
    parser.add_argument("--sets", required=True, type=Path, metavar="S.npz", help="of `python -m export.companion_sets`")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for KIND.float.onnx and KIND.int8.onnx")
    parser.add_argument("--per-channel", action=argparse.BooleanOptionalAction, default=True, help="one weight scale a filter")
    parser.add_argument(
        "--reduce-range", action=argparse.BooleanOptionalAction, default=True, help="7-bit weights: same labels on every CPU"
    )
    parser.add_argument("--float-head", action=argparse.BooleanOptionalAction, default=True, help="the last layer stays float")
    parser.add_argument("--float-first", action=argparse.BooleanOptionalAction, default=True, help="first convolution stays float")
    parser.add_argument("--together", action=argparse.BooleanOptionalAction, default=True, help="round weights by what they do together")
    parser.add_argument("--method", default="search", help=f"how ranges are chosen: {', '.join(METHODS)} (default %(default)s)")
    arguments = parser.parse_args(argv)
    return report("calibration.companions.quantize", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    options = QuantizeOptions(
        arguments.per_channel, arguments.reduce_range, arguments.float_head, arguments.method, float_first=arguments.float_first
    )
    sets = load_companion_sets(arguments.sets)
    model = load_companion_model(arguments.float_path)
    quantized = quantize_companion(model, sets, options, together=arguments.together)
    for precision, content in (("float", model), ("int8", quantized)):
        path = arguments.out / f"{sets.kind}.{precision}.onnx"
        print(f"{path}: {onnx_files.save_model(content, path)} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
