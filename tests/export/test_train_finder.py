"""Training of the finder network on a handful of parts of pages: it learns, goes on, and refuses what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_digits.errors import ExitCode
from export import checkpoint, train_finder
from export.finder_network import FinderNetwork, stroke_logits
from export.pages.crops import NO_DIGIT, OPEN, Crops, load_crops
from export.train_finder import loss_parts, moved, part, turned, varied
from tests.export.training_sets import check_start_from_another, marked_crops, save_crops


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_crops(tmp_path_factory.mktemp("sets") / "crops")


def call(shards: Path, out: Path, *more: str, epochs: int = 2) -> ExitCode:
    fixed = ["--batch", "8", "--threads", "1", "--epochs", str(epochs), "--out", str(out)]
    return train_finder.main(["--crops", str(shards), "--validation", str(shards), *fixed, *more])


def test_training_learns_and_leaves_a_record(shards: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert call(shards, run, epochs=4) == ExitCode.OK
    record = json.loads((run / "record.json").read_text())
    history = record["history"]
    assert len(history) == 4
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert {"stroke_loss", "cell_loss", "size_loss", "strokes_missed", "others_taken", "cells_wrong"} <= set(history[-1])
    assert {"commit", "machine", "settings", "seconds", "parameters"} <= set(record)
    assert str(tmp_path) not in json.dumps(record)


def test_a_resumed_run_equals_an_uninterrupted_one(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert call(shards, whole) == ExitCode.OK
    save = checkpoint.save

    def save_and_stop(run: Path, state: dict[str, Any]) -> None:
        save(run, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", save_and_stop)
        assert call(shards, broken) == ExitCode.INTERRUPTED
    assert call(shards, broken, "--resume") == ExitCode.OK
    a, b = checkpoint.load(whole), checkpoint.load(broken)
    assert a["history"] == b["history"]
    assert all(torch.equal(a["average"][name], b["average"][name]) for name in a["average"])


def test_a_run_may_start_from_another(shards: Path, tmp_path: Path, capsys: Any) -> None:
    check_start_from_another(call, shards, tmp_path, capsys)


def test_what_is_left_open_costs_nothing() -> None:
    crops = marked_crops(4)
    maps = torch.randn(4, 29, 32, 32, generator=torch.Generator().manual_seed(1))
    whole = loss_parts(maps, crops)
    assert all(float(value) > 0 for value in whole.values())
    hidden = Crops(crops.pictures, crops.strokes.copy(), crops.cells.copy(), crops.sizes)
    hidden.strokes[:, :64], hidden.cells[:, :16] = OPEN, OPEN
    changed = maps.clone()
    changed[:, :, :16] = 50.0
    for one, other in zip(loss_parts(maps, hidden).values(), loss_parts(changed, hidden).values(), strict=True):
        assert float(one) == pytest.approx(float(other), rel=1e-5)


def test_maps_unfold_into_pixels_of_their_cell() -> None:
    maps = torch.zeros(1, 29, 2, 3)
    maps[0, 6, 1, 2] = 1.0
    assert stroke_logits(maps).nonzero().tolist() == [[0, 5, 10]]
    with torch.no_grad():
        assert FinderNetwork().eval()(torch.zeros(1, 1, 32, 48)).shape == (1, 29, 8, 12)


def test_pictures_vary_within_bounds() -> None:
    pictures = marked_crops(40).pictures
    changed = varied(pictures, np.random.default_rng(1))
    assert (changed.shape, changed.dtype) == ((40, 1, 128, 128), np.float32)
    assert 0.0 <= changed.min() < changed.max() <= 1.0
    assert np.ptp(changed.max(axis=(1, 2, 3))) > 0.1
    assert (changed == varied(pictures, np.random.default_rng(1))).all()


def test_only_what_shows_no_digit_is_turned() -> None:
    crops = marked_crops(60, 1)
    crops.strokes[::2], crops.cells[::2] = 0, NO_DIGIT
    changed = turned(crops, np.random.default_rng(1))
    same = (changed.pictures == crops.pictures).all(axis=(1, 2))
    assert same[1::2].all()
    assert 5 < (~same[::2]).sum() < 20
    assert np.sort(changed.pictures.reshape(60, -1)).tolist() == np.sort(crops.pictures.reshape(60, -1)).tolist()
    assert np.array_equal(changed.cells, crops.cells)
    assert len(turned(part(crops, np.zeros(0, np.intp)), np.random.default_rng(1)).pictures) == 0


def test_crops_are_moved_with_what_their_pixels_mean() -> None:
    crops = marked_crops(60)
    before = crops.pictures.copy()
    changed = moved(crops, np.random.default_rng(1))
    assert (crops.pictures == before).all()
    differs = (changed.pictures != before).any(axis=(1, 2))
    assert 30 <= differs.sum() < 60
    for at in range(60):
        ink, meant = changed.pictures[at] > 150, changed.strokes[at] == 1
        assert (ink & ~meant).sum() <= 0.25 * meant.sum() + 8
        rows, columns = np.nonzero(changed.cells[at] == 1)
        if len(rows) and meant.any():
            y, x = np.argwhere(meant).mean(axis=0)
            assert abs(rows.mean() * 4 + 2 - y) < 10
            assert abs(columns.mean() * 4 + 2 - x) < 10
            assert 0.7 * 20 <= changed.sizes[at, 0, rows[0], columns[0]] <= 1.4 * 20
    again = moved(crops, np.random.default_rng(1))
    assert all((getattr(again, name) == getattr(changed, name)).all() for name in Crops.__slots__)
    none = Crops(*(getattr(crops, name)[:0] for name in Crops.__slots__))
    assert len(moved(none, np.random.default_rng(1)).pictures) == 0


def test_bad_folders_are_one_line(shards: Path, tmp_path: Path, capsys: Any) -> None:
    blank = load_crops(shards)
    (tmp_path / "blank").mkdir()
    arrays = {name: getattr(blank, name) for name in Crops.__slots__}
    np.savez(tmp_path / "blank" / "0000.npz", **{**arrays, "strokes": np.zeros_like(blank.strokes)})
    cases = [
        (["--crops", str(tmp_path / "nowhere")], "no shards"),
        (["--validation", str(tmp_path / "blank")], "shows no digit"),
        (["--batch", "1000"], "too few for one batch of 1000"),
        (["--resume"], "no checkpoint"),
    ]
    for more, said in cases:
        assert call(shards, tmp_path / "run", *more) == ExitCode.USAGE
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("export.train_finder: ")
        assert said in error


@pytest.mark.parametrize("more", [["--epochs", "0"], ["--batch", "1"], ["--seed", "-1"], ["--learning-rate", "nan"]])
def test_absurd_numbers(tmp_path: Path, capsys: Any, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        call(tmp_path, tmp_path / "run", *more)
    assert stop.value.code == ExitCode.USAGE
    assert more[0] in capsys.readouterr().err.splitlines()[-1]
