"""A float file becomes a torch network that computes the same, or a clear refusal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from edge_digits.errors import ModelContractError, ModelNotFoundError
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import LABELS, WEIGHTS_FOLDER, ModelFile
from export import from_onnx
from export.from_onnx import find_base, load_base, rebuild
from export.networks import NETWORKS, ConvNetwork, build
from export.parity import compare, random_tiles
from export.to_onnx import to_onnx


class Branched(ConvNetwork):
    """What no network here has: a residual branch, max pooling, groups, a dense layer before the last one."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.body = nn.Sequential(nn.Conv2d(1, 8, 5, 2, 2), nn.MaxPool2d(2))
        self.branch = nn.Conv2d(8, 8, 3, 1, 1, groups=4, bias=False)
        self.dense = nn.Linear(8 * 49, 12)
        self.head = nn.Linear(12, len(LABELS))

    def features(self, tiles: Tensor) -> Tensor:
        maps = torch.relu(self.body(tiles))
        return torch.relu(self.dense(torch.flatten(maps + self.branch(maps), 1)))


def model_file(data: bytes) -> ModelFile:
    return ModelFile("written", "float", data, "", None, {})


def written(network: ConvNetwork, temperature: float = 0.8) -> bytes:
    return to_onnx(network.eval(), temperature, {"seed": 3}, 0.07)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_comes_back(name: str) -> None:
    torch.manual_seed(2)
    data = written(build(name))
    network, card = load_base(model_file(data))
    found = compare(network, data, random_tiles(12))
    assert max(found.logits, found.features) < 1e-4
    assert (card.temperature, card.not_one_digit_share, card.training) == (0.8, 0.07, {"seed": 3})


def test_branches_pools_and_dense_layers_come_back() -> None:
    torch.manual_seed(2)
    data = written(Branched())
    network, _ = load_base(model_file(data))
    assert compare(network, data, random_tiles(12)).logits < 1e-4


def test_what_comes_back_is_written_again_as_it_was() -> None:
    network, card = load_base(find_base("digits"))
    again = to_onnx(network, card.temperature, card.training, card.not_one_digit_share)
    tiles = torch.rand(5, 1, 28, 28).numpy()
    theirs = Engine((WEIGHTS_FOLDER / "digits.float.onnx").read_bytes()).run("logits", tiles)
    assert np.allclose(Engine(again).run("logits", tiles), theirs, atol=1e-4)
    assert sum(p.numel() for p in network.parameters()) > 70_000
    assert all(p.requires_grad for p in network.parameters())


def test_own_models_come_before_shipped_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(build("tiny"))
    (tmp_path / "digits.float.onnx").write_bytes(data)
    monkeypatch.setattr(from_onnx, "MODELS_FOLDER", tmp_path)
    assert find_base("digits").data == data
    assert find_base("digits").name == "digits"
    assert find_base(str(WEIGHTS_FOLDER / "digits.float.onnx")).data != data


@pytest.mark.parametrize("name", ["nobody", "./nowhere.onnx", "no/folder"])
def test_a_base_that_is_not_there(name: str) -> None:
    with pytest.raises(ModelNotFoundError):
        find_base(name)


def test_an_int8_file_is_no_base() -> None:
    with pytest.raises(ModelContractError, match="name the float file"):
        find_base(str(WEIGHTS_FOLDER / "digits.int8.onnx"))


@pytest.mark.parametrize("data", [b"", b"no model at all"])
def test_bytes_that_are_no_model(data: bytes) -> None:
    with pytest.raises(ModelContractError):
        load_base(model_file(data))


def graph(*nodes: onnx.NodeProto, **weights: np.ndarray) -> onnx.ModelProto:
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("tiles", ["n", 1, 28, 28]), ("logits", ["n", 11]), ("features", ["n", 784]))
    ]
    parts = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    model = helper.make_model(helper.make_graph(nodes, "toy", values[:1], values[1:], parts), opset_imports=[helper.make_opsetid("", 17)])
    metadata = {"contract_version": "1", "labels": json.dumps(LABELS), "temperature": "1", "reject_threshold": "0.5", "training": "{}"}
    helper.set_model_props(model, metadata)
    return model


FLATTEN = helper.make_node("Flatten", ["tiles"], ["features"])
MATRIX = np.random.default_rng(1).normal(0, 1, (784, 11)).astype(np.float32)


def test_a_matrix_that_lies_the_other_way_and_no_bias() -> None:
    model = graph(FLATTEN, helper.make_node("Gemm", ["features", "matrix"], ["logits"]), matrix=MATRIX)
    network = rebuild(model, "toy")
    tiles = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        assert np.allclose(network(tiles).numpy(), tiles.numpy().reshape(3, 784) @ MATRIX, atol=1e-4)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ((helper.make_node("Sigmoid", ["tiles"], ["x"]),), "holds a layer Sigmoid"),
        ((FLATTEN,), "no dense layer"),
        ((FLATTEN, helper.make_node("Gemm", ["features", "matrix"], ["logits"], alpha=2.0)), "factors of its own"),
        ((FLATTEN, helper.make_node("Relu", ["features"], ["logits"])), "no dense layer"),
        ((helper.make_node("MaxPool", ["tiles"], ["x"], kernel_shape=[2, 2], pads=[0, 0, 1, 1]),), "uneven rims"),
    ],
)
def test_graphs_that_cannot_be_rebuilt(nodes: tuple[onnx.NodeProto, ...], said: str) -> None:
    with pytest.raises(ModelContractError, match=said):
        rebuild(graph(*nodes, matrix=MATRIX), "toy")


def test_a_network_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(from_onnx.LAYERS, "Relu", lambda _, __: nn.Identity())
    with pytest.raises(ModelContractError, match="logits differ by"):
        load_base(find_base("digits"))
