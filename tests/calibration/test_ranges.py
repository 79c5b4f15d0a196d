from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from calibration.quantize import QuantizeOptions, quantize
from calibration.ranges import find_activations, logit_distance, search_ranges
from edge_digits.recognition.engine import Engine, load_onnxruntime
from tests.calibration import toy


@pytest.fixture(scope="module")
def given(float_model: Any) -> tuple[onnx.ModelProto, NDArray[np.float32], NDArray[np.float32]]:
    """The toy with the ranges of its largest values, tiles, and the float logits of those."""
    digits, _ = toy.toy_digits(128, 1)
    tiles = (digits[:, None] / np.float32(255)).astype(np.float32)
    model = quantize(float_model, digits, QuantizeOptions(method="minmax"))
    return model, tiles, Engine(float_model.SerializeToString()).run("logits", tiles)


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    return copied


def test_activations_have_scales_and_weights_are_left_out(given: Any) -> None:
    scales = [numpy_helper.to_array(activation.scale) for activation in find_activations(given[0])]
    # The input and the rectified patches; the filters' scales are sixteen.
    assert [scale.size for scale in scales] == [1, 1]
    assert scales[0] == pytest.approx(1 / 255, rel=0.01)


def test_a_search_never_ends_further_off(given: Any) -> None:
    model, tiles, wanted = given
    before = logit_distance(model, tiles, wanted)
    changed = copy_of(model)
    after = search_ranges(changed, tiles, wanted)
    assert after <= before
    assert after == pytest.approx(logit_distance(changed, tiles, wanted), rel=1e-6)


@pytest.mark.parametrize("factor", [3.0, 0.4])
def test_a_range_far_off_is_brought_back(factor: float, given: Any) -> None:
    model, tiles, wanted = given
    spoilt = copy_of(model)
    activation = find_activations(spoilt)[1]
    activation.set_scale((numpy_helper.to_array(activation.scale) * np.float32(factor)).astype(np.float32))
    far = logit_distance(spoilt, tiles, wanted)
    near = search_ranges(spoilt, tiles, wanted)
    assert near < 0.7 * far


def test_weights_stay_and_biases_keep_their_value(given: Any) -> None:
    model, tiles, wanted = given
    changed = copy_of(model)
    search_ranges(changed, tiles, wanted)
    before, after = ({i.name: numpy_helper.to_array(i) for i in m.graph.initializer} for m in (model, changed))
    touched = {name for name in before if not np.array_equal(before[name], after[name])}
    assert touched
    (bias,) = find_activations(model)[0].biases
    scales = {activation.scale.name for activation in find_activations(model)}
    assert touched <= scales | {bias.values.name, bias.scale.name}
    values = [found[bias.values.name] * found[bias.scale.name].astype(np.float64) for found in (before, after)]
    assert np.allclose(*values, atol=float(after[bias.scale.name].max()))


@pytest.mark.parametrize("method", ["minmax", "search"])
def test_convolutions_run_in_int8(method: Any, float_model: Any, tmp_path: Path) -> None:
    """ONNX Runtime joins the quantizing nodes with the convolution only where all scales fit each other."""
    ort = load_onnxruntime()
    digits, _ = toy.toy_digits(64, 1)
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    data = quantize(float_model, digits, QuantizeOptions(method=method)).SerializeToString()
    ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert "QLinearConv" in kinds
    assert "Conv" not in kinds


def test_nothing_to_improve_leaves_the_model(given: Any) -> None:
    model, tiles, _ = given
    changed = copy_of(model)
    own = Engine(model.SerializeToString()).run("logits", tiles)
    assert search_ranges(changed, tiles, own) == 0.0
    assert changed == model
