from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import onnx_files
from calibration.gates import COMMITTED_GATES
from edge_digits.recognition.engine import Engine
from tests.calibration.conftest import Bench


def verdict_of(bench: Bench) -> dict[str, Any]:
    verdict: dict[str, Any] = json.loads(bench.verdict.read_text(encoding="utf-8"))
    return verdict


def test_a_verdict_says_what_was_judged_and_how(finished_bench: Bench) -> None:
    verdict = verdict_of(finished_bench)
    assert verdict["passed"] is True
    assert verdict["gates_sha256"] == hashlib.sha256(COMMITTED_GATES.read_bytes()).hexdigest()
    assert verdict["tiles_sha256"] == hashlib.sha256(finished_bench.tiles.read_bytes()).hexdigest()
    for kind, path in (("float", finished_bench.float_path), ("int8", finished_bench.int8_path)):
        facts = verdict["files"][kind]
        assert (facts["bytes"], facts["sha256"]) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        assert set(verdict["latency_us_per_digit"][kind]) == {"batch_1", "batch_64"}
    assert set(verdict["figures"]) == {"file", "mnist_test", "usps_test", "negatives_holdout", "all_sets"}
    assert verdict["machine"]["onnxruntime"]


def test_figures_are_those_of_the_files(finished_bench: Bench) -> None:
    with np.load(finished_bench.tiles) as arrays:
        tiles, labels = arrays["mnist_test_tiles"], arrays["mnist_test_labels"]
    logits = Engine(finished_bench.int8_path.read_bytes()).run("logits", (tiles[:, None] / np.float32(255)).astype(np.float32))
    row = verdict_of(finished_bench)["figures"]["mnist_test"]
    assert row["tiles"] == len(tiles)
    assert row["int8_accuracy_percent"] == pytest.approx(100 * (logits.argmax(axis=1) == labels).mean(), abs=1e-6)
    assert row["drop_points"] == pytest.approx(row["float_accuracy_percent"] - row["int8_accuracy_percent"], abs=1e-6)
    assert 0 <= row["int8_worst_digit_percent"] <= row["int8_accuracy_percent"] + 1e-6
    assert 0 < row["largest_logit_difference"] < 1.5


def test_a_missed_gate_is_named_and_recorded(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    gates = bench.folder / "strict.toml"
    gates.write_text("[file]\nint8_bytes_max = 10\n[usps_test]\nagreement_percent_min = 0", encoding="utf-8")
    assert bench.judge("--gates", str(gates)) == 3
    out, err = capsys.readouterr()
    assert "FAIL  file.int8_bytes max 10" in out
    assert "pass  usps_test.agreement_percent" in out
    assert "1 gate(s) missed: file.int8_bytes" in err
    verdict = verdict_of(bench)
    assert verdict["passed"] is False
    assert [check["passed"] for check in verdict["gates"]] == [False, True]


def test_a_gate_on_a_set_that_is_not_there_is_missed(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    gates = bench.folder / "other.toml"
    gates.write_text("[nosuch]\nint8_accuracy_percent_min = 1", encoding="utf-8")
    assert bench.judge("--gates", str(gates)) == 3
    assert "not measured" in capsys.readouterr().out


def test_a_spoilt_int8_file_is_caught(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    model = onnx_files.load_model(bench.int8_path)
    head = max((i for i in model.graph.initializer if i.data_type == 3), key=lambda i: len(i.raw_data))
    head.raw_data = bytes(head.raw_data[::-1])
    onnx_files.save_model(model, bench.int8_path)
    assert bench.judge() == 3
    assert "mnist_test.drop_points" in capsys.readouterr().err


def test_swapped_labels_are_caught(bench: Bench) -> None:
    with np.load(bench.tiles) as arrays:
        changed = dict(arrays)
    changed["mnist_test_labels"] = (changed["mnist_test_labels"] + 1) % 10
    np.savez(bench.tiles, **changed)
    assert bench.judge() == 3
    assert verdict_of(bench)["figures"]["mnist_test"]["int8_accuracy_percent"] < 20


def test_a_tiles_file_without_sets_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(bench.tiles, calibration_tiles=np.zeros((1, 28, 28), np.uint8))
    bench.verdict.unlink()
    assert bench.judge() == 1
    assert "no set with labels" in capsys.readouterr().err
    assert not bench.verdict.exists()


@pytest.mark.parametrize("data", [b"", b"garbage"])
def test_a_file_that_is_no_model_gives_one_line(data: bytes, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.int8_path.write_bytes(data)
    assert bench.judge() != 0
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


def test_no_rounds_are_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.judge("--rounds", "0") == 1
    assert "rounds is 0" in capsys.readouterr().err


def test_a_missing_gates_file_gives_one_line(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.judge("--gates", str(tmp_path / "nosuch.toml")) == 1
    assert "nosuch.toml" in capsys.readouterr().err
