from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.errors import ExitCode, MissingExtraError, ModelDamagedError, ProviderError
from edge_digits.options import RecognitionOptions
from edge_digits.recognition import engine
from edge_digits.recognition.classifier import Classifier


class PretendingRuntime:
    """onnxruntime, except that CUDA is said to be there. What a session then obtains is the test's choice.

    obtained : providers of a session that asked for CUDA, or an exception that is raised instead.
    asked : the provider names of every session that was opened.
    """

    def __init__(self, real: Any, obtained: list[str] | Exception) -> None:
        self._real, self._obtained = real, obtained
        self.asked: list[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_available_providers(self) -> list[str]:
        return [engine.CUDA, engine.CPU]

    def preload_dlls(self) -> None:
        print("Failed to load a CUDA library")

    def InferenceSession(self, model: bytes, sess_options: Any, providers: list[Any]) -> Any:  # noqa: N802 - onnxruntime's name
        names = [p if isinstance(p, str) else p[0] for p in providers]
        self.asked.append(names)
        session = self._real.InferenceSession(model, sess_options=sess_options, providers=[engine.CPU])
        if names[0] != engine.CUDA:
            return session
        if isinstance(self._obtained, Exception):
            raise self._obtained
        print("EP Error: falling back")
        return SessionThatSays(session, self._obtained)


class SessionThatSays:
    """A session that names other providers than it has; records the batches it ran."""

    def __init__(self, session: Any, providers: list[str]) -> None:
        self._session, self._providers = session, providers
        self.batches: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        return self._providers

    def run(self, outputs: list[str], feeds: dict[str, NDArray[np.float32]]) -> Any:
        self.batches.append(len(next(iter(feeds.values()))))
        return self._session.run(outputs, feeds)


def pretend(monkeypatch: pytest.MonkeyPatch, obtained: list[str] | Exception) -> PretendingRuntime:
    runtime = PretendingRuntime(engine.load_onnxruntime(), obtained)
    monkeypatch.setattr(engine, "load_onnxruntime", lambda: runtime)
    return runtime


CUDA_THAT_FAILS = [pytest.param([engine.CPU], id="silent CPU session"), pytest.param(RuntimeError("CUDA failure 35"), id="raises")]


@pytest.mark.parametrize("obtained", CUDA_THAT_FAILS)
def test_auto_says_cpu_when_cuda_only_pretends(
    obtained: list[str] | Exception,
    toy: Path,
    tiles: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = Classifier(RecognitionOptions(str(toy), "cpu")).predict(tiles).probabilities
    runtime = pretend(monkeypatch, obtained)
    classifier = Classifier(RecognitionOptions(str(toy), "auto"))
    assert runtime.asked[0] == [engine.CUDA, engine.CPU]
    assert (classifier.provider, classifier.precision) == (engine.CPU, "int8")
    assert np.array_equal(classifier.predict(tiles).probabilities, expected)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("obtained", CUDA_THAT_FAILS)
def test_cuda_fails_when_cuda_only_pretends(
    obtained: list[str] | Exception, toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, obtained)
    with pytest.raises(ProviderError, match=r"'cuda' was asked for.*use --provider cpu") as caught:
        Classifier(RecognitionOptions(str(toy), "cuda"))
    assert caught.value.exit_code == ExitCode.PROVIDER == 5
    assert capsys.readouterr().out == ""


def test_cuda_fails_where_it_is_not_compiled_in(toy: Path) -> None:
    if engine.cuda_compiled_in():
        pytest.skip("this onnxruntime has CUDA compiled in")
    with pytest.raises(ProviderError, match="session obtained CPUExecutionProvider"):
        Classifier(RecognitionOptions(str(toy), "cuda"))


@pytest.mark.parametrize("provider", ["auto", "cuda"])
def test_obtained_cuda_runs_the_float_model_in_fixed_batches(
    provider: Any, toy: Path, tiles: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, [engine.CUDA, engine.CPU])
    classifier = Classifier(RecognitionOptions(str(toy), provider))
    assert (classifier.provider, classifier.precision) == (engine.CUDA, "float")
    session = classifier.engine._session
    session.batches.clear()
    predictions = classifier.predict(tiles[:9])
    assert session.batches == [32]
    assert len(predictions) == 9
    cpu = Classifier(RecognitionOptions(str(toy), "cpu", "float")).predict(tiles[:9])
    assert np.allclose(predictions.probabilities, cpu.probabilities, atol=1e-6)


def test_a_damaged_file_is_not_blamed_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, RuntimeError("no"))
    with pytest.raises(ModelDamagedError, match="note: onnxruntime cannot load it"):
        engine.Engine(b"no model", "cuda", name="note")


@pytest.mark.parametrize("data", [b"", b"\x00" * 64, b"text, not a model", bytes(range(256)) * 8])
def test_bytes_that_are_no_model_are_named(data: bytes) -> None:
    with pytest.raises(ModelDamagedError, match=r"^net: onnxruntime cannot load it"):
        engine.Engine(data, name="net")


def test_half_a_model_is_named(toy: Path) -> None:
    data = (toy / "toy.float.onnx").read_bytes()
    with pytest.raises(ModelDamagedError, match="cannot load it"):
        engine.Engine(data[: len(data) // 2])


def test_an_engine_tells_what_it_holds(toy: Path) -> None:
    loaded = engine.Engine((toy / "toy.float.onnx").read_bytes(), threads=3)
    assert (loaded.threads, loaded.provider) == (3, engine.CPU)
    assert loaded.inputs == {"tiles": ("n", 1, 28, 28)}
    assert loaded.outputs == {"logits": ("n", 11), "features": ("n", 784)}
    assert loaded.metadata["contract_version"] == "1"


def test_several_outputs_come_in_the_order_they_are_named(toy: Path, tiles: NDArray[np.float32]) -> None:
    loaded = engine.Engine((toy / "toy.float.onnx").read_bytes())
    features, logits = loaded.run_all(("features", "logits"), tiles)
    assert (features.shape, logits.shape) == ((44, 784), (44, 11))
    assert np.array_equal(logits, loaded.run("logits", tiles))


def test_threads_are_chosen_within_one_and_four() -> None:
    assert 1 <= engine.default_threads() <= 4


def test_a_missing_onnxruntime_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r'pip install "edge-digits\[cpu\]"'):
        engine.load_onnxruntime()


def test_installed_runtimes_have_versions() -> None:
    found = engine.installed_runtimes()
    assert found
    assert all(version[0].isdigit() for version in found.values())
