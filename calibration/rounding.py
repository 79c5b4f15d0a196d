"""Rounds the int8 weights of convolutions by what counts: how far a layer's output is from float on real inputs.

Rounding each weight to the nearest step looks at the weight alone. Here one weight after the other is rounded, and what that
does to the layer's output is made good by those that are still to come, as far as their inputs go together: E. Frantar et al.,
"GPTQ", 2022, after B. Hassibi and D. Stork, "Second order derivatives for network pruning", 1993. Steps and sizes stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edge_digits.recognition.engine import Engine

INPUTS: Final = 192
"""So many inputs tell how the pixels of a layer's window go together."""
DAMPING: Final = 0.01
"""Share of the mean of the moments that is added to each, so that they can be inverted."""

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with int8 weights: its node in the float graph, whose weights are `wanted`, and the initializers of int8.

    wanted : float64 (filters, k). scales : float64 (filters,), one step each.
    """

    node: Any
    wanted: Weights
    values: Any
    scales: NDArray[np.float64]
    lowest: int
    highest: int


def round_weights(model: Any, source: Any, batches: list[NDArray[np.float32]], *, reduced: bool) -> None:
    """Round the weights of a QDQ model's convolutions anew, in place.

    model : onnx.ModelProto that was made of `source`, its convolutions in the same order. batches : inputs of training data.
    reduced : weights use 7 of 8 bits.
    """
    limit = 64 if reduced else 127
    layers = _layers(model, source, limit)
    moments = _moments(source, layers, batches)
    for layer, moment in zip(layers, moments, strict=True):
        steps = rounded(layer.wanted, layer.scales, moment, layer.lowest, layer.highest)
        shape = numpy_helper.to_array(layer.values).shape
        layer.values.CopyFrom(numpy_helper.from_array(steps.reshape(shape).astype(np.int8), layer.values.name))


def rounded(wanted: Weights, scales: NDArray[np.float64], moment: Weights, lowest: int, highest: int) -> NDArray[np.int64]:
    """Whole numbers of steps for each weight, int64 (filters, k).

    wanted : (filters, k). scales : (filters,). moment : (k, k), second moments of the inputs that the weights meet.
    """
    damped = moment + (DAMPING * np.trace(moment) / len(moment) + 1e-12) * np.eye(len(moment))
    # Those that matter most are rounded first, while all others can still make up for it.
    order = np.argsort(-np.diag(damped))
    upper = np.linalg.cholesky(np.linalg.inv(damped[np.ix_(order, order)])).T
    left, steps = wanted[:, order] / scales[:, None], np.zeros(wanted.shape, np.int64)
    for at, column in enumerate(order):
        steps[:, column] = np.clip(np.rint(left[:, at]), lowest, highest)
        error = (left[:, at] - steps[:, column]) / upper[at, at]
        left[:, at + 1 :] -= error[:, None] * upper[at, at + 1 :]
    return steps


def _layers(model: Any, source: Any, limit: int) -> list[Layer]:
    """The convolutions whose weights are int8."""
    stored = {part.name: part for part in model.graph.initializer}
    wanted = {part.name: part for part in source.graph.initializer}
    producers = {output: node for node in model.graph.node for output in node.output}
    pairs = zip(_convolutions(model), _convolutions(source), strict=True)
    layers = []
    for quantized, node in pairs:
        weight = producers.get(quantized.input[1])
        if weight is None or weight.op_type != "DequantizeLinear":
            continue
        values = stored[weight.input[0]]
        scales = np.atleast_1d(numpy_helper.to_array(stored[weight.input[1]])).astype(np.float64)
        floats = numpy_helper.to_array(wanted[node.input[1]]).astype(np.float64)
        layers.append(Layer(node, floats.reshape(len(floats), -1), values, np.resize(scales, len(floats)), -limit, limit))
    return layers


def _convolutions(model: Any) -> list[Any]:
    return [node for node in model.graph.node if node.op_type == "Conv"]


def _moments(source: Any, layers: list[Layer], batches: list[NDArray[np.float32]]) -> list[Weights]:
    """For each layer the sum of outer products of the windows that its weights meet, float64 (k, k)."""
    watched = type(source)()
    watched.CopyFrom(source)
    known = {value.name for value in (*source.graph.input, *source.graph.output)}
    names = list(dict.fromkeys(layer.node.input[0] for layer in layers))
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names if name not in known)
    engine = Engine(watched.SerializeToString(), threads=1)
    sums = [np.zeros((layer.wanted.shape[1],) * 2) for layer in layers]
    for batch in _spread(batches):
        found = dict(zip(names, [batch if name in engine.inputs else engine.run(name, batch) for name in names], strict=True))
        for index, layer in enumerate(layers):
            seen = windows(found[layer.node.input[0]], layer.node)
            sums[index] += seen.T @ seen
    return sums


def _spread(batches: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """About INPUTS of them, some of every batch."""
    step = max(1, sum(map(len, batches)) // INPUTS)
    return [batch[::step] for batch in batches]


def windows(maps: NDArray[np.float32], node: Any) -> NDArray[np.float32]:
    """What each weight of a convolution meets: float32 (places, channels * height * width). maps : (n, channels, h, w)."""
    attributes = {attribute.name: list(attribute.ints) for attribute in node.attribute}
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    down, across = attributes.get("strides", [1, 1])
    padded = np.pad(maps, ((0, 0), (0, 0), (top, bottom), (left, right)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, tuple(attributes["kernel_shape"]), axis=(2, 3))[:, :, ::down, ::across]
    return np.ascontiguousarray(seen.transpose(0, 2, 3, 1, 4, 5)).reshape(-1, int(np.prod([maps.shape[1], *attributes["kernel_shape"]])))
