"""Models and providers that cannot be used: nothing is read, one line says why, the exit code is the one promised."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from edge_digits.errors import ExitCode
from edge_digits.recognition.weights import WEIGHTS_FOLDER
from tests.command_line import LINES, TEXT, Outcome, Run


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the shipped models that may be damaged."""
    return Path(shutil.copytree(WEIGHTS_FOLDER, tmp_path / "models"))


def shipped(folder: Path) -> Path:
    """The int8 file of the default model in a folder."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return folder / str(manifest["models"][manifest["default"]]["int8"]["file"])


def model_refused(outcome: Outcome, says: str) -> None:
    """Nothing read, one line, exit code 3."""
    assert (outcome.code, outcome.out) == (ExitCode.MODEL, "")
    (line,) = outcome.complaints
    assert says in line
    assert ";" in line


def test_a_model_by_path(run: Run, good: Path, models: Path) -> None:
    assert run("read", good, "--model", shipped(models)) == Outcome(0, TEXT, "")


@pytest.mark.parametrize("name", ["missing.onnx", "no-such-name", "folder/without/one"])
def test_a_missing_model(run: Run, good: Path, name: str) -> None:
    model_refused(run("read", good, "--model", name), name)


def test_a_damaged_model(run: Run, good: Path, models: Path) -> None:
    file = shipped(models)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    model_refused(run("read", good, "--model", file), "SHA-256")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_model_without_manifest(run: Run, good: Path, tmp_path: Path, share: float) -> None:
    data = shipped(WEIGHTS_FOLDER).read_bytes()
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(data[: int(len(data) * share)])
    model_refused(run("read", good, "--model", cut), "cut")


def test_text_named_onnx(run: Run, good: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("not a model\n" * 50, encoding="utf-8")
    model_refused(run("read", good, "--model", text), "text")


@pytest.mark.parametrize("entry", [b"contract_version", b"labels", b"temperature", b"reject_threshold"])
def test_a_foreign_model(run: Run, good: Path, tmp_path: Path, entry: bytes) -> None:
    # A sound ONNX file that lacks an entry of the contract: the same bytes with the entry under another name.
    data = shipped(WEIGHTS_FOLDER).read_bytes()
    assert entry in data
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(data.replace(entry, entry[:-1] + b"~"))
    model_refused(run("read", good, "--model", foreign), "foreign")


def test_a_model_of_another_time(run: Run, good: Path, models: Path) -> None:
    manifest = json.loads((models / "manifest.json").read_text(encoding="utf-8"))
    (models / "manifest.json").write_text(json.dumps({**manifest, "contract": 99}), encoding="utf-8")
    model_refused(run("read", good, "--model", models), "contract 99")


def test_a_manifest_that_is_no_json(run: Run, good: Path, models: Path) -> None:
    (models / "manifest.json").write_text("{", encoding="utf-8")
    model_refused(run("read", good, "--model", models), "manifest")


def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose onnxruntime has only the CPU."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])


def with_pretended_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose onnxruntime lists CUDA and then, as it does without drivers, gives a CPU session."""
    real = onnxruntime.InferenceSession

    def cpu_all_the_same(model: bytes, sess_options: Any, providers: list[Any]) -> Any:
        del providers
        return real(model, sess_options=sess_options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", cpu_all_the_same)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)


@pytest.mark.parametrize("machine", [without_cuda, with_pretended_cuda])
def test_cuda_that_is_not_obtained(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch, machine: Callable[[Any], None]) -> None:
    machine(monkeypatch)
    outcome = run("read", good, "--provider", "cuda")
    assert (outcome.code, outcome.out) == (ExitCode.PROVIDER, "")
    (line,) = outcome.complaints
    assert "cuda" in line
    assert "--provider cpu" in line


@pytest.mark.parametrize("machine", [without_cuda, with_pretended_cuda])
def test_auto_says_what_it_obtained(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch, machine: Callable[[Any], None]) -> None:
    machine(monkeypatch)
    (page,) = run("read", good, "--provider", "auto", "--format", "json").pages
    assert page["provider"] == "CPUExecutionProvider"
    assert page["model"]["precision"] == "int8"


@pytest.mark.parametrize("precision", ["int8", "float"])
def test_both_precisions_read_the_page(run: Run, good: Path, precision: str) -> None:
    (page,) = run("read", good, "--precision", precision, "--format", "json").pages
    assert [line["text"] for line in page["lines"]] == LINES
    assert page["model"]["precision"] == precision
