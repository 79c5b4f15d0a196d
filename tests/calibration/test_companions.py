"""Companions from a float file to the product's folder: the toys of toy_companions.py, and what must be refused on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from calibration import onnx_files
from calibration.companions import golden, judge, publish, quantize
from calibration.companions.candidate import decoded, load_candidate
from calibration.companions.quantize import BatchFeed, output_distance, quantize_companion
from calibration.companions.sets import load_companion_sets
from calibration.errors import CalibrationError
from calibration.gates import load_gates, read_toml
from calibration.publish import TRAINING_SETS
from calibration.publish import main as publish_model
from calibration.quantize import QuantizeOptions
from edge_digits.errors import ModelNotFoundError
from edge_digits.options import RecognitionOptions
from edge_digits.recognition.companions import as_companion_input, open_companion
from edge_digits.recognition.context import load_context
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.strings import load_strings
from edge_digits.recognition.weights import find_model, load_manifest
from tests.calibration import toy, toy_companions
from tests.calibration.conftest import Bench
from tests.calibration.toy_companions import pair

KINDS = ("context", "strings", "finder")
PUBLISHED_TOY = Path(__file__).resolve().parent.parent / "recognition" / "toy"


@pytest.fixture(scope="session")
def finished_chains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All kinds quantized and judged, the MNIST-like folder; not to be changed."""
    work = tmp_path_factory.mktemp("companions")
    toy.write_idx(work / "mnist")
    assert [toy_companions.run_chain(kind, work) for kind in KINDS] == [[0, 0]] * len(KINDS)
    return work


@pytest.fixture
def chains(finished_chains: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(finished_chains, tmp_path / "chains"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with the toy tile classifier published in it."""
    return Path(shutil.copytree(PUBLISHED_TOY, tmp_path / "weights"))


def publish_kind(kind: str, chains: Path, weights: Path, *more: str) -> int:
    where = ["--verdict", str(chains / f"{kind}.json"), "--mnist", str(chains / "mnist"), "--out", str(weights)]
    return publish.main([*pair(kind, chains), *where, *more])


def judge_kind(kind: str, chains: Path, *more: str) -> int:
    return judge.main(
        [*pair(kind, chains), "--sets", str(chains / f"{kind}.npz"), "--out", str(chains / f"{kind}.json"), "--rounds", "1", *more]
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def with_gates(chains: Path, text: str) -> list[str]:
    path = chains / "own.toml"
    path.write_text(text, encoding="utf-8")
    return ["--gates", str(path)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_published_companion_is_what_the_product_loads(kind: str, chains: Path, weights: Path) -> None:
    before = contents(weights)
    assert publish_kind(kind, chains, weights) == 0
    assert set(contents(weights)) - set(before) == {f"{kind}.{p}.{end}" for p in ("int8", "float") for end in ("onnx", "golden.npz")}
    for precision in ("int8", "float"):
        companion = open_companion(kind, RecognitionOptions(precision=precision), weights)
        assert companion is not None
        assert companion.file.data == (chains / f"{kind}.{precision}.onnx").read_bytes()
        assert companion.self_test() <= 1e-4


def test_the_manifest_gains_companions_and_keeps_the_rest(chains: Path, weights: Path) -> None:
    before = load_manifest(weights)
    assert [publish_kind(kind, chains, weights) for kind in KINDS] == [0] * len(KINDS)
    after = load_manifest(weights)
    assert {key: after[key] for key in before} == before
    assert after["contract"] == 1
    entries = after["companions"]
    assert set(entries) == set(KINDS)
    verdict = json.loads((chains / "context.json").read_text(encoding="utf-8"))
    context = entries["context"]
    assert context["not_one_digit_share"] == toy_companions.SHARE
    assert context["licence"] == "Apache-2.0"
    assert context["training_sets"] == {"mnist_train": read_toml(TRAINING_SETS)["mnist_train"]}
    assert context["judged"]["committed_gates"] is False
    for precision in ("int8", "float"):
        figures = context[precision]["figures"]["proposals"]
        assert figures["accuracy_percent"] == verdict["figures"]["proposals"][f"{precision}_accuracy_percent"]
    # The tile classifier of the folder still loads, and may be published anew without losing them.
    assert find_model(str(weights), "int8").name == before["default"]


def test_publishing_a_tile_classifier_keeps_companions(chains: Path, bench: Bench, tmp_path: Path) -> None:
    weights = tmp_path / "fresh"
    assert bench.publish(weights) == 0
    assert publish_kind("context", chains, weights) == 0
    entry = load_manifest(weights)["companions"]["context"]
    assert bench.publish(weights) == 0
    assert load_manifest(weights)["companions"] == {"context": entry}
    assert load_context(None, weights) is not None


@pytest.mark.parametrize("name", KINDS)
def test_a_tile_classifier_may_not_take_a_companions_name(name: str, bench: Bench, tmp_path: Path) -> None:
    where = ["--verdict", str(bench.verdict), "--mnist", str(bench.mnist), "--out", str(tmp_path / "w"), "--name", name]
    assert publish_model([*bench.pair, *where]) == 1
    assert not (tmp_path / "w").exists()


def test_committed_gates_are_told(chains: Path, weights: Path) -> None:
    assert judge_kind("context", chains) == 0
    assert publish_kind("context", chains, weights) == 0
    assert load_manifest(weights)["companions"]["context"]["judged"]["committed_gates"] is True


def test_a_missed_gate_is_not_published(chains: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(weights)
    assert judge_kind("context", chains, *with_gates(chains, "[companions.context.file]\nint8_bytes_max = 10")) == 3
    assert publish_kind("context", chains, weights) == 3
    assert "no pass (file.int8_bytes)" in capsys.readouterr().err
    assert contents(weights) == before


@pytest.mark.parametrize("precision", ["int8", "float"])
def test_a_file_changed_after_judging_is_refused(precision: str, chains: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(weights)
    path = chains / f"strings.{precision}.onnx"
    model = onnx.load(path)
    model.doc_string = "changed"
    path.write_bytes(model.SerializeToString())
    assert publish_kind("strings", chains, weights) == 3
    assert "judge it again" in capsys.readouterr().err
    assert contents(weights) == before


def test_files_and_verdict_must_be_of_one_kind(chains: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(chains / "strings.json", chains / "context.json")
    assert publish_kind("context", chains, weights) == 1
    assert "kinds context, strings" in capsys.readouterr().err


def test_a_verdict_of_a_tile_classifier_is_refused(chains: Path, bench: Bench, weights: Path) -> None:
    shutil.copy(bench.verdict, chains / "context.json")
    assert publish_kind("context", chains, weights) == 1


def test_a_folder_without_models_takes_no_companion(chains: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish_kind("context", chains, tmp_path / "nowhere") == 3
    assert "no model manifest" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1, "gates": [], "files": {}}'])
def test_a_verdict_that_is_none_is_refused(text: str, chains: Path, weights: Path) -> None:
    (chains / "context.json").write_text(text, encoding="utf-8")
    assert publish_kind("context", chains, weights) == 1


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({}, "tells no commit"),
        ({"commit": "a"}, "no sets"),
        ({"commit": "a", "sets": []}, "no sets"),
        ({"commit": "a", "sets": ["found in a drawer"]}, "found in a drawer: not in"),
    ],
)
def test_weights_of_unknown_origin_are_refused(training: dict[str, Any], message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        publish.training_sets(training)


def test_keep_float_publishes_float_alone(chains: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish_kind("context", chains, weights) == 0
    text = "[companions.context.file]\nint8_bytes_max = 10\n[companions.context.proposals]\nint8_gain_points_min = 1.0"
    assert judge_kind("context", chains, *with_gates(chains, text)) == 3
    assert publish_kind("context", chains, weights, "--keep-float") == 0
    assert "float alone is published" in capsys.readouterr().err
    assert not list(weights.glob("context.int8.*"))
    entry = load_manifest(weights)["companions"]["context"]
    assert [check["gate"] for check in entry["int8_refused"]["missed"]] == ["file.int8_bytes"]
    context = load_context(None, weights)
    assert context is not None
    assert context.file is not None
    assert context.file.precision == "float"
    with pytest.raises(ModelNotFoundError):
        load_context(RecognitionOptions(precision="int8"), weights)


def test_keep_float_needs_a_gate_that_judges_float(chains: Path, weights: Path) -> None:
    before = contents(weights)
    assert judge_kind("strings", chains, *with_gates(chains, "[companions.strings.strips]\nagreement_percent_min = 100.1")) == 3
    assert publish_kind("strings", chains, weights, "--keep-float") == 3
    assert contents(weights) == before


def test_a_network_that_says_nothing_gets_no_golden_inputs(chains: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for precision in ("float", "int8"):
        path = chains / f"context.{precision}.onnx"
        model = onnx.load(path)
        gemm = next(node for node in model.graph.node if node.op_type == "Gemm")
        for part in (part for part in model.graph.initializer if part.name in gemm.input):
            part.CopyFrom(numpy_helper.from_array(0 * numpy_helper.to_array(part), part.name))
        onnx_files.save_model(model, path)
    before = contents(weights)
    assert judge_kind("context", chains, *with_gates(chains, "[companions.context.proposals]\ndrop_points_max = 1")) == 0
    assert publish_kind("context", chains, weights) == 1
    assert "not fit to be published" in capsys.readouterr().err
    assert contents(weights) == before


def test_runs_of_golden_digits_touch() -> None:
    tiles, _ = toy.toy_digits(3, 0)
    run = golden.side_by_side(tiles)
    assert run.shape[1] < 3 * 28
    assert (run > 0).any(axis=0).all()
    assert (run > 0).any(axis=1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_int8_keeps_the_contract(kind: str, finished_chains: Path) -> None:
    float_model, int8_model = (onnx.load(finished_chains / f"{kind}.{precision}.onnx") for precision in ("float", "int8"))
    values, before = onnx_files.metadata(int8_model), onnx_files.metadata(float_model)
    assert {key: value for key, value in values.items() if key != "quantization"} == before
    assert json.loads(values["quantization"])["inputs"] == 120
    assert (int8_model.ir_version, [(o.domain, o.version) for o in int8_model.opset_import]) == (8, [("", 17)])
    stored = {part.name: part.data_type for part in int8_model.graph.initializer}
    heads = [node for node in int8_model.graph.node if node.op_type in ("Gemm", "Conv")]
    assert stored[heads[-1].input[1]] == onnx.TensorProto.FLOAT
    assert heads[0].input[1] not in stored
    assert sum(node.op_type == "DequantizeLinear" for node in int8_model.graph.node) >= 3
    assert (finished_chains / f"{kind}.int8.onnx").stat().st_size < (finished_chains / f"{kind}.float.onnx").stat().st_size


def test_int8_reads_any_width(finished_chains: Path) -> None:
    engine = Engine((finished_chains / "strings.int8.onnx").read_bytes())
    for count, width in ((1, 16), (3, 48), (2, 256)):
        assert engine.run("columns", np.zeros((count, 1, 32, width), np.float32)).shape == (count, width // 4, 12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_is_never_further_off(kind: str, finished_chains: Path) -> None:
    model, sets = onnx.load(finished_chains / f"{kind}.float.onnx"), load_companion_sets(finished_chains / f"{kind}.npz")
    output = model.graph.output[0].name
    batches = [as_companion_input(batch) for batch in sets.calibration.batches()]
    wanted = [Engine(model.SerializeToString()).run(output, batch) for batch in batches]
    far, near = (
        output_distance(quantize_companion(model, sets, QuantizeOptions(method=method), together=False), output, batches, wanted)
        for method in ("minmax", "search")
    )
    # Black and white come through the finder toy without any loss: nothing is left to search for.
    assert near < far or far < 1e-3


def test_a_feed_ends() -> None:
    feed = BatchFeed("strips", [np.zeros((1, 1, 32, 16), np.float32)])
    assert feed.get_next() is not None
    assert feed.get_next() is None


@pytest.mark.parametrize("method", ["entropy", "percentile", "guess"])
def test_other_methods_are_refused(method: str, chains: Path) -> None:
    arguments = ["--float", str(chains / "context.float.onnx"), "--sets", str(chains / "context.npz"), "--out", str(chains / "new")]
    assert quantize.main([*arguments, "--method", method]) == 1
    assert not (chains / "new").exists()


def test_sets_of_the_other_kind_are_refused(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--float", str(chains / "context.float.onnx"), "--sets", str(chains / "strings.npz"), "--out", str(chains / "new")]
    assert quantize.main(arguments) == 1
    assert "belong together" in capsys.readouterr().err
    shutil.copy(chains / "strings.npz", chains / "context.npz")
    assert judge_kind("context", chains) == 1


def test_a_tile_classifier_is_no_companion(chains: Path, bench: Bench) -> None:
    arguments = ["--float", str(bench.float_path), "--sets", str(chains / "context.npz"), "--out", str(chains / "new")]
    assert quantize.main(arguments) == 1
    with pytest.raises(CalibrationError, match="kind 'none'"):
        load_candidate(bench.int8_path)


@pytest.mark.parametrize("rounds", ["0", "-1"])
def test_absurd_rounds(rounds: str, chains: Path) -> None:
    assert judge_kind("context", chains, "--rounds", rounds) == 1


def test_the_figures_are_what_the_files_say(finished_chains: Path) -> None:
    verdict = json.loads((finished_chains / "strings.json").read_text(encoding="utf-8"))
    sets = load_companion_sets(finished_chains / "strings.npz")
    read = {}
    for precision in ("int8", "float"):
        candidate = load_candidate(finished_chains / f"strings.{precision}.onnx")
        read[precision] = [decoded(candidate.outputs(group[at : at + 1])[0]) for group in sets.held_out.groups for at in range(len(group))]
        right = [said == meant for said, meant in zip(read[precision], sets.held_out.labels, strict=True)]
        assert verdict["figures"]["strips"][f"{precision}_accuracy_percent"] == pytest.approx(100 * np.mean(right), abs=1e-4)
    same = [a == b for a, b in zip(read["int8"], read["float"], strict=True)]
    assert verdict["figures"]["strips"]["agreement_percent"] == pytest.approx(100 * np.mean(same), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_release_gates_of_companions(kind: str) -> None:
    gates = {(gate.group, gate.figure, gate.least): gate.limit for gate in load_gates(companion=kind).gates}
    group = judge.GROUPS[kind]
    assert gates[group, "drop_points", False] <= 0.3
    assert gates[group, "agreement_percent", True] >= 99.0
    assert gates["file", "int8_bytes", False] <= (350_000 if kind == "finder" else 150_000)


def test_gates_of_companions_say_nothing_of_the_tile_classifier(tmp_path: Path) -> None:
    assert {gate.group for gate in load_gates().gates}.isdisjoint({"companions", *judge.GROUPS.values()})
    (tmp_path / "gates.toml").write_text("[file]\nint8_bytes_max = 1", encoding="utf-8")
    with pytest.raises(CalibrationError, match="no gate of context networks"):
        load_gates(tmp_path / "gates.toml", "context")
    (tmp_path / "gates.toml").write_text("companions = 1", encoding="utf-8")
    with pytest.raises(CalibrationError, match="no gate of strings networks"):
        load_gates(tmp_path / "gates.toml", "strings")


def test_the_string_toy_reads_after_publication(chains: Path, weights: Path) -> None:
    assert publish_kind("strings", chains, weights) == 0
    strings = load_strings(None, weights)
    assert strings is not None
    tiles, labels = toy.toy_digits(30, 900)
    read = strings.read([golden.side_by_side(tile[None]) for tile in tiles])
    assert np.mean([each.labels == (label,) for each, label in zip(read, labels, strict=True)]) > 0.5


def test_strokes_are_counted_pixel_by_pixel(finished_chains: Path) -> None:
    figures = json.loads((finished_chains / "finder.json").read_text(encoding="utf-8"))["figures"]["parts"]
    assert figures["inputs"] == 400
    assert figures["float_digits_accuracy_percent"] == figures["float_others_accuracy_percent"] == 100.0
    assert figures["int8_accuracy_percent"] > 99.0
    assert figures["drop_points"] == pytest.approx(100.0 - figures["int8_accuracy_percent"], abs=1e-5)


def test_parts_of_pages_without_digits_judge_nothing(chains: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(chains / "finder.npz") as stored:
        arrays = dict(stored)
    np.savez(chains / "finder.npz", **{**arrays, "held_out_strokes": np.zeros_like(arrays["held_out_strokes"])})
    assert judge_kind("finder", chains) == 1
    assert "ink of digits 0 px" in capsys.readouterr().err


def test_activations_with_several_readers_are_counted_without_sign_and_say_the_same(chains: Path) -> None:
    unsigned = onnx.load(chains / "finder.int8.onnx")
    initializers = {tensor.name: tensor for tensor in unsigned.graph.initializer}
    zeros = {node.input[2] for node in unsigned.graph.node if node.op_type == "QuantizeLinear"}
    assert {numpy_helper.to_array(initializers[name]).dtype for name in zeros} == {np.dtype(np.uint8)}
    signed = onnx.ModelProto.FromString(unsigned.SerializeToString())
    for tensor in signed.graph.initializer:
        if tensor.name in zeros:
            steps = numpy_helper.to_array(tensor).astype(np.int16) - 128
            tensor.CopyFrom(numpy_helper.from_array(steps.astype(np.int8), tensor.name))
    sets = load_companion_sets(chains / "finder.npz")
    inputs = as_companion_input(next(iter(sets.calibration.batches())))
    maps = [Engine(model.SerializeToString(), threads=1).run("maps", inputs) for model in (signed, unsigned)]
    assert np.allclose(*maps, atol=1e-5)
    quantize.make_unsigned(signed)
    assert signed == unsigned
