"""A checkpoint written on a CUDA device serves a machine that has none."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from edge_digits.errors import ExitCode
from export import checkpoint, to_onnx
from export.networks import build
from export.reproduce.fitting import load_state

# How a string stands in the pickle of a checkpoint: a letter, its length in four bytes, the letters.
ON_CPU, ON_CUDA = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"


def as_from_cuda(path: Path) -> Path:
    """Change where the tensors of a checkpoint say that they lay; their bytes are the same on both."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    pickled = next(name for name in entries if name.endswith("/data.pkl"))
    assert ON_CPU in entries[pickled]
    entries[pickled] = entries[pickled].replace(ON_CPU, ON_CUDA)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def trained() -> dict[str, Any]:
    torch.manual_seed(4)
    return {"average": build("tiny").eval().state_dict(), "settings": {"network": "tiny"}, "temperature": 0.9}


@pytest.fixture
def run_folder(trained: dict[str, Any], tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "run", trained)
    as_from_cuda(tmp_path / "run" / checkpoint.CHECKPOINT_NAME)
    return tmp_path / "run"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device, where such a file loads anyway")
def test_torch_alone_refuses_such_a_file(run_folder: Path) -> None:
    with pytest.raises(RuntimeError, match="CUDA device"):
        torch.load(run_folder / checkpoint.CHECKPOINT_NAME, weights_only=True)


def test_a_checkpoint_of_a_gpu_comes_to_the_cpu(run_folder: Path, trained: dict[str, Any]) -> None:
    for state in (checkpoint.load(run_folder), load_state(run_folder / checkpoint.CHECKPOINT_NAME)):
        assert state["settings"] == trained["settings"]
        assert {tensor.device.type for tensor in state["average"].values()} == {"cpu"}
        assert all(torch.equal(state["average"][name], tensor) for name, tensor in trained["average"].items())


def test_export_from_it_gives_the_same_file(run_folder: Path, trained: dict[str, Any], tmp_path: Path) -> None:
    assert to_onnx.main(["--run", str(run_folder), "--out", str(tmp_path / "gpu.onnx")]) == ExitCode.OK
    checkpoint.save(tmp_path / "on_cpu", trained)
    assert to_onnx.main(["--run", str(tmp_path / "on_cpu"), "--out", str(tmp_path / "cpu.onnx")]) == ExitCode.OK
    assert (tmp_path / "gpu.onnx").read_bytes() == (tmp_path / "cpu.onnx").read_bytes()
