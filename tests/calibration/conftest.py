"""The toy model and its tiles on disk, quantized and judged once; tests take copies of what they damage."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from calibration import judge, onnx_files, publish, quantize
from tests.calibration import toy


@dataclass(frozen=True)
class Bench:
    """Paths of one run through calibration: float source, tiles, MNIST-like folder, the quantized pair, its verdict."""

    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "toy.onnx"

    @property
    def tiles(self) -> Path:
        return self.folder / "tiles.npz"

    @property
    def mnist(self) -> Path:
        return self.folder / "mnist"

    @property
    def float_path(self) -> Path:
        return self.folder / "quantized" / "toy.float.onnx"

    @property
    def int8_path(self) -> Path:
        return self.folder / "quantized" / "toy.int8.onnx"

    @property
    def verdict(self) -> Path:
        return self.folder / "verdict.json"

    @property
    def pair(self) -> list[str]:
        return ["--float", str(self.float_path), "--int8", str(self.int8_path)]

    def quantize(self, *more: str) -> int:
        out = ["--out", str(self.folder / "quantized"), "--name", "toy", "--no-float-head"]
        return quantize.main(["--float", str(self.source), "--tiles", str(self.tiles), *out, *more])

    def judge(self, *more: str) -> int:
        return judge.main([*self.pair, "--tiles", str(self.tiles), "--out", str(self.verdict), "--rounds", "1", *more])

    def publish(self, out: Path, *more: str) -> int:
        where = ["--verdict", str(self.verdict), "--mnist", str(self.mnist), "--out", str(out), "--name", "toy"]
        return publish.main([*self.pair, *where, *more])


@pytest.fixture(scope="session")
def float_model() -> Any:
    """The toy's onnx.ModelProto; not to be changed."""
    return toy.toy_model()


@pytest.fixture(scope="session")
def finished_bench(float_model: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A run through quantize and judge that passed; not to be changed."""
    bench = Bench(tmp_path_factory.mktemp("bench"))
    onnx_files.save_model(float_model, bench.source)
    toy.write_tiles(bench.tiles)
    toy.write_idx(bench.mnist)
    assert bench.quantize() == 0
    assert bench.judge() == 0
    return bench


@pytest.fixture
def bench(finished_bench: Bench, tmp_path: Path) -> Bench:
    """A copy of the finished run that a test may damage."""
    return Bench(Path(shutil.copytree(finished_bench.folder, tmp_path / "bench")))
