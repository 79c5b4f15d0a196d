"""Float ONNX in, int8 ONNX out: static quantization with quantize and dequantize nodes (QDQ).

Static, because dynamic int8 convolutions run 5 to 22 times slower than float; QDQ with int8 activations and weights,
because that form is fast on x86-64 and on Arm. The defaults of the options:

per_channel: one weight scale a filter. Folding batch normalisation into a convolution leaves its filters of very
    different size, and one scale for all would round the small ones away. It costs a few hundred bytes.
reduce_range: weights use 7 of 8 bits. x86-64 without VNNI adds pairs of products in 16 bits and saturates with full
    weights. Measured on an emulated Haswell: full weights changed 30 of 3,000 labels against a processor with VNNI,
    reduced ones none, bit for bit. The price is twice the rounding of the logits and no accuracy.
float_head: average pooling and the last layer stay float. They cost nothing in time, the logits keep their fine steps,
    and adapting to one hand gets exact features.
float_first: the first convolution stays float as well. Off: see OPTIONS.md for what it costs.
symmetric: activations have zero point 0. Off: behind a rectifier it wastes half of the 256 steps.
search: ranges of activations are searched for the logits nearest to float (ranges.py), beginning with the largest values.
    Percentiles and entropy did well with one network and badly with the next.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from calibration import onnx_files
from calibration.errors import CalibrationError, report
from calibration.ranges import search_ranges
from calibration.temperature import fit_files
from calibration.tile_sets import Tiles, load_tile_sets
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.engine import Engine

METHODS: Final = ("search", "minmax", "entropy", "percentile")
Method = Literal["search", "minmax", "entropy", "percentile"]
CALIBRATION_BATCH: Final = 64
PERCENTILE: Final = 99.999
HEAD_OPERATORS: Final = ("GlobalAveragePool", "Flatten", "Gemm")
"""What may stand behind the last convolution."""


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """per_channel, reduce_range, float_head, method, float_first, symmetric : see above.

    tiles : at most so many calibration tiles are used, > 0.
    """

    per_channel: bool = True
    reduce_range: bool = True
    float_head: bool = True
    method: Method = "search"
    tiles: int = 2048
    float_first: bool = False
    symmetric: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise CalibrationError(f"method is '{self.method}'; choose one of {', '.join(METHODS)}")
        if self.tiles < 1:
            raise CalibrationError(f"calibration tiles is {self.tiles}; give a number above 0")


class TileFeed:
    """Hands calibration tiles to onnxruntime's quantizer, batch by batch (its CalibrationDataReader)."""

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles
        self._next = 0

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch by input name, None after the last."""
        if self._next >= len(self._tiles):
            return None
        # Histograms want batches of one size: the last one is filled up from the start.
        chosen = np.arange(self._next, self._next + CALIBRATION_BATCH) % len(self._tiles)
        self._next += CALIBRATION_BATCH
        return {onnx_files.INPUT: as_model_input(self._tiles[chosen])}


def quantize(model: Any, tiles: Tiles, options: QuantizeOptions | None = None) -> Any:
    """The int8 model of a float model.

    model : onnx.ModelProto of the contract. tiles : uint8 (n, 28, 28) from training data only.
    Returns an onnx.ModelProto with the same input and outputs, and the same metadata but for `quantization`, the options.
    """
    options = options or QuantizeOptions()
    chosen = spread(tiles, options.tiles)
    result = quantize_statically(model, TileFeed(chosen), options, lambda path: _kept_float(path, options))
    values = {**onnx_files.metadata(model), "quantization": json.dumps({**asdict(options), "tiles": len(chosen)})}
    onnx_files.set_metadata(result, values)
    if options.method == "search":
        inputs = as_model_input(chosen)
        search_ranges(result, inputs, Engine(model.SerializeToString()).run("logits", inputs))
    return result


def quantize_statically(model: Any, feed: Any, options: QuantizeOptions, kept_float: Callable[[Path], list[str]]) -> Any:
    """The int8 graph of any float model, ranges from statistics alone, without metadata.

    feed : a CalibrationDataReader of training inputs. kept_float : names of the nodes that stay float, of the graph in a
    file; may name nodes in that file.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    methods = {"entropy": CalibrationMethod.Entropy, "percentile": CalibrationMethod.Percentile}
    with tempfile.TemporaryDirectory(prefix="edge_digits_int8_") as folder, _quiet_quantizer():
        source, prepared, quantized = (Path(folder) / f"{step}.onnx" for step in ("float", "prepared", "int8"))
        onnx_files.save_model(model, source)
        # Inner shapes follow from fixed inputs, plain shape inference is enough; symbolic inference would need sympy.
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(quantized),
            feed,
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            per_channel=options.per_channel,
            reduce_range=options.reduce_range,
            nodes_to_exclude=kept_float(prepared),
            extra_options={"CalibPercentile": PERCENTILE, "ActivationSymmetric": options.symmetric},
            calibrate_method=methods.get(options.method, CalibrationMethod.MinMax),
        )
        result = onnx_files.parse(quantized.read_bytes(), str(quantized))
    _keep_contract(result)
    return result


def _kept_float(path: Path, options: QuantizeOptions) -> list[str]:
    return [*(head_nodes(path) if options.float_head else []), *(first_nodes(path) if options.float_first else [])]


def spread(tiles: Tiles, count: int) -> Tiles:
    """At most `count` tiles, evenly from first to last: the file may be sorted by label."""
    if len(tiles) <= count:
        return tiles
    return tiles[np.linspace(0, len(tiles) - 1, count).astype(np.int64)]


def _keep_contract(result: Any) -> None:
    """The quantizer's output by the contract: an old IR, no opset that no node uses."""
    result.ir_version = onnx_files.IR_VERSION
    used = {node.domain for node in result.graph.node} | {""}
    kept = [(o.domain, o.version) for o in result.opset_import if o.domain in used]
    del result.opset_import[:]
    for domain, version in kept:
        result.opset_import.add(domain=domain, version=version)
    # Shapes of inner tensors are inferred at load; storing them only costs bytes.
    del result.graph.value_info[:]
    onnx_files.shorten_names(result)


def head_nodes(path: Path, operators: Sequence[str] = HEAD_OPERATORS, *, with_convolution: bool = False) -> list[str]:
    """Names of the nodes behind the last convolution; nodes without a name get one.

    operators : what may stand there. with_convolution : that convolution as well, where it is the last layer itself.
    Raises CalibrationError for a graph of another kind.
    """
    nodes = _named_nodes(path)
    last = max((index for index, node in enumerate(nodes) if node.op_type == "Conv"), default=-1)
    behind = [node for node in nodes[last + 1 :] if node.op_type not in ("Relu", "Clip")]
    strange = [node.op_type for node in behind if node.op_type not in operators]
    if last < 0 or strange:
        raise CalibrationError(f"behind the last convolution stand {strange or 'all nodes'}; use --no-float-head for such a graph")
    return [node.name for node in ([nodes[last], *behind] if with_convolution else behind)]


def first_nodes(path: Path) -> list[str]:
    """Names of the first convolution and the activation behind it. Raises CalibrationError for a graph without one."""
    nodes = _named_nodes(path)
    first = next((node for node in nodes if node.op_type == "Conv"), None)
    if first is None:
        raise CalibrationError("the graph has no convolution; use --no-float-first for it")
    behind = [node for node in nodes if node.op_type in ("Relu", "Clip") and node.input[0] == first.output[0]]
    return [first.name, *(node.name for node in behind)]


def _named_nodes(path: Path) -> Any:
    """The nodes of a graph; those without a name get one, in the file too: the quantizer knows nodes by name."""
    model = onnx_files.parse(path.read_bytes(), str(path))
    for index, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{index}"
    onnx_files.save_model(model, path)
    return model.graph.node


@contextmanager
def _quiet_quantizer() -> Iterator[None]:
    """Holds back what the quantizer prints to stdout, and its advice to do the pre-processing that was done."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def main(argv: Sequence[str] | None = None) -> int:
    """Write digits.float.onnx and digits.int8.onnx, both with the fitted temperature, into a folder."""
    parser = argparse.ArgumentParser(prog="python -m calibration.quantize", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--float", required=True, type=Path, metavar="F.onnx", dest="float_path", help="float model of `python -m export.to_onnx`"
    )
    parser.add_argument("--tiles", required=True, type=Path, metavar="T.npz", help="tiles file of `python -m export.calibration_tiles`")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for NAME.float.onnx and NAME.int8.onnx")
    parser.add_argument("--name", default="digits", help="name of the model (default %(default)s)")
    parser.add_argument("--per-channel", action=argparse.BooleanOptionalAction, default=True, help="one weight scale a filter")
    parser.add_argument(
        "--reduce-range", action=argparse.BooleanOptionalAction, default=True, help="7-bit weights: same labels on every CPU"
    )
    parser.add_argument("--float-head", action=argparse.BooleanOptionalAction, default=True, help="pooling and last layer stay float")
    parser.add_argument("--float-first", action=argparse.BooleanOptionalAction, default=False, help="first convolution stays float")
    parser.add_argument("--symmetric", action=argparse.BooleanOptionalAction, default=False, help="activations with zero point 0")
    parser.add_argument("--method", default="search", help=f"how ranges are chosen: {', '.join(METHODS)} (default %(default)s)")
    parser.add_argument("--calibration-tiles", type=int, default=2048, metavar="N", help="use at most so many (default %(default)s)")
    arguments = parser.parse_args(argv)
    return report("calibration.quantize", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    options = QuantizeOptions(
        arguments.per_channel,
        arguments.reduce_range,
        arguments.float_head,
        arguments.method,
        arguments.calibration_tiles,
        arguments.float_first,
        arguments.symmetric,
    )
    sets = load_tile_sets(arguments.tiles)
    model = onnx_files.load_model(arguments.float_path)
    float_path, int8_path = (arguments.out / f"{arguments.name}.{kind}.onnx" for kind in ("float", "int8"))
    float_bytes = onnx_files.save_model(model, float_path)
    int8_bytes = onnx_files.save_model(quantize(model, sets.calibration, options), int8_path)
    print(f"{float_path}: {float_bytes} bytes\n{int8_path}: {int8_bytes} bytes", file=sys.stderr)
    fit_files(float_path, int8_path, sets.temperature)
    return 0


if __name__ == "__main__":
    sys.exit(main())
