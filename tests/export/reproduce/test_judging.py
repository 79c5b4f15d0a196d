from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')

import onnx  # noqa: E402 - after the check for torch
from torch import nn  # noqa: E402

from edge_digits.errors import ModelDamagedError  # noqa: E402
from export.reproduce import judging  # noqa: E402
from export.reproduce.judging import count_multiplications, hits, judge, open_engine, quantize_options  # noqa: E402
from tests.export.reproduce.benches import bench_at  # noqa: E402


class Enlarged(nn.Module):
    """A network whose source resizes and subtracts a mean first."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Sequential(nn.Linear(8 * 7 * 7, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10))

    def forward(self, tiles: Any) -> Any:
        large = nn.functional.interpolate(tiles, size=(32, 32), mode="bilinear", align_corners=False)
        return self.head(self.body((large - 0.13).expand(-1, 3, -1, -1)))


class Unsteady(nn.Sequential):
    """Whatever ONNX Runtime computes, torch has computed something else."""

    def forward(self, tiles: Any) -> Any:
        logits = super().forward(tiles)
        return logits if torch.onnx.is_in_onnx_export() else logits + 1.0


def test_the_judge_measures_both_files(drawn_data: Path, tmp_path: Path) -> None:
    network = Enlarged().train()
    figures = judge(network, bench_at(tmp_path / "run", data=drawn_data), "enlarged")
    assert network.training
    for kind in ("float", "int8"):
        path = tmp_path / "run" / f"enlarged.{kind}.onnx"
        assert figures["bytes"][kind] == path.stat().st_size
        model = onnx.load(path)
        assert {each.version for each in model.opset_import if each.domain == ""} == {17}
        engine = open_engine(path)
        assert list(engine.inputs) == ["tiles"]
        assert isinstance(engine.inputs["tiles"][0], str)
        assert engine.outputs["logits"][1:] == (10,)
        for count in (1, 3):
            assert engine.run("logits", np.zeros((count, 1, 28, 28), np.float32)).shape == (count, 10)
    quantized = {node.op_type for node in onnx.load(tmp_path / "run" / "enlarged.int8.onnx").graph.node}
    assert "QuantizeLinear" in quantized
    assert "Dropout" not in quantized
    assert figures["bytes"]["int8"] < figures["bytes"]["float"]
    assert figures["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert figures["parity"]["logits"] < 1e-4
    assert figures["agreement"] > 80.0
    assert figures["mnist"]["float"]["n"] == 240
    assert figures["mnist"]["float"]["errors"] == round(240 * (1 - figures["mnist"]["float"]["accuracy"] / 100))
    assert figures["zero_shot"] == {}  # the drawn folder holds mnist alone


def test_other_sets_are_judged_where_there_are_any(drawn_data: Path, tmp_path: Path) -> None:
    (drawn_data / "semeion").mkdir()
    chance = np.random.default_rng(1)
    images = np.where(chance.random((80, 16, 16)) > 0.7, 255, 0).astype(np.uint8)
    np.savez(drawn_data / "semeion" / "semeion.npz", images=images, labels=np.repeat(np.arange(10), 8).astype(np.uint8))
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    figures = judge(network, bench_at(tmp_path / "run", data=drawn_data), "line")["zero_shot"]
    assert list(figures) == ["semeion"]
    assert figures["semeion"]["n"] == 60
    assert figures["semeion"]["errors"] > 30  # noise is read by chance


def test_another_computation_is_refused(drawn_data: Path, tmp_path: Path) -> None:
    network = Unsteady(nn.Flatten(), nn.Linear(784, 10))
    with pytest.raises(ModelDamagedError, match="unsteady: a logit of ONNX Runtime differs by 1 "):
        judge(network, bench_at(tmp_path / "run", data=drawn_data), "unsteady")


def test_multiplications_are_counted() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.AvgPool2d(28), nn.Flatten(), nn.Linear(4, 10))
    assert count_multiplications(network) == 28 * 28 * 4 * 25 + 40
    assert count_multiplications(nn.Flatten()) == 0


def test_large_networks_are_not_searched(tmp_path: Path) -> None:
    bench = bench_at(tmp_path)
    assert quantize_options(judging.SEARCHABLE_MULTIPLICATIONS, bench).method == "search"
    assert quantize_options(judging.SEARCHABLE_MULTIPLICATIONS + 1, bench).method == "minmax"


def test_hits() -> None:
    labels = np.array([1, 2, 3], np.uint8)
    assert hits(np.array([1, 2, 0]), labels) == {"n": 3, "accuracy": 66.667, "errors": 1}
    assert hits(labels[:0].astype(np.int64), labels[:0])["n"] == 0
