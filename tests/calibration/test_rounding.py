from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from calibration.companions.quantize import output_distance, quantize_companion
from calibration.companions.sets import load_companion_sets
from calibration.quantize import QuantizeOptions
from calibration.rounding import round_weights, rounded, windows
from edge_digits.recognition.companions import as_companion_input
from edge_digits.recognition.engine import Engine
from tests.calibration import toy_companions


def convolution(pads: list[int], strides: list[int]) -> tuple[onnx.ModelProto, np.ndarray]:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 1, (4, 3, 3, 2)).astype(np.float32)
    node = helper.make_node("Conv", ["maps", "weights"], ["out"], kernel_shape=[3, 2], pads=pads, strides=strides)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("maps", ["n", 3, 7, 9]), ("out", None))]
    graph = helper.make_graph([node], "one", ends[:1], ends[1:], [numpy_helper.from_array(weights, "weights")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), weights


@pytest.mark.parametrize(("pads", "strides"), [([0, 0, 0, 0], [1, 1]), ([1, 0, 2, 1], [2, 1]), ([0, 1, 0, 1], [1, 3])])
def test_windows_are_what_a_convolution_sees(pads: list[int], strides: list[int]) -> None:
    model, weights = convolution(pads, strides)
    maps = np.random.default_rng(1).random((5, 3, 7, 9), np.float32)
    given = Engine(model.SerializeToString()).run("out", maps)
    mine = windows(maps, model.graph.node[0]) @ weights.reshape(4, -1).T
    assert np.allclose(mine.reshape(5, *given.shape[2:], 4).transpose(0, 3, 1, 2), given, atol=1e-5)


def test_weights_that_meet_unrelated_inputs_take_the_nearest_step() -> None:
    wanted = np.random.default_rng(2).normal(0, 1, (3, 20))
    scales = np.abs(wanted).max(axis=1) / 63
    steps = rounded(wanted, scales, np.eye(20), -64, 64)
    assert np.array_equal(steps, np.rint(wanted / scales[:, None]))


def test_the_output_is_nearer_than_by_nearest_steps() -> None:
    rng = np.random.default_rng(3)
    inputs = rng.normal(0, 1, (4000, 5)) @ rng.normal(0, 1, (5, 30)) + rng.normal(0, 0.1, (4000, 30))
    wanted = rng.normal(0, 1, (8, 30))
    scales = np.abs(wanted).max(axis=1) / 15
    steps = rounded(wanted, scales, inputs.T @ inputs, -16, 16)
    assert np.abs(steps).max() <= 16
    near, far = (np.abs(inputs @ (wanted - chosen * scales[:, None]).T).mean() for chosen in (steps, np.rint(wanted / scales[:, None])))
    assert near < 0.5 * far


def test_inputs_that_are_always_nothing_do_no_harm() -> None:
    steps = rounded(np.array([[0.5, -1.0, 1.0]]), np.array([1 / 64]), np.zeros((3, 3)), -64, 64)
    assert steps.tolist() == [[32, -64, 64]]


@pytest.mark.parametrize("kind", sorted(toy_companions.MODELS))
def test_a_network_comes_nearer_and_keeps_its_steps(kind: str, tmp_path: Path) -> None:
    model: Any = toy_companions.MODELS[kind]()
    sets = load_companion_sets(toy_companions.write_sets(kind, tmp_path / "sets.npz"))
    batches = [as_companion_input(batch) for batch in sets.calibration.batches()]
    output = model.graph.output[0].name
    wanted = [Engine(model.SerializeToString()).run(output, batch) for batch in batches]
    nearest = quantize_companion(model, sets, QuantizeOptions(method="minmax"), together=False)
    before = {part.name: numpy_helper.to_array(part) for part in nearest.graph.initializer}
    far = output_distance(nearest, output, batches, wanted)
    round_weights(nearest, model, batches, reduced=True)
    assert output_distance(nearest, output, batches, wanted) < far
    changed = {part.name for part in nearest.graph.initializer if not np.array_equal(numpy_helper.to_array(part), before[part.name])}
    # All convolutions but the head.
    assert len(changed) == {"context": 1, "strings": 1, "finder": 2}[kind]
    assert {before[name].dtype for name in changed} == {np.dtype(np.int8)}
    assert max(int(np.abs(numpy_helper.to_array(part)).max()) for part in nearest.graph.initializer if part.name in changed) <= 64
