from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from calibration import robustness
from calibration.disturbances import DISTURBANCES
from calibration.robustness import summarize
from edge_digits.recognition.engine import Engine
from tests.calibration import toy
from tests.calibration.conftest import Bench

LIMIT = ["--limit", "60"]


def run(bench: Bench, *more: str) -> int:
    return robustness.main(["--tiles", str(bench.tiles), "--out", str(bench.folder / "r.json"), *LIMIT, *more])


def record_of(bench: Bench) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((bench.folder / "r.json").read_text(encoding="utf-8"))
    return record


@pytest.fixture(scope="module")
def measured(finished_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of both precisions of the toy model, all tiles."""
    out = tmp_path_factory.mktemp("robustness") / "r.json"
    files = [str(finished_bench.int8_path), str(finished_bench.float_path)]
    assert robustness.main(["--model", *files, "--tiles", str(finished_bench.tiles), "--out", str(out), "--limit", "150"]) == 0
    record: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return record


def test_every_disturbance_is_measured_against_clean(measured: dict[str, Any]) -> None:
    for model in measured["models"]:
        assert list(model["robustness"]) == list(DISTURBANCES)
        for row in model["robustness"].values():
            assert row["difference_points"] == pytest.approx(row["accuracy_percent"] - model["clean_accuracy_percent"])
        assert model["robustness"]["tilt_plus_15_deg"]["accuracy_percent"] < model["clean_accuracy_percent"]


def test_clean_accuracy_is_that_of_the_file(measured: dict[str, Any], finished_bench: Bench) -> None:
    with np.load(finished_bench.tiles) as arrays:
        tiles, labels = arrays["mnist_test_tiles"][:150], arrays["mnist_test_labels"][:150]
    logits = Engine(finished_bench.int8_path.read_bytes()).run("logits", (tiles[:, None] / np.float32(255)).astype(np.float32))
    assert measured["models"][0]["clean_accuracy_percent"] == pytest.approx(100 * (logits.argmax(axis=1) == labels).mean())
    assert measured["material"]["digits"] == 150


def test_marks_are_judged_by_kind(measured: dict[str, Any]) -> None:
    found = measured["models"][0]["not_one_digit"]
    assert set(found["kinds"]) == {"made_pair", "foreign"}
    assert [found["kinds"][kind]["in_training"] for kind in ("made_pair", "foreign")] == [True, False]
    assert found["digits_kept_percent"] >= 99.0
    for row in found["kinds"].values():
        assert 0.8 < row["auroc"] <= 1.0
        assert 0.0 <= row["accepted_percent"] <= 100.0
    assert found["mean_of_kinds_not_in_training"]["auroc"] == found["kinds"]["foreign"]["auroc"]


def test_confidence_is_judged_on_sets_with_digits(measured: dict[str, Any]) -> None:
    confidence = measured["models"][0]["confidence"]
    assert set(confidence) == {"mnist_test", "usps_test"}
    for row in confidence.values():
        assert sum(step["tiles"] for step in row["reliability"]) == row["tiles"] == 150
        assert 0 <= row["selective_error_percent"] <= 100 - row["accuracy_percent"] + 1


def test_several_models_give_mean_and_spread(measured: dict[str, Any]) -> None:
    summary, models = measured["summary"], measured["models"]
    values = [model["robustness"]["inverted"]["accuracy_percent"] for model in models]
    assert summary["models"] == 2
    assert summary["mean"]["robustness"]["inverted"]["accuracy_percent"] == pytest.approx(np.mean(values), abs=1e-5)
    assert summary["spread"]["robustness"]["inverted"]["accuracy_percent"] == pytest.approx(np.std(values, ddof=1), abs=1e-5)


def test_the_spread_of_one_model_is_zero() -> None:
    one = {"clean_accuracy_percent": 99.0, "robustness": {"a": {"accuracy_percent": 98.0}}, "confidence": {}, "file": "x"}
    assert summarize([one])["spread"] == {"clean_accuracy_percent": 0.0, "robustness": {"a": {"accuracy_percent": 0.0}}, "confidence": {}}
    other = {**one, "clean_accuracy_percent": 97.0, "not_one_digit": {}}
    assert summarize([one, other])["mean"]["clean_accuracy_percent"] == 98.0
    assert "not_one_digit" not in summarize([one, other])["mean"]


def test_the_table_goes_to_stdout_and_progress_to_stderr(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bench, "--model", str(bench.int8_path)) == 0
    out, err = capsys.readouterr()
    assert "MNIST test digits" in out
    assert "foreign *" in out
    assert "mean of kinds *" in out
    assert "disturbing digits" in err


def test_running_twice_gives_the_same_figures(bench: Bench) -> None:
    found = []
    for _ in range(2):
        assert run(bench, "--model", str(bench.int8_path)) == 0
        found.append(record_of(bench)["models"])
    assert found[0] == found[1]


def test_pictures_are_drawn(bench: Bench) -> None:
    assert run(bench, "--model", str(bench.int8_path), "--pictures", str(bench.folder / "pictures")) == 0
    for name in ("robustness.png", "reliability.png"):
        picture = cv2.imread(str(bench.folder / "pictures" / name))
        assert picture is not None
        assert picture.std() > 5
        assert (bench.folder / "pictures" / name).stat().st_size < 100_000


def test_without_matplotlib_one_line_says_what_to_do(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert run(bench, "--model", str(bench.int8_path), "--pictures", str(bench.folder / "pictures")) == 2
    assert "leave --pictures out" in capsys.readouterr().err.splitlines()[-1]
    assert not (bench.folder / "r.json").exists()


def test_a_data_folder_gives_its_mnist_test_digits_alone(bench: Bench) -> None:
    toy.write_idx(bench.folder / "data" / "mnist", 80)
    folder = bench.folder / "data" / "mnist"
    images, labels = folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte"
    images.rename(folder / "t10k-images-idx3-ubyte.gz")
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(toy.gzip.compress(labels.read_bytes()))
    out = bench.folder / "r.json"
    assert robustness.main(["--model", str(bench.float_path), "--data", str(bench.folder / "data"), "--out", str(out), *LIMIT]) == 0
    (model,) = record_of(bench)["models"]
    assert "not_one_digit" not in model
    assert set(model["confidence"]) == {"mnist_test"}
    assert model["clean_accuracy_percent"] > 90


def test_a_tiles_file_without_marks_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(bench.tiles) as arrays:
        kept = {name: arrays[name] for name in arrays.files if not name.startswith("marks_")}
    np.savez(bench.tiles, **kept)
    assert run(bench, "--model", str(bench.int8_path)) == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1
    assert "holds no marks by kind" in err[0]
    assert not (bench.folder / "r.json").exists()


def test_a_tiles_file_without_mnist_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(bench.tiles) as arrays:
        kept = {name: arrays[name] for name in arrays.files if not name.startswith("mnist_test")}
    np.savez(bench.tiles, **kept)
    assert run(bench, "--model", str(bench.int8_path)) == 1
    assert "holds no 'mnist_test'; it has negatives_holdout, usps_test" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--limit", "0"], ["--limit", "-3"]])
def test_absurd_limits_are_refused(arguments: list[str], bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bench, "--model", str(bench.int8_path), *arguments) == 1
    assert "give a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"no model"])
def test_a_file_that_is_no_model_gives_one_line(data: bytes, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.int8_path.write_bytes(data)
    assert run(bench, "--model", str(bench.float_path), str(bench.int8_path)) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


def test_a_missing_data_folder_gives_one_line(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "r.json")
    assert robustness.main(["--model", str(bench.float_path), "--data", str(tmp_path / "nowhere"), "--out", out]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
