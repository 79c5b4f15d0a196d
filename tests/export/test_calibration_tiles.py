from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration.tile_sets import load_tile_sets
from edge_digits.errors import ExitCode
from export import calibration_tiles

SETS = ("mnist_test", "usps_test", "semeion", "optdigits_tes", "chen_holdout", "orand_val", "negatives_holdout")


def write(data: Path, out: Path, *more: str) -> dict[str, np.ndarray]:
    assert calibration_tiles.main(["--data", str(data), "--out", str(out), "--tiles", "96", "--limit", "60", *more]) == ExitCode.OK
    with np.load(out, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_names_and_shapes_of_the_full_folder(shared: Path, tmp_path: Path) -> None:
    arrays = write(shared / "data", tmp_path / "tiles.npz")
    assert arrays["calibration_tiles"].shape == (96, 28, 28)
    for name in SETS:
        tiles, labels = arrays[f"{name}_tiles"], arrays[f"{name}_labels"]
        assert tiles.dtype == labels.dtype == np.uint8
        assert tiles.shape == (len(labels), 28, 28)
        assert len(labels) > 0
        assert set(labels) <= (set(range(10)) if name != "negatives_holdout" else {10})
        assert tiles.max(axis=(1, 2)).min() > 0


def test_mnist_alone_gives_what_it_can(drawn_data: Path, tmp_path: Path) -> None:
    arrays = write(drawn_data, tmp_path / "a.npz")
    assert {name for name in arrays if name.endswith("_labels")} >= {"mnist_test_labels", "negatives_holdout_labels", "calibration_labels"}
    assert 10 in arrays["calibration_labels"]
    again = write(drawn_data, tmp_path / "b.npz")
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_marks_stand_by_kind_without_labels(drawn_data: Path, tmp_path: Path) -> None:
    arrays = write(drawn_data, tmp_path / "a.npz")
    kinds = {name.removeprefix("marks_").removesuffix("_tiles") for name in arrays if name.startswith("marks_")}
    assert {"made_half", "made_pair", "printed_arrows"} <= kinds
    assert not any(name.startswith("marks_") and name.endswith("_labels") for name in arrays)
    sets = load_tile_sets(tmp_path / "a.npz")
    assert set(sets.marks) == kinds
    assert set(sets.held_out) == {"mnist_test", "negatives_holdout"}


def test_mistakes(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    assert calibration_tiles.main(["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x.npz")]) != ExitCode.OK
    assert "no such folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        calibration_tiles.main(["--data", str(drawn_data), "--out", str(tmp_path / "x.npz"), "--tiles", "0"])
