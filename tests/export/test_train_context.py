"""Training of the context network on a handful of proposals: it learns, stops, goes on, and refuses what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_digits.errors import ExitCode
from edge_digits.paper.surroundings import PATCH_SHAPE
from export import checkpoint, train_context
from export.pages.proposals import load_shards, save_shard
from export.train_context import joined, varied, weakened
from tests.export.training_sets import check_start_from_another, marked_proposals, save_proposals


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_proposals(tmp_path_factory.mktemp("sets") / "proposals")


def call(shards: Path, out: Path, *more: str, epochs: int = 2) -> ExitCode:
    fixed = ["--batch", "33", "--threads", "1", "--epochs", str(epochs), "--out", str(out)]
    return train_context.main(["--proposals", str(shards), "--validation", str(shards), *fixed, *more])


def test_training_learns_and_leaves_a_record(shards: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert call(shards, run, epochs=6) == ExitCode.OK
    record = json.loads((run / "record.json").read_text())
    history = record["history"]
    assert len(history) == 6
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert history[-1]["both_loss"] < 0.9 * history[-1]["alone_loss"]
    assert record["proposals"] == {"count": 132, "pages": 2}
    assert {"commit", "machine", "settings", "seconds", "parameters"} <= set(record)
    assert str(tmp_path) not in json.dumps(record)
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.pt", "record.json"]


def test_a_resumed_run_equals_an_uninterrupted_one(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert call(shards, whole) == ExitCode.OK
    save = checkpoint.save

    def save_and_stop(run: Path, state: dict[str, Any]) -> None:
        save(run, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", save_and_stop)
        assert call(shards, broken) == ExitCode.INTERRUPTED
    assert "--resume" in capsys.readouterr().err
    assert call(shards, broken, "--resume") == ExitCode.OK
    a, b = checkpoint.load(whole), checkpoint.load(broken)
    assert a["history"] == b["history"]
    for part in ("network", "average"):
        assert all(torch.equal(a[part][name], b[part][name]) for name in a[part])


def test_a_run_may_start_from_another(shards: Path, tmp_path: Path, capsys: Any) -> None:
    check_start_from_another(call, shards, tmp_path, capsys)


def test_resuming_with_other_settings_is_refused(shards: Path, tmp_path: Path, capsys: Any) -> None:
    run = tmp_path / "run"
    assert call(shards, run, epochs=1) == ExitCode.OK
    for more in (["--seed", "9"], ["--batch", "22"], ["--proposals", str(shards)]):
        assert call(shards, run, "--resume", *more, epochs=1) == ExitCode.USAGE
        assert "begun with other settings" in capsys.readouterr().err.splitlines()[-1]


def test_bad_folders_are_one_line(shards: Path, tmp_path: Path, capsys: Any) -> None:
    empty, damaged, alien, digits = (tmp_path / name for name in ("empty", "damaged", "alien", "digits"))
    for folder in (empty, damaged, alien, digits):
        folder.mkdir()
    whole = (shards / "0000.npz").read_bytes()
    (damaged / "0000.npz").write_bytes(whole[: len(whole) // 2])
    np.savez(alien / "0000.npz", pixels=np.zeros(3))
    save_shard(digits / "0000.npz", [marked_proposals(10)])
    cases = [
        (["--proposals", str(tmp_path / "nowhere")], "no shards"),
        (["--proposals", str(empty)], "no shards"),
        (["--proposals", str(damaged)], "no shard of proposals"),
        (["--proposals", str(alien)], "no shard of proposals"),
        (["--validation", str(empty)], "no shards"),
        (["--validation", str(digits)], "some that are none"),
        (["--batch", "1000"], "too few for one batch of 1000"),
        (["--resume"], "no checkpoint"),
    ]
    for more, said in cases:
        assert call(shards, tmp_path / "run", *more) == ExitCode.USAGE
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("export.train_context: ")
        assert said in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "more", [["--epochs", "0"], ["--batch", "1"], ["--seed", "-1"], ["--learning-rate", "0"], ["--learning-rate", "nan"]]
)
def test_absurd_numbers(tmp_path: Path, capsys: Any, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        call(tmp_path, tmp_path / "run", *more)
    assert stop.value.code == ExitCode.USAGE
    assert more[0] in capsys.readouterr().err.splitlines()[-1]


def test_patches_vary_within_bounds() -> None:
    patches = np.zeros((40, 2, *PATCH_SHAPE), np.uint8)
    patches[:, :, 20:28, 30:34] = 200
    before = patches.copy()
    moved = varied(patches, np.random.default_rng(1))
    assert (moved.shape, moved.dtype) == (patches.shape, np.float32)
    assert (patches == before).all()
    assert 0.0 <= moved.min() < moved.max() <= 1.0
    rows, columns = (np.flatnonzero(moved[0, 1].any(axis=axis)) for axis in (1, 0))
    assert abs(rows[0] - 20) <= 2
    assert abs(columns[0] - 30) <= 2
    assert (rows.size, columns.size) == (8, 4)
    assert not moved[:, 1, :10].any()
    assert np.ptp(moved[:, 1].max(axis=(1, 2))) > 0.1
    assert (moved == varied(patches, np.random.default_rng(1))).all()
    assert varied(patches[:0], np.random.default_rng(1)).shape == (0, 2, *PATCH_SHAPE)


def test_answers_are_weakened_and_some_withheld() -> None:
    answers = np.log(np.random.default_rng(0).dirichlet(np.ones(11), 2000)).astype(np.float32)
    weak = weakened(answers, np.random.default_rng(1))
    withheld = ~weak.any(axis=1)
    assert 0.1 < withheld.mean() < 0.2
    assert weak.dtype == np.float32
    told = np.argmax(weak[~withheld], axis=1) == np.argmax(answers[~withheld], axis=1)
    assert 0.4 < told.mean() < 1.0


def test_sets_are_joined(shards: Path) -> None:
    both = joined([load_shards(shards, 1), marked_proposals(3, 9)])
    assert len(both.labels) == 69
    assert both.pages[-1] == 9
    assert both.patches.shape == (69, 2, *PATCH_SHAPE)
