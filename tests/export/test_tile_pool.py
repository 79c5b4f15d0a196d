"""Tiles made once: what a pool holds, what trains from it, and what teachers say of it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_digits.errors import ExitCode, UsageError
from export import answers, checkpoint, tile_pool, train
from export.epochs import PooledEpochs, load_answers
from export.optimisation import distillation_loss

STRONG, GENTLE = 2, 1


@pytest.fixture
def pool(drawn_data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "pool"
    sizes = ["--epochs", str(STRONG), "--gentle", str(GENTLE), "--epoch-tiles", "520", "--workers", "0"]
    assert tile_pool.main(["--data", str(drawn_data), "--only", "mnist_train", "--out", str(folder), *sizes]) == ExitCode.OK
    return folder


def arguments(data: Path, pool: Path, out: Path, *more: str, network: str = "tiny") -> list[str]:
    fixed = ["--epochs", "3", "--gentle-share", "0.34", "--batch", "64", "--threads", "1", "--device", "cpu", "--precision", "float32"]
    return ["--network", network, "--data", str(data), "--pool", str(pool), "--out", str(out), *fixed, *more]


def test_a_pool_holds_whole_epochs_and_tiles_kept_aside(pool: Path) -> None:
    made = tile_pool.load_pool(pool)
    assert made.tiles.shape == (STRONG + GENTLE, 512, 28, 28)
    assert made.labels.shape == (STRONG + GENTLE, 512)
    assert set(np.unique(made.labels)) == set(range(11))
    assert not np.array_equal(made.tiles[0], made.tiles[1])
    assert len(made.tuning_tiles) == len(made.tuning_labels)
    assert made.settings["glyphs"].keys() == {"mnist_train"}


def test_epochs_of_a_kind_come_in_turn(pool: Path) -> None:
    made = tile_pool.load_pool(pool)
    assert [made.epoch_for(epoch, gentle=False) for epoch in range(4)] == [0, 1, 0, 1]
    assert [made.epoch_for(epoch, gentle=True) for epoch in range(2)] == [2, 2]


def test_every_tile_comes_once_an_epoch_and_the_order_follows_from_the_seed(pool: Path) -> None:
    made = tile_pool.load_pool(pool)
    first, again, other = (list(PooledEpochs(made, seed, 64).batches(0, gentle=False)) for seed in (1, 1, 2))
    labels = torch.cat([batch[1] for batch in first]).numpy()
    assert np.array_equal(np.bincount(labels, minlength=11), np.bincount(made.labels[0], minlength=11))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0][0], other[0][0])


def test_teachers_answers_belong_to_their_tiles(drawn_data: Path, pool: Path, tmp_path: Path) -> None:
    assert train.main(arguments(drawn_data, pool, tmp_path / "teacher")) == ExitCode.OK
    file = tmp_path / "answers.npy"
    assert (
        answers.main(["--runs", str(tmp_path / "teacher"), "--pool", str(pool), "--out", str(file), "--threads", "1", "--device", "cpu"])
        == 0
    )
    made = tile_pool.load_pool(pool)
    said = load_answers(file, made)
    network = answers.load_network(tmp_path / "teacher")[0]
    for tiles, _, theirs in PooledEpochs(made, 5, 64, said).batches(1, gentle=False):
        with torch.inference_mode():
            mine = network(tiles.float() / 255.0)
        # Half precision, and bfloat16 where the processor has it.
        assert (mine - theirs).abs().max() < 0.05 * mine.abs().max()


def test_a_student_with_a_teacher_learns_and_resumes_to_the_same_weights(
    drawn_data: Path, pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train.main(arguments(drawn_data, pool, tmp_path / "teacher")) == ExitCode.OK
    file = tmp_path / "answers.npy"
    assert answers.main(["--runs", str(tmp_path / "teacher"), "--pool", str(pool), "--out", str(file), "--device", "cpu"]) == ExitCode.OK
    taught = arguments(drawn_data, pool, tmp_path / "whole", "--answers", str(file))
    assert train.main(taught) == ExitCode.OK
    record = json.loads((tmp_path / "whole" / "record.json").read_text())
    assert record["settings"]["answers"] is True
    assert record["history"][-1]["loss"] < record["history"][0]["loss"]
    save = checkpoint.save

    def save_and_stop(run: Path, state: dict[str, Any]) -> None:
        save(run, state)
        raise KeyboardInterrupt

    broken = arguments(drawn_data, pool, tmp_path / "broken", "--answers", str(file))
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", save_and_stop)
        assert train.main(broken) == ExitCode.INTERRUPTED
    assert train.main([*broken, "--resume"]) == ExitCode.OK
    a, b = (checkpoint.load(tmp_path / run)["average"] for run in ("whole", "broken"))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_distillation_is_least_where_both_agree() -> None:
    answers = torch.tensor([[4.0, 0.0, -2.0], [0.0, 3.0, 1.0]])
    same = distillation_loss(answers.clone(), answers, 2.0)
    assert same < distillation_loss(answers + torch.tensor([0.0, 1.0, 0.0]), answers, 2.0)
    # A constant added to all logits changes no probability.
    assert torch.isclose(same, distillation_loss(answers + 7.0, answers, 2.0), atol=1e-5)


def test_an_unfinished_pool_is_not_taken_for_one(pool: Path) -> None:
    (pool / tile_pool.POOL_NAME).unlink()
    with pytest.raises(UsageError, match="no finished pool"):
        tile_pool.load_pool(pool)


def test_answers_of_another_pool_are_refused(pool: Path, tmp_path: Path) -> None:
    made = tile_pool.load_pool(pool)
    np.save(tmp_path / "other.npy", np.zeros((1, 2, 11), np.float16))
    with pytest.raises(UsageError, match="again"):
        load_answers(tmp_path / "other.npy", made)
    with pytest.raises(UsageError, match="no answers"):
        load_answers(tmp_path / "none.npy", made)


@pytest.mark.parametrize(("more", "message"), [(["--only", "nothing"], "no such training set"), (["--epochs", "0"], "at least 1")])
def test_mistakes_are_one_line(drawn_data: Path, tmp_path: Path, capsys: Any, more: list[str], message: str) -> None:
    arguments = ["--data", str(drawn_data), "--out", str(tmp_path / "pool"), *more]
    with contextlib.suppress(SystemExit):
        assert tile_pool.main(arguments) == ExitCode.USAGE
    assert message in capsys.readouterr().err
    assert not (tmp_path / "pool" / tile_pool.POOL_NAME).exists()


def test_answers_without_a_pool_are_a_mistake(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        train.main(["--answers", str(tmp_path / "a.npy"), "--out", str(tmp_path / "run")])
    assert stop.value.code == ExitCode.USAGE
    assert "--pool" in capsys.readouterr().err
