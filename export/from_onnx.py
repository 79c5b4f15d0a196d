"""Builds a torch network from a float ONNX file of the contract, so that a published model can be trained further.

Batch norm is folded into the convolutions of such a file: its statistics are part of the weights and stay as they are,
whatever is learned. The layers are wired as in the graph, and the copy is compared with ONNX Runtime before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from calibration.onnx_files import INPUT, OUTPUTS, metadata, parse
from edge_digits.errors import ModelContractError
from edge_digits.recognition.weights import LABELS, ModelCard, ModelFile, find_model, is_path, read_card
from export.networks import ConvNetwork
from export.parity import TOLERANCE, compare, random_tiles

MODELS_FOLDER: Final = Path(__file__).resolve().parent / "models"
"""Float files of the networks trained here, NAME.float.onnx; the shipped models lie in the product."""

PARITY_TILES: Final = 64

Attributes = Mapping[str, Any]
Weights = list[Tensor]


class _Sum(nn.Module):
    """The sum of two branches."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return first + second


class RebuiltNetwork(ConvNetwork):
    """A network read from a graph: `body` holds the layers up to the features, `wiring` the values that each takes and gives."""

    def __init__(self, layers: list[nn.Module], wiring: list[tuple[tuple[str, ...], str]], head: nn.Linear) -> None:
        nn.Module.__init__(self)
        self.body = nn.Sequential(*layers)
        self.wiring = tuple(wiring)
        self.head = head

    def features(self, tiles: Tensor) -> Tensor:
        """tiles : float32 (n, 1, 28, 28). Returns float32 (n, k), before the last dense layer."""
        values = {INPUT: tiles}
        for layer, (inputs, output) in zip(self.body, self.wiring, strict=True):
            values[output] = layer(*(values[name] for name in inputs))
        return values[OUTPUTS[1]]


def find_base(name: str) -> ModelFile:
    """The float file of a model: NAME of export/models first, then a shipped model, or the path of an .onnx file or a model folder.

    Raises ModelNotFoundError, ModelDamagedError, and ModelContractError for an int8 file, which holds no weights to train.
    """
    own = MODELS_FOLDER / f"{name}.float.onnx"
    file = find_model(str(own) if not is_path(name) and own.is_file() else name, "float")
    if file.precision != "float":
        raise ModelContractError(f"{name}: an int8 file cannot be trained further; name the float file of the same model")
    return replace(file, name=file.name.removesuffix(".float"))


def load_base(file: ModelFile) -> tuple[ConvNetwork, ModelCard]:
    """The network of a float file in evaluation mode, and what the file says about itself.

    Raises ModelContractError for a graph of other layers, or when the copy does not compute what ONNX Runtime does.
    """
    try:
        model = parse(file.data, file.name)
    except ValueError as error:
        raise ModelContractError(str(error)) from error
    card = read_card(metadata(model), file.name)
    network = rebuild(model, file.name)
    found = compare(network, file.data, random_tiles(PARITY_TILES))
    if not max(found.logits, found.features) <= TOLERANCE:
        raise ModelContractError(
            f"{file.name}: the rebuilt network's logits differ by {found.logits:.3g}, {TOLERANCE:g} are allowed; export the model again"
        )
    return network, card


def rebuild(model: Any, name: str) -> ConvNetwork:
    """The network of an onnx.ModelProto, in evaluation mode. Raises ModelContractError naming what cannot be rebuilt."""
    weights = {each.name: torch.from_numpy(np.array(numpy_helper.to_array(each))) for each in model.graph.initializer}
    logits, features = OUTPUTS
    layers: list[nn.Module] = []
    wiring: list[tuple[tuple[str, ...], str]] = []
    head: nn.Module | None = None
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:
            # Equal weights are stored once: what refers to them gets a copy of its own.
            weights[node.output[0]] = weights[node.input[0]]
            continue
        if node.op_type not in LAYERS:
            raise ModelContractError(f"{name}: holds a layer {node.op_type}; known here are {', '.join(sorted(LAYERS))}")
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        layer = LAYERS[node.op_type](attributes, [weights[each] for each in node.input if each in weights])
        inputs = tuple(each for each in node.input if each not in weights)
        if node.output[0] == logits:
            head = layer if inputs == (features,) else None
        else:
            layers.append(layer)
            wiring.append((inputs, node.output[0]))
    known = {INPUT, *(output for _, output in wiring)}
    if not isinstance(head, nn.Linear) or head.out_features != len(LABELS) or features not in known:
        raise ModelContractError(f"{name}: no dense layer leads from '{features}' to {len(LABELS)} '{logits}'; export the model again")
    return RebuiltNetwork(layers, wiring, head).eval()


def _convolution(attributes: Attributes, weights: Weights) -> nn.Module:
    kernel, groups = weights[0], int(attributes.get("group", 1))
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    even = (top, left) == (bottom, right)
    layer = nn.Conv2d(
        kernel.shape[1] * groups,
        kernel.shape[0],
        tuple(kernel.shape[2:]),
        tuple(attributes.get("strides", (1, 1))),
        (top, left) if even else 0,
        tuple(attributes.get("dilations", (1, 1))),
        groups,
        bias=len(weights) > 1,
    )
    _fill(layer, weights)
    return layer if even else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), layer)


def _dense(attributes: Attributes, weights: Weights) -> nn.Module:
    # The exporter writes plain products: other factors would have to be kept apart from the weights.
    if attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0 or attributes.get("transA", 0):
        raise ModelContractError("a dense layer with factors of its own cannot be rebuilt; export the model again")
    matrix = weights[0] if attributes.get("transB", 0) else weights[0].T.contiguous()
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=len(weights) > 1)
    _fill(layer, [matrix, *weights[1:]])
    return layer


def _max_pool(attributes: Attributes, _: Weights) -> nn.Module:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        raise ModelContractError("a pooling layer with uneven rims cannot be rebuilt; export the model again")
    return nn.MaxPool2d(tuple(attributes["kernel_shape"]), tuple(attributes.get("strides", (1, 1))), (top, left))


def _fill(layer: Any, weights: Weights) -> None:
    with torch.no_grad():
        layer.weight.copy_(weights[0])
        if len(weights) > 1:
            layer.bias.copy_(weights[1])


LAYERS: Final[dict[str, Callable[[Attributes, Weights], nn.Module]]] = {
    "Add": lambda _, __: _Sum(),
    "Conv": _convolution,
    "Flatten": lambda attributes, _: nn.Flatten(int(attributes.get("axis", 1))),
    "Gemm": _dense,
    "GlobalAveragePool": lambda _, __: nn.AdaptiveAvgPool2d(1),
    "MaxPool": _max_pool,
    "Relu": lambda _, __: nn.ReLU(),
}
"""ONNX operator -> the torch layer that computes the same."""
