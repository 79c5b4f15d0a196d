from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import onnx_files, publish
from calibration.gates import COMMITTED_GATES, load_gates, read_toml
from edge_digits.errors import ModelNotFoundError
from edge_digits.options import Precision, RecognitionOptions
from edge_digits.recognition import weights
from edge_digits.recognition.classifier import Classifier
from tests.calibration.conftest import Bench

FILES = {f"toy.{kind}.{end}" for kind in ("int8", "float") for end in ("onnx", "golden.npz")} | {"manifest.json"}
PRECISIONS: tuple[Precision, ...] = ("int8", "float")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def change_verdict(bench: Bench, **changes: Any) -> None:
    verdict = json.loads(bench.verdict.read_text(encoding="utf-8"))
    bench.verdict.write_text(json.dumps({**verdict, **changes}), encoding="utf-8")


def test_a_published_model_is_what_the_product_loads(bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "weights"
    assert bench.publish(out) == 0
    assert set(contents(out)) == FILES
    for precision in PRECISIONS:
        classifier = Classifier(RecognitionOptions(str(out), "cpu", precision))
        assert classifier.file.data == (bench.int8_path if precision == "int8" else bench.float_path).read_bytes()
        assert classifier.self_test() <= 1e-4


def test_the_manifest_tells_origin_and_figures(bench: Bench, tmp_path: Path) -> None:
    assert bench.publish(tmp_path) == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    verdict = json.loads(bench.verdict.read_text(encoding="utf-8"))
    entry = manifest["models"]["toy"]
    assert (manifest["contract"], manifest["default"]) == (1, "toy")
    assert entry["licence"] == "Apache-2.0"
    assert entry["training_sets"]["mnist_train"] == {**read_toml(publish.TRAINING_SETS)["mnist_train"], "glyphs": 3000}
    assert entry["judged"]["committed_gates"] is True
    for kind in PRECISIONS:
        figures = entry[kind]["figures"]["mnist_test"]
        assert figures["accuracy_percent"] == verdict["figures"]["mnist_test"][f"{kind}_accuracy_percent"]
        assert entry[kind]["latency_us_per_digit"] == verdict["latency_us_per_digit"][kind]


def test_golden_tiles_are_some_of_each_label(bench: Bench, tmp_path: Path) -> None:
    assert bench.publish(tmp_path) == 0
    for kind in PRECISIONS:
        with np.load(tmp_path / f"toy.{kind}.golden.npz") as arrays:
            assert arrays["logits"].argmax(axis=1).tolist() == [label for label in range(11) for _ in range(4)]


def test_other_models_stay(bench: Bench, tmp_path: Path) -> None:
    assert bench.publish(tmp_path) == 0
    assert bench.publish(tmp_path, "--name", "second") == 0
    manifest = weights.load_manifest(tmp_path)
    assert (set(manifest["models"]), manifest["default"]) == ({"toy", "second"}, "toy")
    assert weights.find_model(str(tmp_path / "second.int8.onnx"), "int8").name == "second"


def test_other_gates_are_told(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lax = bench.folder / "lax.toml"
    lax.write_text("[file]\nint8_bytes_max = 1_000_000", encoding="utf-8")
    assert bench.judge("--gates", str(lax)) == 0
    assert bench.publish(tmp_path / "w") == 0
    assert weights.load_manifest(tmp_path / "w")["models"]["toy"]["judged"]["committed_gates"] is False
    assert "not one to release" in capsys.readouterr().err


def test_a_missed_gate_is_not_published(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strict = bench.folder / "strict.toml"
    strict.write_text("[file]\nint8_bytes_max = 10", encoding="utf-8")
    assert bench.judge("--gates", str(strict)) == 3
    assert bench.publish(tmp_path / "w") == 3
    assert "no pass (file.int8_bytes)" in capsys.readouterr().err
    assert contents(tmp_path / "w") == {}


def test_a_verdict_that_only_claims_a_pass_is_refused(bench: Bench, tmp_path: Path) -> None:
    gates = json.loads(bench.verdict.read_text(encoding="utf-8"))["gates"]
    change_verdict(bench, gates=[{**gates[0], "passed": False}, *gates[1:]])
    assert bench.publish(tmp_path / "w") == 3
    change_verdict(bench, gates=gates, passed=False)
    assert bench.publish(tmp_path / "w") == 3
    change_verdict(bench, gates=gates, passed=True)
    assert bench.publish(tmp_path / "w") == 0


@pytest.mark.parametrize("kind", PRECISIONS)
def test_a_file_changed_after_judging_is_refused(kind: str, bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = bench.int8_path if kind == "int8" else bench.float_path
    model = onnx_files.load_model(path)
    model.doc_string = "touched"
    onnx_files.save_model(model, path)
    assert bench.publish(tmp_path / "w") == 3
    assert "judge it again" in capsys.readouterr().err
    assert contents(tmp_path / "w") == {}


def test_a_refusal_leaves_the_shipped_model_as_it_was(bench: Bench, tmp_path: Path) -> None:
    assert bench.publish(tmp_path / "w") == 0
    before = contents(tmp_path / "w")
    change_verdict(bench, passed=False)
    assert bench.publish(tmp_path / "w") == 3
    assert contents(tmp_path / "w") == before


def test_a_failed_write_leaves_the_shipped_model_as_it_was(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.publish(tmp_path / "w") == 0
    before = contents(tmp_path / "w")
    onnx_files.write_card(bench.float_path, weights.ModelCard(1.0, 0.6, {"glyphs": {"mnist_train": 1}}))
    onnx_files.write_card(bench.int8_path, weights.ModelCard(1.0, 0.6, {"glyphs": {"mnist_train": 1}}))
    assert bench.judge() == 0
    real = onnx_files.write_atomically
    written: list[str] = []

    def fill_the_disk(path: Path, data: bytes) -> int:
        written.append(path.name)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(onnx_files, "write_atomically", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        bench.publish(tmp_path / "w")
    assert len(written) > 3
    assert contents(tmp_path / "w") == before


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 1, "gates": [], "files": {}}', '{"format": 2}'])
def test_a_verdict_that_is_none_gives_one_line(text: str, bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench.verdict.write_text(text, encoding="utf-8")
    assert bench.publish(tmp_path / "w") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("training", "message"),
    [({}, "lists no training sets"), ({"glyphs": {}}, "lists no"), ({"glyphs": {"mnist_train": 1, "pirated": 2}}, "pirated")],
)
def test_a_model_of_unknown_origin_is_refused(
    training: dict[str, Any], message: str, bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (bench.float_path, bench.int8_path):
        onnx_files.write_card(path, weights.ModelCard(1.0, 0.5, training))
    assert bench.judge() == 0
    assert bench.publish(tmp_path / "w") == 1
    assert message in capsys.readouterr().err
    assert contents(tmp_path / "w") == {}


def test_without_the_digits_for_golden_tiles_nothing_is_published(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = bench.mnist / "train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:5000])
    assert bench.publish(tmp_path / "w") == 1
    images.unlink()
    assert bench.publish(tmp_path / "w") == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert all("train-images-idx3-ubyte.gz" in line for line in errors)
    assert contents(tmp_path / "w") == {}


NO_INT8 = "[mnist_test]\nint8_accuracy_percent_min = 90\nagreement_percent_min = 100.1"
"""No int8 file can pass this, a float file can."""


def judge_by(bench: Bench, text: str) -> int:
    gates = bench.folder / "gates.toml"
    gates.write_text(text, encoding="utf-8")
    return bench.judge("--gates", str(gates))


def test_float_alone_is_published_where_int8_misses_a_gate(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge_by(bench, NO_INT8) == 3
    assert bench.publish(tmp_path / "w") == 3
    assert contents(tmp_path / "w") == {}
    assert bench.publish(tmp_path / "w", "--keep-float") == 0
    assert set(contents(tmp_path / "w")) == {"toy.float.onnx", "toy.float.golden.npz", "manifest.json"}
    assert "int8 misses mnist_test.agreement_percent" in capsys.readouterr().err
    entry = weights.load_manifest(tmp_path / "w")["models"]["toy"]
    assert [check["gate"] for check in entry["int8_refused"]["missed"]] == ["mnist_test.agreement_percent"]
    assert [check["gate"] for check in entry["judged"]["gates"]] == ["mnist_test.float_accuracy_percent"]
    assert "int8" not in entry


def test_a_reader_runs_the_float_file_of_such_a_model(bench: Bench, tmp_path: Path) -> None:
    assert judge_by(bench, NO_INT8) == 3
    assert bench.publish(tmp_path, "--keep-float") == 0
    classifier = Classifier(RecognitionOptions(str(tmp_path), "cpu"))
    assert (classifier.precision, classifier.file.data) == ("float", bench.float_path.read_bytes())
    with pytest.raises(ModelNotFoundError, match="no int8 file; it has: float"):
        Classifier(RecognitionOptions(str(tmp_path), "cpu", "int8"))


def test_int8_files_of_an_earlier_publication_go(bench: Bench, tmp_path: Path) -> None:
    assert bench.publish(tmp_path / "w") == 0
    assert judge_by(bench, NO_INT8) == 3
    assert bench.publish(tmp_path / "w", "--keep-float") == 0
    assert set(contents(tmp_path / "w")) == {"toy.float.onnx", "toy.float.golden.npz", "manifest.json"}


def test_keeping_float_publishes_both_where_both_pass(bench: Bench, tmp_path: Path) -> None:
    assert bench.publish(tmp_path / "w", "--keep-float") == 0
    assert set(contents(tmp_path / "w")) == FILES
    assert "int8_refused" not in weights.load_manifest(tmp_path / "w")["models"]["toy"]


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        ("[mnist_test]\nint8_accuracy_percent_min = 100.1", "float misses mnist_test.float_accuracy_percent"),
        ("[nosuch]\nint8_accuracy_percent_min = 1", "float misses nosuch.float_accuracy_percent"),
        ("[file]\nint8_bytes_max = 10", "no gate judges the float file alone"),
    ],
)
def test_float_that_does_not_pass_either_is_refused(
    gates: str, message: str, bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.publish(tmp_path / "w") == 0
    before = contents(tmp_path / "w")
    assert judge_by(bench, gates) == 3
    assert bench.publish(tmp_path / "w", "--keep-float") == 3
    assert message in capsys.readouterr().err
    assert contents(tmp_path / "w") == before


def test_float_changed_after_judging_is_refused(bench: Bench, tmp_path: Path) -> None:
    assert judge_by(bench, NO_INT8) == 3
    onnx_files.write_card(bench.float_path, weights.ModelCard(1.0, 0.6, {"glyphs": {"mnist_train": 1}}))
    assert bench.publish(tmp_path / "w", "--keep-float") == 3
    assert contents(tmp_path / "w") == {}


def test_every_training_set_states_source_and_licence() -> None:
    for name, entry in read_toml(publish.TRAINING_SETS).items():
        assert set(entry) == {"title", "source", "licence"}, name
        assert all(entry.values()), name


def test_the_shipped_model_passed_the_committed_gates() -> None:
    manifest = weights.load_manifest()
    entry = manifest["models"][manifest["default"]]
    found = {check["gate"]: check for check in entry["judged"]["gates"]}
    for gate in load_gates(COMMITTED_GATES).gates:
        check = found[f"{gate.group}.{gate.figure}"]
        assert check["passed"] is True
        assert (check["value"] >= gate.limit - 1e-6) if gate.least else (check["value"] <= gate.limit + 1e-6)
    for kind in PRECISIONS:
        assert hashlib.sha256((weights.WEIGHTS_FOLDER / entry[kind]["file"]).read_bytes()).hexdigest() == entry[kind]["sha256"]
