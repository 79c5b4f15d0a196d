from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.errors import ExitCode, ModelContractError, ModelDamagedError, UsageError
from edge_digits.options import Precision, RecognitionOptions
from edge_digits.recognition import classifier as room
from edge_digits.recognition import engine
from edge_digits.recognition.classifier import Classifier, softmax

Tiles = NDArray[np.float32]
Replace = Callable[[Path, str, bytes], None]
BOTH: list[Precision] = ["int8", "float"]


@pytest.mark.parametrize("precision", BOTH)
def test_digits_are_named(precision: Precision, toy: Path, tiles: Tiles) -> None:
    classifier = Classifier(RecognitionOptions(str(toy), "cpu", precision))
    probabilities = classifier.predict(tiles).probabilities
    assert (probabilities.dtype, probabilities.shape) == (np.float32, (44, 11))
    assert np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert list(probabilities.argmax(axis=1)) == [label for label in range(11) for _ in range(4)]


def test_precision_auto_is_int8_on_the_cpu(toy: Path) -> None:
    classifier = Classifier(RecognitionOptions(str(toy), "cpu"))
    assert (classifier.name, classifier.precision, classifier.provider) == ("toy", "int8", engine.CPU)
    assert classifier.sha256 == classifier.file.entry["int8"]["sha256"]
    assert classifier.reject_threshold == classifier.file.entry["reject_threshold"]


def test_the_temperature_of_the_model_is_applied(toy: Path, tiles: Tiles) -> None:
    classifier = Classifier(RecognitionOptions(str(toy), "cpu"))
    assert classifier.card.temperature != 1.0
    expected = softmax(classifier.logits(tiles) / np.float32(classifier.card.temperature))
    assert np.array_equal(classifier.predict(tiles).probabilities, expected)


def test_no_tiles_give_no_predictions(toy: Path, tiles: Tiles) -> None:
    predictions = Classifier(RecognitionOptions(str(toy), "cpu")).predict(tiles[:0])
    assert len(predictions) == 0
    assert predictions.probabilities.shape == (0, 11)


@pytest.mark.parametrize("precision", BOTH)
def test_many_tiles_are_named_like_few(precision: Precision, toy: Path, tiles: Tiles) -> None:
    classifier = Classifier(RecognitionOptions(str(toy), "cpu", precision))
    many = np.resize(tiles, (room.BATCH_SIZES[-1] + 44, *tiles.shape[1:]))
    logits = classifier.logits(many)
    assert logits.shape == (len(many), 11)
    assert np.allclose(logits, np.resize(classifier.logits(tiles), logits.shape), atol=1e-5)


@pytest.mark.parametrize("precision", BOTH)
def test_threads_may_share_a_classifier(precision: Precision, toy: Path, tiles: Tiles) -> None:
    classifier = Classifier(RecognitionOptions(str(toy), "cpu", precision, threads=2))
    rolled = [np.roll(tiles, shift, axis=0) for shift in range(16)]
    alone = [classifier.predict(part).probabilities for part in rolled]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda part: classifier.predict(part).probabilities, rolled * 4))
    assert all(np.array_equal(found, alone[index % 16]) for index, found in enumerate(together))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_number_of_threads_changes_no_label(threads: int, toy: Path, tiles: Tiles) -> None:
    classifier = Classifier(RecognitionOptions(str(toy), "cpu", threads=threads))
    assert classifier.engine.threads == threads
    assert classifier.self_test() <= 1e-4


@pytest.mark.parametrize("precision", BOTH)
def test_a_graph_that_computes_nonsense_fails_the_self_test(precision: Precision, toy: Path, replace_file: Replace) -> None:
    data = bytearray((toy / f"toy.{precision}.onnx").read_bytes())
    # The head's weights are the bulk of the file; turning their sign keeps the file loadable and its checksum right.
    middle = slice(len(data) // 2, len(data) // 2 + 1600)
    data[middle] = bytes(value ^ 0x80 for value in data[middle])
    replace_file(toy, precision, bytes(data))
    with pytest.raises(ModelDamagedError, match=rf"toy {precision}: self-test failed.*edge-digits doctor") as caught:
        Classifier(RecognitionOptions(str(toy), "cpu", precision))
    assert caught.value.exit_code == ExitCode.MODEL


def test_a_graph_that_computes_zeros_fails_the_self_test(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = engine.Engine.run_all
    monkeypatch.setattr(engine.Engine, "run_all", lambda self, outputs, tiles: [np.zeros_like(r) for r in real(self, outputs, tiles)])
    with pytest.raises(ModelDamagedError, match="self-test failed"):
        Classifier(RecognitionOptions(str(toy), "cpu"))


def test_a_graph_that_computes_nan_fails_the_self_test(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = engine.Engine.run_all
    monkeypatch.setattr(engine.Engine, "run_all", lambda self, outputs, tiles: [r * np.float32("nan") for r in real(self, outputs, tiles)])
    with pytest.raises(ModelDamagedError, match="self-test failed"):
        Classifier(RecognitionOptions(str(toy), "cpu"))


def test_a_foreign_model_is_refused(toy: Path) -> None:
    # Sound ONNX, hand-written: one Identity node "x" -> "y", no metadata.
    foreign = toy / "foreign.onnx"
    foreign.write_bytes(identity_model())
    with pytest.raises(ModelContractError, match="foreign: not a model of contract 1"):
        Classifier(RecognitionOptions(str(foreign), "cpu"))


def test_a_model_with_other_outputs_is_refused(toy: Path) -> None:
    other = toy / "other.onnx"
    data = (toy / "toy.float.onnx").read_bytes()
    other.write_bytes(data.replace(b"logits", b"legits"))
    with pytest.raises(ModelContractError, match=r"other: inputs .*legits.*wanted 'tiles'"):
        Classifier(RecognitionOptions(str(other), "cpu"))


def test_a_file_without_golden_tiles_still_reads(toy: Path, tiles: Tiles) -> None:
    lone = toy.parent / "lone.onnx"
    lone.write_bytes((toy / "toy.int8.onnx").read_bytes())
    classifier = Classifier(RecognitionOptions(str(lone), "cpu"))
    assert (classifier.name, classifier.precision, classifier.self_test()) == ("lone", "int8", 0.0)
    assert np.array_equal(classifier.logits(tiles), Classifier(RecognitionOptions(str(toy), "cpu")).logits(tiles))


def test_int8_on_cuda_is_a_wrong_wish(toy: Path) -> None:
    with pytest.raises(UsageError, match="does not run on CUDA") as caught:
        Classifier(RecognitionOptions(str(toy), "cuda", "int8"))
    assert caught.value.exit_code == ExitCode.USAGE


def test_an_int8_file_on_cuda_is_refused(toy: Path) -> None:
    with pytest.raises(ModelContractError, match="an int8 model does not run on CUDA"):
        Classifier(RecognitionOptions(str(toy / "toy.int8.onnx"), "cuda"))


def test_the_shipped_model_passes_its_self_test() -> None:
    for precision in BOTH:
        classifier = Classifier(RecognitionOptions(provider="cpu", precision=precision))
        assert classifier.precision == precision
        assert classifier.self_test() <= room.GOLDEN_TOLERANCE[precision]


@pytest.mark.parametrize("logits", [[[0.0] * 11], [[1e4] + [0.0] * 10], [[-1e4] * 11], [list(range(11)), [5.0] * 11]])
def test_softmax_sums_to_one(logits: list[list[float]]) -> None:
    given = softmax(np.array(logits, np.float32))
    assert given.dtype == np.float32
    assert np.allclose(given.sum(axis=1), 1.0, atol=1e-6)
    assert np.isfinite(given).all()


def test_softmax_of_nothing() -> None:
    assert softmax(np.zeros((0, 11), np.float32)).shape == (0, 11)


def identity_model() -> bytes:
    """The protobuf of ONNX by hand, since the package onnx is not installed where this runs."""

    def field(number: int, payload: bytes | str) -> bytes:
        data = payload.encode() if isinstance(payload, str) else payload
        return bytes([number << 3 | 2, len(data)]) + data

    def value(name: str) -> bytes:
        shape = field(2, field(1, bytes([1 << 3, 1])))
        return field(1, name) + field(2, field(1, bytes([1 << 3, 1]) + shape))

    node = field(1, "x") + field(2, "y") + field(4, "Identity")
    graph = field(1, node) + field(2, "g") + field(11, value("x")) + field(12, value("y"))
    return bytes([1 << 3, 8]) + field(7, graph) + field(8, field(1, "") + bytes([2 << 3, 17]))
