"""Chooses the ranges of int8 activations by what counts: how far the logits are from float.

Statistics of the activations (largest value, percentiles, entropy) only guess at it, and guess differently well from one
network to the next. Here one scale after the other is tried larger and smaller, on calibration tiles, and the one kept
that brings the int8 logits nearest the float ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from edge_digits.recognition.engine import Engine

FACTORS: Final = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.2, 1.35)
"""What a scale is multiplied by. Below 1 rare peaks are clipped and all other values get finer steps."""

SWEEPS: Final = 2
"""A second round corrects what the first chose while later layers still had their old scales."""


@dataclass(frozen=True, slots=True)
class Bias:
    """Initializers of a quantized bias: int32 values, their scale, the scale of the weights beside it."""

    values: Any
    scale: Any
    weight_scale: Any


@dataclass(frozen=True, slots=True)
class Activation:
    """Initializer of an activation's scale, and the biases of the layers that it feeds."""

    scale: Any
    biases: tuple[Bias, ...]

    def set_scale(self, scale: NDArray[np.float32]) -> None:
        """Give the activation another scale.

        The biases are brought along: a bias is stored in steps of input scale times weight scale, and where that does not
        hold, ONNX Runtime falls back to float convolutions, four times slower.
        """
        self.scale.CopyFrom(numpy_helper.from_array(scale, self.scale.name))
        for bias in self.biases:
            value = numpy_helper.to_array(bias.values) * numpy_helper.to_array(bias.scale).astype(np.float64)
            step = (scale * numpy_helper.to_array(bias.weight_scale)).astype(np.float32).reshape(numpy_helper.to_array(bias.scale).shape)
            bias.values.CopyFrom(numpy_helper.from_array(np.rint(value / step).astype(np.int32), bias.values.name))
            bias.scale.CopyFrom(numpy_helper.from_array(step, bias.scale.name))

    def state(self) -> list[bytes]:
        """Everything that set_scale changes."""
        return [part.SerializeToString() for part in self._parts()]

    def restore(self, state: list[bytes]) -> None:
        """Back to an earlier state."""
        for part, data in zip(self._parts(), state, strict=True):
            part.ParseFromString(data)

    def _parts(self) -> list[Any]:
        return [self.scale, *(part for bias in self.biases for part in (bias.values, bias.scale))]


def logit_distance(model: Any, tiles: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Root mean square difference of a model's logits from the wanted ones.

    model : onnx.ModelProto. tiles : float32 (n, 1, 28, 28). wanted : float32 (n, 11).
    """
    given = Engine(model.SerializeToString()).run("logits", tiles)
    return float(np.sqrt(np.mean(np.square(given - wanted), dtype=np.float64)))


def search_ranges(model: Any, tiles: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Improve the activation scales of a QDQ model in place; returns the logit distance that is left.

    model : onnx.ModelProto whose activations have one scale each. tiles, wanted : as in logit_distance.
    """
    return search_scales(model, lambda changed: logit_distance(changed, tiles, wanted))


def search_scales(model: Any, distance_of: Callable[[Any], float]) -> float:
    """Improve the activation scales of a QDQ model in place by any measure; returns the distance that is left.

    distance_of : function of an onnx.ModelProto that tells how far its outputs are from float.
    """
    best = distance_of(model)
    for _ in range(SWEEPS):
        for activation in find_activations(model):
            start, kept = numpy_helper.to_array(activation.scale), activation.state()
            untouched = kept
            for factor in FACTORS:
                activation.restore(untouched)
                activation.set_scale((start * np.float32(factor)).astype(np.float32))
                distance = distance_of(model)
                if distance < best:
                    best, kept = distance, activation.state()
            activation.restore(kept)
    return best


def find_activations(model: Any) -> list[Activation]:
    """The quantized activations in the order of the graph; weights and biases, which are initializers, are none."""
    initializers = {initializer.name: initializer for initializer in model.graph.initializer}
    producers = {output: node for node in model.graph.node for output in node.output}
    quantizing = [node for node in model.graph.node if node.op_type == "QuantizeLinear" and node.input[0] not in initializers]
    return [
        Activation(initializers[name], _biases_behind(model, name, initializers, producers))
        for name in dict.fromkeys(node.input[1] for node in quantizing)
    ]


def _biases_behind(model: Any, scale: str, initializers: dict[str, Any], producers: dict[str, Any]) -> tuple[Bias, ...]:
    fed = {o for node in model.graph.node if node.op_type == "DequantizeLinear" and node.input[1] == scale for o in node.output}
    layers = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm") and len(node.input) == 3 and node.input[0] in fed]
    found = []
    for layer in layers:
        weight, bias = (producers.get(name) for name in layer.input[1:])
        if weight is not None and bias is not None:
            found.append(Bias(initializers[bias.input[0]], initializers[bias.input[1]], initializers[weight.input[1]]))
    return tuple(found)
