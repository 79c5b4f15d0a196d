"""Training of the string network on a handful of strips: it learns, stops, goes on, and refuses what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_digits.errors import ExitCode
from edge_digits.paper.strips import STRIP_HEIGHT_PX
from export import checkpoint, train_strings
from export.context_network import ContextNetwork
from export.pages.proposals import save_shard
from export.train_strings import Strips
from tests.export.training_sets import marked_proposals, save_marked_strips


@pytest.fixture(scope="module")
def strips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_marked_strips(tmp_path_factory.mktemp("sets") / "strips.npz")


def call(strips: Path, out: Path, *more: str, epochs: int = 2) -> ExitCode:
    fixed = ["--batch", "16", "--threads", "1", "--epochs", str(epochs), "--out", str(out)]
    return train_strings.main(["--strips", str(strips), "--validation", str(strips), *fixed, *more])


def test_training_learns_and_leaves_a_record(strips: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert call(strips, run, epochs=8) == ExitCode.OK
    record = json.loads((run / "record.json").read_text())
    history = record["history"]
    assert len(history) == 8
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert {"digits_right", "others_right"} <= set(history[-1])
    assert record["settings"]["strips"] == 64
    assert {"commit", "machine", "seconds", "parameters"} <= set(record)
    assert str(tmp_path) not in json.dumps(record)
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.pt", "record.json"]


def test_a_resumed_run_equals_an_uninterrupted_one(strips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert call(strips, whole) == ExitCode.OK
    save = checkpoint.save

    def save_and_stop(run: Path, state: dict[str, Any]) -> None:
        save(run, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", save_and_stop)
        assert call(strips, broken) == ExitCode.INTERRUPTED
    assert "--resume" in capsys.readouterr().err
    assert call(strips, broken, "--resume") == ExitCode.OK
    a, b = checkpoint.load(whole), checkpoint.load(broken)
    assert a["history"] == b["history"]
    for part in ("network", "average"):
        assert all(torch.equal(a[part][name], b[part][name]) for name in a[part])
    # Another run begins where this one ended, and not where a new network begins.
    assert call(strips, tmp_path / "more", "--start-from", str(whole), "--learning-rate", "1e-9", epochs=1) == ExitCode.OK
    started = checkpoint.load(tmp_path / "more")["network"]
    assert torch.allclose(started["head.weight"], a["average"]["head.weight"], atol=1e-6)


def test_resuming_with_other_settings_is_refused(strips: Path, tmp_path: Path, capsys: Any) -> None:
    run = tmp_path / "run"
    assert call(strips, run, epochs=1) == ExitCode.OK
    for more in (["--seed", "9"], ["--batch", "8"], ["--strips", str(strips)]):
        assert call(strips, run, "--resume", *more, epochs=1) == ExitCode.USAGE
        assert "begun with other settings" in capsys.readouterr().err.splitlines()[-1]


def test_bad_files_are_one_line(strips: Path, tmp_path: Path, capsys: Any) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    damaged, text, alien = (tmp_path / name for name in ("damaged.npz", "text.npz", "alien.npz"))
    whole = strips.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    text.write_text("no strips")
    np.savez(alien, pixels=np.zeros(3))
    digits = save_marked_strips(tmp_path / "digits.npz", 8, (1, 7, 3))
    checkpoint.save(tmp_path / "context", {"average": ContextNetwork().state_dict()})
    cases = [
        (["--strips", str(tmp_path / "nowhere.npz")], "no strips"),
        (["--strips", str(empty)], "no shards"),
        (["--strips", str(damaged)], "no strips"),
        (["--strips", str(text)], "no strips"),
        (["--strips", str(alien)], "no strips"),
        (["--batch", "1000"], "too few for one batch of 1000"),
        (["--resume"], "no checkpoint"),
        (["--start-from", str(empty)], "no checkpoint"),
        (["--start-from", str(tmp_path / "context")], "of another network"),
    ]
    for more, said in cases:
        assert call(strips, tmp_path / "run", *more) == ExitCode.USAGE
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("export.train_strings: ")
        assert said in error
    more = ["--strips", str(strips), "--validation", str(digits), "--batch", "16", "--out", str(tmp_path / "run")]
    assert train_strings.main(more) == ExitCode.USAGE
    assert "--validation needs" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", [["--epochs", "0"], ["--batch", "1"], ["--threads", "-1"], ["--learning-rate", "-1"]])
def test_absurd_numbers(tmp_path: Path, capsys: Any, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        call(tmp_path, tmp_path / "run", *more)
    assert stop.value.code == ExitCode.USAGE
    assert more[0] in capsys.readouterr().err.splitlines()[-1]


def test_strips_of_files_and_of_shards(strips: Path, tmp_path: Path) -> None:
    file = Strips.load([strips])
    page = replace(
        marked_proposals(4),
        strip_pixels=np.full(2 * 32 * 48, 9, np.uint8),
        strip_widths=np.array([48, 48], np.int32),
        strip_labels=np.full((2, 8), 255, np.uint8),
    )
    (tmp_path / "shards").mkdir()
    save_shard(tmp_path / "shards" / "0000.npz", [page])
    both = Strips.load([strips, tmp_path / "shards"])
    assert len(both.widths) == len(file.widths) + 2
    assert (both.batch(np.array([64, 65])) == 9).all()
    chosen = np.array([0, 5, 2])
    batch = both.batch(chosen)
    assert batch.shape == (3, 1, STRIP_HEIGHT_PX, both.widths[chosen].max())
    for strip, index in zip(batch, chosen, strict=True):
        width = both.widths[index]
        assert (strip[0, :, :width] == file.batch(np.array([index]))[0, 0]).all()
        assert not strip[0, :, width:].any()
