from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_digits.errors import ExitCode
from export import checkpoint, train
from export.optimisation import schedule


def arguments(data: Path, out: Path, *more: str, epochs: int = 2) -> list[str]:
    fixed = [
        "--network",
        "tiny",
        "--epoch-tiles",
        "256",
        "--batch",
        "32",
        "--workers",
        "0",
        "--threads",
        "1",
        "--device",
        "cpu",
        "--limit",
        "150",
    ]
    return ["--data", str(data), "--out", str(out), "--epochs", str(epochs), "--precision", "float32", *fixed, *more]


def weights(run: Path) -> dict[str, Any]:
    return checkpoint.load(run)["average"]


def test_training_learns_and_leaves_a_record(drawn_data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert train.main(arguments(drawn_data, run, "--epoch-tiles", "640", epochs=6)) == ExitCode.OK
    record = json.loads((run / "record.json").read_text())
    # Drawn digits in one font are easy: a net that learns nothing stays at 10 %.
    assert record["figures"]["mnist_test"]["accuracy_digits"] > 60.0
    assert record["history"][-1]["loss"] < 0.8 * record["history"][0]["loss"]
    assert record["seed"] == 1
    assert len(record["history"]) == 6
    assert record["glyphs"]["mnist_train"] > 130
    assert {"commit", "machine", "settings", "seconds", "temperature", "parameters"} <= set(record)
    assert {"rejected", "sure_digit"} <= set(record["figures"]["negatives_holdout"])
    assert str(tmp_path) not in json.dumps(record)
    assert sorted(path.suffix for path in run.iterdir() if path.suffix != ".png") == [".json", ".pt"]


def test_a_resumed_run_equals_an_uninterrupted_one(drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train.main(arguments(drawn_data, whole)) == ExitCode.OK
    save = checkpoint.save

    def save_and_stop(run: Path, state: dict[str, Any]) -> None:
        save(run, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", save_and_stop)
        assert train.main(arguments(drawn_data, broken)) == ExitCode.INTERRUPTED
    assert "--resume" in capsys.readouterr().err
    assert len(checkpoint.load(broken)["history"]) == 1
    assert train.main(arguments(drawn_data, broken, "--resume")) == ExitCode.OK
    a, b = weights(whole), weights(broken)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert [row["loss"] for row in checkpoint.load(whole)["history"]] == [row["loss"] for row in checkpoint.load(broken)["history"]]


def test_another_seed_gives_other_weights(drawn_data: Path, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        assert train.main(arguments(drawn_data, tmp_path / seed, "--seed", seed, epochs=1)) == ExitCode.OK
    a, b = weights(tmp_path / "1"), weights(tmp_path / "2")
    assert not torch.equal(a["head.weight"], b["head.weight"])


def test_resuming_with_other_settings_is_refused(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    run = tmp_path / "run"
    assert train.main(arguments(drawn_data, run, epochs=1)) == ExitCode.OK
    assert train.main(arguments(drawn_data, run, "--resume", "--seed", "9", epochs=1)) == ExitCode.USAGE
    assert "seed" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("more", "said"),
    [(["--network", "giant"], "choose one of"), (["--resume"], "no checkpoint"), (["--data", "nowhere-at-all"], "no such folder")],
)
def test_user_mistakes_are_one_line(drawn_data: Path, tmp_path: Path, capsys: Any, more: list[str], said: str) -> None:
    code = train.main([*arguments(drawn_data, tmp_path / "run"), *more])
    last = capsys.readouterr().err.splitlines()[-1]
    assert code != ExitCode.OK
    assert last.startswith("export.train: ")
    assert said in last


@pytest.mark.parametrize("more", [["--epochs", "0"], ["--batch", "1"], ["--limit", "0"], ["--epoch-tiles", "3"], ["--learning-rate", "0"]])
def test_absurd_numbers(tmp_path: Path, capsys: Any, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        train.main([*arguments(tmp_path, tmp_path / "run"), *more])
    assert stop.value.code == 2
    assert more[0] in capsys.readouterr().err


def test_a_damaged_checkpoint_is_one_line(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"PK nothing")
    assert train.main(arguments(drawn_data, tmp_path, "--resume")) == ExitCode.USAGE
    assert "cannot be read" in capsys.readouterr().err.splitlines()[-1]


def test_an_interrupted_write_keeps_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path, {"step": 1})

    def fail(_: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(tmp_path, {"step": 2})
    assert checkpoint.load(tmp_path) == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_the_schedule_rises_and_falls() -> None:
    values = [schedule(p) for p in np.linspace(0, 1, 101)]
    assert values[0] < 0.05
    assert max(values) > 0.99
    assert values[-1] < 0.01
    top = int(np.argmax(values))
    assert all(np.diff(values[:top]) > 0)
    assert all(np.diff(values[top:]) <= 0)
