from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from edge_digits.errors import ExitCode, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.classifier import Classifier
from export import checkpoint, parity, to_onnx
from export.networks import NETWORKS, ConvNetwork, build
from export.to_onnx import fold_batch_norm

SETTINGS = {"network": "tiny", "mixture": {"negative_share": 0.25}, "optimisation": {"negative_weight": 0.6}}


def used(name: str) -> ConvNetwork:
    """A network whose batch norms hold statistics of their own, as after training."""
    torch.manual_seed(3)
    network = build(name)
    network.train()
    for _ in range(3):
        network(torch.rand(16, 1, 28, 28))
    return network.eval()


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    network = used("tiny")
    checkpoint.save(tmp_path / "run", {"average": network.state_dict(), "settings": SETTINGS, "temperature": 0.8})
    return tmp_path / "run"


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_folding_changes_nothing(name: str) -> None:
    network = used(name)
    tiles = torch.rand(4, 1, 28, 28)
    folded = fold_batch_norm(network)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in folded.modules())
    assert torch.allclose(folded(tiles), network(tiles), atol=1e-5)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_contract_of_the_file(name: str) -> None:
    model = onnx.load_from_string(to_onnx.to_onnx(used(name), 0.7, {"seed": 1}))
    assert model.ir_version <= 8
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert [entry.name for entry in model.graph.input] == ["tiles"]
    assert [entry.name for entry in model.graph.output] == ["logits", "features"]
    shapes = [[d.dim_param or d.dim_value for d in entry.type.tensor_type.shape.dim] for entry in (*model.graph.input, *model.graph.output)]
    assert shapes[0] == ["n", 1, 28, 28]
    assert shapes[1] == ["n", 11]
    assert {node.op_type for node in model.graph.node} <= {"Conv", "Relu", "GlobalAveragePool", "Flatten", "Gemm"}
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["contract_version"] == "1"
    assert float(metadata["temperature"]) == 0.7
    assert float(metadata["reject_threshold"]) == 0.5
    assert json.loads(metadata["training"]) == {"seed": 1}
    assert len(json.loads(metadata["labels"])) == 11


def test_the_product_takes_the_file(run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.onnx"
    assert to_onnx.main(["--run", str(run_folder), "--out", str(out)]) == ExitCode.OK
    classifier = Classifier(RecognitionOptions(model=str(out), provider="cpu", precision="float"))
    for count in (0, 1, 9):
        assert classifier.predict(np.zeros((count, 1, 28, 28), np.float32)).probabilities.shape == (count, 11)


def test_the_share_of_no_digits_moves_their_probability(run_folder: Path, tmp_path: Path) -> None:
    # In training a sixth of the loss: 0.25 * 0.6 of 0.25 * 0.6 + 0.75.
    assert to_onnx.training_share(SETTINGS) == pytest.approx(1 / 6)
    odds = []
    for share in ("0.1666666667", "0.5"):
        out = tmp_path / f"{share}.onnx"
        assert to_onnx.main(["--run", str(run_folder), "--out", str(out), "--not-one-digit-share", share]) == ExitCode.OK
        chances = Classifier(RecognitionOptions(model=str(out), provider="cpu", precision="float")).predict(
            np.full((1, 1, 28, 28), 0.3, np.float32)
        )
        refused = float(chances.probabilities[0, 10])
        odds.append(refused / (1 - refused))
    assert odds[1] / odds[0] == pytest.approx(5.0, rel=0.01)


@pytest.mark.parametrize("share", ["0", "1", "-3"])
def test_an_absurd_share(run_folder: Path, tmp_path: Path, capsys: Any, share: str) -> None:
    arguments = ["--run", str(run_folder), "--out", str(tmp_path / "x.onnx"), "--not-one-digit-share", share]
    assert to_onnx.main(arguments) == ExitCode.USAGE
    assert "between 0 and 1" in capsys.readouterr().err


def test_the_same_run_gives_the_same_bytes(run_folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        to_onnx.main(["--run", str(run_folder), "--out", str(tmp_path / name)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_run_and_no_place(run_folder: Path, tmp_path: Path, capsys: Any) -> None:
    assert to_onnx.main(["--run", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x.onnx")]) == ExitCode.USAGE
    assert "no checkpoint" in capsys.readouterr().err
    assert to_onnx.main(["--run", str(run_folder), "--out", str(run_folder / "checkpoint.pt" / "x.onnx")]) == ExitCode.USAGE
    assert "cannot be written" in capsys.readouterr().err


def test_parity_holds(run_folder: Path, capsys: Any) -> None:
    assert parity.main(["--run", str(run_folder), "--tiles", "40"]) == ExitCode.OK
    assert "tiles 40" in capsys.readouterr().out


def test_parity_sees_another_model(run_folder: Path, tmp_path: Path, capsys: Any) -> None:
    other = tmp_path / "other.onnx"
    torch.manual_seed(9)
    other.write_bytes(to_onnx.to_onnx(build("tiny").eval(), 1.0, {}))
    assert parity.main(["--run", str(run_folder), "--onnx", str(other), "--tiles", "40"]) == ExitCode.SOME_INPUTS_FAILED
    assert "beyond the tolerance" in capsys.readouterr().err


def test_parity_of_a_file_that_is_no_model(run_folder: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    assert parity.main(["--run", str(run_folder), "--onnx", str(tmp_path / "text.onnx")]) == ExitCode.MODEL
    assert "cannot load" in capsys.readouterr().err


def test_compare_tells_how_far() -> None:
    network = used("tiny")
    model = to_onnx.to_onnx(network, 1.0, {})
    with torch.no_grad():
        network.head.bias += 0.25
    found = parity.compare(network, model, parity.random_tiles(8))
    assert found.logits == pytest.approx(0.25, abs=1e-4)
    assert found.features < 1e-4


def test_random_tiles_hold_ink_and_stay_the_same() -> None:
    tiles = parity.random_tiles(12)
    assert tiles.max(axis=(1, 2)).min() == 255
    assert np.array_equal(tiles, parity.random_tiles(12))
    assert as_model_input(parity.random_tiles(0)).shape == (0, 1, 28, 28)


def test_the_share_of_no_digits_moves_only_that_logit() -> None:
    network = build("tiny").eval()
    tiles = torch.rand(4, 1, 28, 28)
    with torch.no_grad():
        before = network(tiles)
        to_onnx.shift_share(network, 0.5, 0.25, 0.05)
        after = network(tiles)
    odds = math.log(0.05 / 0.95) - math.log(0.25 / 0.75)
    assert torch.allclose(after[:, :10], before[:, :10], atol=1e-6)
    assert torch.allclose(after[:, 10] - before[:, 10], torch.full((4,), 0.5 * odds), atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 1.0, -2.0])
def test_a_share_outside_zero_and_one_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="not-one-digit-share"):
        to_onnx.shift_share(build("tiny"), 1.0, 0.25, share)
