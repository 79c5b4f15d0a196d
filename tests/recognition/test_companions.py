"""The networks beside the classifier as a reader loads them: the published toys, sound and damaged."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_digits import cli
from edge_digits.bench.tables import print_head
from edge_digits.bench.tiles import load_precisions, model_facts
from edge_digits.doctor.command import examine
from edge_digits.errors import ModelContractError, ModelDamagedError, ModelNotFoundError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.strips import make_strip
from edge_digits.recognition import companions, info_command, weights
from edge_digits.recognition.companions import CONTRACTS, companion_files, open_companion, read_companion_card
from edge_digits.recognition.context import ContextClassifier, load_context
from edge_digits.recognition.strings import StringReader, load_strings

TOYS = Path(__file__).resolve().parent / "toy_companions"
KINDS = ("context", "strings")
Edit = Callable[[Path, Callable[[dict[str, Any]], object]], None]


@pytest.fixture
def beside(toy: Path) -> Path:
    """A copy of the toy's folder with both companions in it, that a test may damage."""
    return Path(shutil.copytree(TOYS, toy, dirs_exist_ok=True))


def change_file(folder: Path, change_manifest: Edit, name: str, data: bytes) -> None:
    """Other bytes with their checksum, as a careless publisher would leave them."""
    (folder / name).write_bytes(data)
    kind, precision = name.split(".")[:2]
    part = {"sha256": hashlib.sha256(data).hexdigest()}
    edit = {"golden": {"file": name, **part}} if name.endswith("npz") else part
    change_manifest(folder, lambda manifest: manifest["companions"][kind][precision].update(edit))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["int8", "float"])
def test_a_published_companion_is_loaded(kind: str, precision: Any, beside: Path) -> None:
    companion = open_companion(kind, RecognitionOptions(precision=precision), beside)
    assert companion is not None
    assert companion.file.data == (TOYS / f"{kind}.{precision}.onnx").read_bytes()
    assert companion.file.sha256 == hashlib.sha256(companion.file.data).hexdigest()
    assert companion.file.golden is not None
    assert companion.engine.provider == "CPUExecutionProvider"
    assert companion.self_test() <= 0.01


def test_the_context_network_corrects(beside: Path) -> None:
    context = load_context(RecognitionOptions(), beside)
    assert isinstance(context, ContextClassifier)
    assert context.not_one_digit_share == 0.25
    assert context.file is not None
    assert context.file.precision == "int8"
    assert context.file.golden is not None
    patches, corrections = context.file.golden
    assert np.abs(context.corrections(patches) - corrections).max() < 1.0
    assert np.abs(corrections).max(axis=1).min() >= 3.0


def test_the_string_network_reads(beside: Path) -> None:
    strings = load_strings(RecognitionOptions(), beside)
    assert isinstance(strings, StringReader)
    assert strings.file is not None
    assert strings.file.golden is not None
    pictures = [strip[0, 2:30, 4:-4] for strip in strings.file.golden[0]]
    pictures = [picture[:, : int(np.flatnonzero(picture.any(axis=0))[-1]) + 1] for picture in pictures]
    assert len({make_strip(picture).shape[1] for picture in pictures}) > 1
    read = strings.read(pictures)
    assert all(each.labels and 10 not in each.labels for each in read)
    assert strings.read([]) == []


@pytest.mark.parametrize(
    ("provider", "asked", "given"),
    [("cpu", "auto", "int8"), ("auto", "auto", "int8"), ("cuda", "auto", "float"), ("cpu", "float", "float"), ("cuda", "float", "float")],
)
def test_the_options_choose_the_file_and_the_cpu_runs_it(provider: Any, asked: Any, given: str, beside: Path) -> None:
    for kind in KINDS:
        companion = open_companion(kind, RecognitionOptions(provider=provider, precision=asked, threads=2), beside)
        assert companion is not None
        assert (companion.file.precision, companion.engine.provider, companion.engine.threads) == (given, "CPUExecutionProvider", 2)


def test_without_an_int8_file_auto_takes_float(beside: Path, change_manifest: Edit) -> None:
    change_manifest(beside, lambda m: m["companions"]["strings"].pop("int8"))
    companion = open_companion("strings", None, beside)
    assert companion is not None
    assert companion.file.precision == "float"
    with pytest.raises(ModelNotFoundError, match="'strings' has no int8 file; it has: float"):
        load_strings(RecognitionOptions(precision="int8"), beside)


def test_a_manifest_without_companions_stays_valid(toy: Path, tmp_path: Path) -> None:
    assert "companions" not in weights.load_manifest(toy)
    assert (load_context(None, toy), load_strings(None, toy), companion_files(toy)) == (None, None, {})
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (load_context(None, empty), companion_files(empty)) == (None, {})


def test_one_alone_is_no_mistake(beside: Path, change_manifest: Edit) -> None:
    change_manifest(beside, lambda m: m["companions"].pop("context"))
    assert load_context(None, beside) is None
    assert load_strings(None, beside) is not None


@pytest.mark.parametrize("absurd", [[], "context", 7, {"context": []}, {"context": "file"}])
def test_companions_that_are_no_table_are_damaged(absurd: object, beside: Path, change_manifest: Edit) -> None:
    change_manifest(beside, lambda m: m.update(companions=absurd))
    with pytest.raises(ModelDamagedError, match="'companions' of the manifest"):
        load_context(None, beside)


def test_one_changed_byte_is_seen(beside: Path) -> None:
    path = beside / "context.int8.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelDamagedError, match=r"context\.int8\.onnx: SHA-256 is"):
        load_context(None, beside)
    assert load_context(RecognitionOptions(precision="float"), beside) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_is_not_found(kind: str, beside: Path) -> None:
    (beside / f"{kind}.int8.onnx").unlink()
    with pytest.raises(ModelNotFoundError, match=rf"{kind}\.int8\.onnx"):
        open_companion(kind, None, beside)


def test_bytes_that_are_no_model_are_damaged(beside: Path, change_manifest: Edit) -> None:
    change_file(beside, change_manifest, "strings.int8.onnx", b"")
    with pytest.raises(ModelDamagedError, match="onnxruntime cannot load"):
        load_strings(None, beside)


def test_a_network_of_the_other_kind_is_refused(beside: Path, change_manifest: Edit) -> None:
    change_file(beside, change_manifest, "context.int8.onnx", (TOYS / "strings.int8.onnx").read_bytes())
    with pytest.raises(ModelContractError, match=r"not a context network of contract 1 .*kind strings"):
        load_context(None, beside)


def test_a_tile_classifier_is_refused(beside: Path, change_manifest: Edit) -> None:
    change_file(beside, change_manifest, "strings.int8.onnx", (beside / "toy.int8.onnx").read_bytes())
    with pytest.raises(ModelContractError, match="kind None"):
        load_strings(None, beside)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_that_are_not_the_golden_ones_are_nonsense(kind: str, beside: Path, change_manifest: Edit) -> None:
    name = f"{kind}.int8.golden.npz"
    with np.load(beside / name) as arrays:
        inputs, outputs = arrays["inputs"], arrays["outputs"]
    for wrong in (np.zeros_like(outputs), outputs[:, ::-1], outputs[:1], np.full_like(outputs, np.nan)):
        with (beside / name).open("wb") as file:
            np.savez_compressed(file, inputs=inputs, outputs=wrong)
        change_file(beside, change_manifest, name, (beside / name).read_bytes())
        with pytest.raises(ModelDamagedError, match=f"{kind} int8: self-test failed"):
            open_companion(kind, None, beside)


def test_golden_arrays_under_other_names_are_damaged(beside: Path, change_manifest: Edit) -> None:
    change_file(beside, change_manifest, "context.int8.golden.npz", (beside / "toy.int8.golden.npz").read_bytes())
    with pytest.raises(ModelDamagedError, match="'context' int8 lacks"):
        load_context(None, beside)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changes", [{"contract_version": "2"}, {"labels": "[]"}, {"training": "{"}, {"training": "[]"}, {"training": None}]
)
def test_a_card_off_the_contract_is_refused(kind: str, changes: dict[str, str | None]) -> None:
    values = {"contract_version": "1", "labels": json.dumps(weights.LABELS), "kind": kind, "training": "{}", "not_one_digit_share": "0.5"}
    assert read_companion_card(values, kind, "m").kind == kind
    with pytest.raises(ModelContractError, match=r"^m: "):
        read_companion_card({k: v for k, v in {**values, **changes}.items() if v is not None}, kind, "m")


@pytest.mark.parametrize("share", ["0", "1", "nan", "half", None])
def test_the_context_network_must_say_its_share(share: str | None) -> None:
    values = {"contract_version": "1", "labels": json.dumps(weights.LABELS), "kind": "context", "training": "{}"}
    with pytest.raises(ModelContractError, match=r"^m: "):
        read_companion_card(values | ({} if share is None else {"not_one_digit_share": share}), "context", "m")


@pytest.mark.parametrize(
    ("inputs", "outputs", "fits"),
    [
        ({"strips": ("n", 1, 32, "w")}, {"columns": ("n", "k", 12)}, True),
        ({"strips": ("n", 1, 32, 160)}, {"columns": ("n", 40, 12)}, False),
        ({"strips": (1, 1, 32, "w")}, {"columns": ("n", "k", 12)}, False),
        ({"strips": ("n", 1, 32, "w")}, {"columns": ("n", "k", 11)}, False),
        ({"strips": ("n", 32, "w")}, {"columns": ("n", "k", 12)}, False),
        ({"tiles": ("n", 1, 32, "w")}, {"columns": ("n", "k", 12)}, False),
        ({"strips": ("n", 1, 32, "w"), "more": (1,)}, {"columns": ("n", "k", 12)}, False),
        ({}, {}, False),
    ],
)
def test_shapes_of_the_contract(inputs: Any, outputs: Any, fits: bool) -> None:
    assert CONTRACTS["strings"].fits(inputs, outputs) is fits


def test_another_shape_is_refused(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = companions.Contract("strips", (1, 30, None), "columns", (None, 12))
    monkeypatch.setitem(companions.CONTRACTS, "strings", other)
    with pytest.raises(ModelContractError, match=r"wanted 'strips' \(1, 30, None\)"):
        load_strings(None, beside)


def test_info_lists_them(beside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(info_command, "load_manifest", partial(weights.load_manifest, beside))
    assert cli.main(["info"]) == 0
    blocks = {block.split(",")[0].split()[0]: block for block in capsys.readouterr().out.split("\n\n")}
    for kind in KINDS:
        sizes = [f"{(TOYS / f'{kind}.{precision}.onnx').stat().st_size:,}" for precision in ("int8", "float")]
        assert re.search(rf"bytes +{' +'.join(sizes)}", blocks[kind])
    assert re.search(r"proposals % +\d+\.\d\d +\d+\.\d\d", blocks["context"])
    assert "not the release gates" in blocks["strings"]
    assert cli.main(["info", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["companions"]) == set(KINDS)


def test_doctor_tests_them(beside: Path) -> None:
    found = {finding.check: finding for finding in examine(RecognitionOptions(str(beside), "cpu"))[0]}
    for kind in KINDS:
        assert found[kind].status == "ok"
        assert f"int8 {(TOYS / f'{kind}.int8.onnx').stat().st_size:,} bytes" in found[kind].found
    (beside / "strings.float.onnx").write_bytes(b"none")
    broken = {finding.check: finding for finding in examine(RecognitionOptions(str(beside), "cpu"))[0]}
    assert broken["context"].status == "ok"
    assert (broken["strings"].status, broken["strings"].exit_code) == ("fail", 3)
    assert "SHA-256" in broken["strings"].found


def test_bench_cards_list_them(beside: Path, toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = model_facts(load_precisions(RecognitionOptions(str(beside), "cpu")))
    # What the folder lacks is lent by the shipped one.
    assert facts["companions"] == {**companion_files(), **companion_files(beside)}
    for kind in KINDS:
        for precision, file in facts["companions"][kind].items():
            data = (TOYS / f"{kind}.{precision}.onnx").read_bytes()
            assert file == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    machine = {"features": [], "board": None, "cpu": "a processor", "architecture": "x", "cores_usable": 1}
    print_head({"machine": machine, "software": {}, "model": facts, "provider": {"obtained": "p", "asked": "auto"}}, sys.stdout)
    assert re.search(r"toy int8 [\d,]+, float [\d,]+; context int8 [\d,]+, float [\d,]+; strings int8 ", capsys.readouterr().out)
