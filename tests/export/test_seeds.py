"""Several seeds of one network: files, mean and spread, and going on after a stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_digits.errors import ExitCode
from export import seeds, tile_pool

TRAINING = ["--epochs", "2", "--batch", "64", "--threads", "1", "--device", "cpu", "--precision", "float32", "--limit", "100"]


@pytest.fixture
def pool(drawn_data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "pool"
    sizes = ["--epochs", "1", "--gentle", "1", "--epoch-tiles", "512", "--workers", "0"]
    assert tile_pool.main(["--data", str(drawn_data), "--out", str(folder), *sizes]) == ExitCode.OK
    return folder


def arguments(data: Path, pool: Path, out: Path, *more: str) -> list[str]:
    return ["--network", "tiny", "--data", str(data), "--pool", str(pool), "--out", str(out), "--seeds", "1", "2", *TRAINING, *more]


def test_every_seed_leaves_models_and_the_record_has_their_mean(
    drawn_data: Path, pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for place in ("RECORDS", "MODELS_FOLDER"):
        monkeypatch.setattr(seeds, place, tmp_path / place)
    out = tmp_path / "runs"
    assert seeds.main(arguments(drawn_data, pool, out, "--keep")) == ExitCode.OK
    record = json.loads((out / "record.json").read_text())
    each = [record["figures"][seed]["int8"]["mnist_test"] for seed in ("1", "2")]
    assert record["figures_mean"]["int8"]["mnist_test"] == pytest.approx(np.mean(each), abs=1e-3)
    assert record["figures_spread"]["int8"]["mnist_test"] == pytest.approx(np.std(each), abs=1e-3)
    assert record["figures"]["1"]["bytes"]["int8"] < record["figures"]["1"]["bytes"]["float"]
    assert json.loads((tmp_path / "RECORDS" / "tiny.json").read_text()) == record
    # The first seed is kept, whichever did better.
    assert (tmp_path / "MODELS_FOLDER" / "tiny.int8.onnx").read_bytes() == (out / "seed-1" / "tiny.int8.onnx").read_bytes()
    assert "mnist_test" in capsys.readouterr().err
    stamps = {path: path.stat().st_mtime_ns for path in out.glob("seed-*/*.onnx")}
    assert len(stamps) == 4
    # Nothing is trained twice.
    assert seeds.main(arguments(drawn_data, pool, out)) == ExitCode.OK
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_a_seed_twice_is_a_mistake(drawn_data: Path, pool: Path, tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        seeds.main(arguments(drawn_data, pool, tmp_path / "runs", "--seeds", "3", "3"))
    assert stop.value.code == ExitCode.USAGE
    assert "twice" in capsys.readouterr().err


def test_no_pool_is_one_line(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    assert seeds.main(arguments(drawn_data, tmp_path / "nothing", tmp_path / "runs")) == ExitCode.USAGE
    assert "no finished pool" in capsys.readouterr().err
