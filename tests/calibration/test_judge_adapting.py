"""The command that measures adapting on writers: its splits, its figures, its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from calibration.judge_adapting import main, splits
from edge_digits.personal.reserve import load_reserve
from tests.personal.writers import mirrored, write_samples


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiles file whose held-out set is part of the reserve."""
    reserve = load_reserve()
    path = tmp_path_factory.mktemp("tiles") / "tiles.npz"
    tiles, labels = reserve.tiles[:200], reserve.labels[:200].astype(np.int64)
    np.savez(path, calibration_tiles=tiles[:10], mnist_test_tiles=tiles, mnist_test_labels=labels)
    return path


def test_draws_learn_from_as_many_of_each_digit() -> None:
    labels = np.repeat(np.arange(10), 7)
    drawn = list(splits(labels, 3, 4))
    assert len(drawn) == 4
    assert all((np.bincount(labels[learned], minlength=10) == 3).all() for learned in drawn)
    assert (drawn[0] != drawn[1]).any()


def test_too_few_samples_are_left_out_fold_by_fold() -> None:
    labels = np.repeat(np.arange(10), 5)
    held = np.stack([~learned for learned in splits(labels, 5, 3)])
    assert (held.reshape(3, 5, -1).sum(axis=1) == 1).all()
    assert (held[:5] != held[5:10]).any()


def test_it_prints_the_figures_of_each_writer(tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_samples(tmp_path / "writer", 5, {2: mirrored, 7: mirrored})
    assert main([str(folder), "--tiles", str(tiles), "--per-digit", "3", "--draws", "1"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    figures = json.loads(line)
    assert (figures["writer"], figures["samples"], figures["learned"], figures["tested"]) == ("writer", 50, 30, 20)
    assert figures["own_errors_before"] >= 1
    assert figures["own_errors_after"] <= figures["own_errors_before"]
    assert figures["base_tiles"] == 200


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere"),
        (["nowhere", "--base-set", "nothing"], "no set 'nothing'"),
        (["nowhere", "--tiles", "none.npz"], "none.npz"),
    ],
)
def test_mistakes_are_one_line(tiles: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    tiles_too = [] if "--tiles" in arguments else ["--tiles", str(tiles)]
    assert main([*arguments, *tiles_too]) in (1, 2)
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert says in errors[0]
