from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from calibration import onnx_files
from calibration.errors import CalibrationError
from calibration.quantize import METHODS, QuantizeOptions, quantize
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.engine import Engine
from tests.calibration import toy
from tests.calibration.conftest import Bench


def weights_of(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer if i.data_type == onnx.TensorProto.INT8}


def largest(model: Any) -> int:
    """The largest int8 weight's magnitude; zero points, which are single numbers, aside."""
    return max(int(np.abs(w.astype(int)).max()) for w in weights_of(model).values() if w.size > 100)


def test_the_int8_file_keeps_the_contract(finished_bench: Bench) -> None:
    float_model, model = onnx.load(finished_bench.float_path), onnx.load(finished_bench.int8_path)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert model.ir_version == 8
    assert [i.name for i in model.graph.input] == ["tiles"]
    assert [o.name for o in model.graph.output] == ["logits", "features"]
    metadata = onnx_files.metadata(model)
    how = json.loads(metadata.pop("quantization"))
    assert metadata == onnx_files.metadata(float_model)
    switches = {"per_channel": True, "reduce_range": True, "float_head": False, "float_first": False, "symmetric": False}
    assert how == {**switches, "method": "search", "tiles": 500}
    kinds = {node.op_type for node in model.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds


def test_the_head_stays_float_unless_asked_otherwise(float_model: Any) -> None:
    tiles, _ = toy.toy_digits(64, 1)
    kept, whole = (quantize(float_model, tiles, QuantizeOptions(float_head=flag)) for flag in (True, False))
    assert [w.size for w in weights_of(kept).values() if w.size > 100] == [toy.FILTERS * toy.PATCH_PX**2]
    assert max(w.size for w in weights_of(whole).values()) == 784 * 11
    assert whole.ByteSize() < 0.5 * float_model.ByteSize()


def test_the_first_convolution_stays_float_when_asked(float_model: Any) -> None:
    tiles, _ = toy.toy_digits(64, 1)
    kept = quantize(float_model, tiles, QuantizeOptions(float_head=False, float_first=True, method="minmax"))
    assert [w.size for w in weights_of(kept).values() if w.size > 100] == [784 * 11]
    both = quantize(float_model, tiles, QuantizeOptions(float_first=True, method="minmax"))
    assert weights_of(both) == {}


def test_a_graph_without_a_convolution_has_no_first_one() -> None:
    nodes = [onnx.helper.make_node("Flatten", ["tiles"], ["features"]), onnx.helper.make_node("Gemm", ["features", "w"], ["logits"])]
    shapes = {"tiles": ["n", 1, 28, 28], "logits": ["n", 11], "features": ["n", 784]}
    infos = {name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    weight = numpy_helper.from_array(np.zeros((784, 11), np.float32), "w")
    graph = onnx.helper.make_graph(nodes, "flat", [infos["tiles"]], [infos["logits"], infos["features"]], [weight])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(CalibrationError, match="no convolution"):
        quantize(model, toy.toy_digits(64, 1)[0], QuantizeOptions(float_head=False, float_first=True))


def test_symmetric_activations_have_zero_point_zero(float_model: Any) -> None:
    tiles, _ = toy.toy_digits(64, 1)

    def zero_points(model: Any) -> set[int]:
        names = {node.input[2] for node in model.graph.node if node.op_type == "QuantizeLinear"}
        return {int(numpy_helper.to_array(i)) for i in model.graph.initializer if i.name in names and numpy_helper.to_array(i).ndim == 0}

    chosen = (QuantizeOptions(float_head=False, method="minmax", symmetric=flag) for flag in (True, False))
    symmetric, shifted = (zero_points(quantize(float_model, tiles, options)) for options in chosen)
    assert symmetric == {0}
    assert -128 in shifted


def test_a_head_of_another_kind_is_named(float_model: Any) -> None:
    strange = onnx.ModelProto()
    strange.CopyFrom(float_model)
    strange.graph.node[-1].output[0] = "raw"
    strange.graph.node.append(onnx.helper.make_node("Tanh", ["raw"], ["logits"]))
    tiles, _ = toy.toy_digits(64, 1)
    with pytest.raises(CalibrationError, match=r"Tanh.*--no-float-head"):
        quantize(strange, tiles)
    assert quantize(strange, tiles, QuantizeOptions(float_head=False)).ByteSize() > 0


def test_any_number_of_tiles_runs(finished_bench: Bench) -> None:
    engine = Engine(finished_bench.int8_path.read_bytes())
    for count in (1, 2, 65):
        logits, features = engine.run_all(("logits", "features"), np.zeros((count, 1, 28, 28), np.float32))
        assert (logits.shape, features.shape) == ((count, 11), (count, 784))


def test_int8_says_what_float_says(finished_bench: Bench) -> None:
    tiles, _ = toy.toy_digits(300, 50)
    given = (tiles[:, None] / 255).astype(np.float32)
    logits = [Engine(path.read_bytes()).run("logits", given) for path in (finished_bench.float_path, finished_bench.int8_path)]
    assert (logits[0].argmax(axis=1) == logits[1].argmax(axis=1)).mean() >= 0.99
    assert 0 < np.abs(logits[0] - logits[1]).max() < 2.5


def test_reduced_range_keeps_weights_to_seven_bits(float_model: Any) -> None:
    tiles, _ = toy.toy_digits(64, 1)
    reduced, full = (
        quantize(float_model, tiles, QuantizeOptions(reduce_range=flag, float_head=False, method="minmax")) for flag in (True, False)
    )
    assert largest(reduced) <= 64
    assert largest(full) > 64


def test_per_channel_gives_each_filter_its_scale(float_model: Any) -> None:
    tiles, _ = toy.toy_digits(64, 1)

    def scales(model: Any) -> int:
        values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        return max(values[node.input[1]].size for node in model.graph.node if node.op_type == "DequantizeLinear")

    assert scales(quantize(float_model, tiles, QuantizeOptions(per_channel=True, float_head=False))) >= toy.FILTERS
    assert scales(quantize(float_model, tiles, QuantizeOptions(per_channel=False, float_head=False))) == 1


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_model_that_loads(method: Any, float_model: Any, tmp_path: Path) -> None:
    tiles, _ = toy.toy_digits(64, 1)
    onnx_files.save_model(quantize(float_model, tiles, QuantizeOptions(method=method)), tmp_path / "m.onnx")
    assert onnx_files.load_model(tmp_path / "m.onnx").ir_version == 8


def test_quantizing_twice_gives_the_same_bytes(bench: Bench) -> None:
    before = bench.int8_path.read_bytes()
    assert bench.quantize() == 0
    assert bench.int8_path.read_bytes() == before


@pytest.mark.parametrize("options", [{"tiles": 0}, {"method": "guess"}])
def test_absurd_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CalibrationError):
        QuantizeOptions(**options)


@pytest.mark.parametrize("data", [b"", b"text, not a model", b"\x00" * 100])
def test_a_source_that_is_no_model_gives_one_line(data: bytes, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.source.write_bytes(data)
    assert bench.quantize() != 0
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("calibration.quantize: ")


def test_a_foreign_model_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    model = toy.toy_model()
    del model.metadata_props[:]
    bench.source.write_bytes(model.SerializeToString())
    assert bench.quantize() == 3
    assert "not a model of contract 1" in capsys.readouterr().err


def test_a_newer_opset_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    model = toy.toy_model()
    model.opset_import[0].version = 18
    bench.source.write_bytes(model.SerializeToString())
    assert bench.quantize() == 1
    assert "opset 18" in capsys.readouterr().err


def test_a_missing_source_gives_one_line(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.source.unlink()
    assert bench.quantize() == 1
    assert "cannot be read" in capsys.readouterr().err


def test_inner_names_are_short_and_change_nothing(float_model: Any) -> None:
    result = quantize(float_model, toy.toy_digits(64, 1)[0])
    kept = {value.name for value in (*result.graph.input, *result.graph.output)}
    inner = {name for node in result.graph.node for name in (*node.input, *node.output)} - kept
    assert max(map(len, inner)) <= 3
    assert {initializer.name for initializer in result.graph.initializer} <= inner
    onnx.checker.check_model(result, full_check=True)


def test_shortening_names_keeps_the_logits(float_model: Any) -> None:
    inputs = as_model_input(toy.toy_digits(8, 1)[0])
    before = Engine(float_model.SerializeToString()).run("logits", inputs)
    short = onnx.ModelProto.FromString(float_model.SerializeToString())
    onnx_files.shorten_names(short)
    assert short.ByteSize() < float_model.ByteSize()
    assert np.array_equal(Engine(short.SerializeToString()).run("logits", inputs), before)
