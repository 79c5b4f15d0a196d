from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration.errors import CalibrationError
from calibration.tile_sets import load_tile_sets

TILES = np.zeros((3, 28, 28), np.uint8)
LABELS = np.array([0, 5, 10], np.uint8)


def write(path: Path, **changes: Any) -> Path:
    arrays = {"calibration_tiles": TILES, "mnist_test_tiles": TILES, "mnist_test_labels": LABELS, **changes}
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def test_sets_are_read_by_name(tmp_path: Path) -> None:
    more = {"temperature_tiles": TILES, "temperature_labels": LABELS, "calibration_labels": LABELS}
    sets = load_tile_sets(write(tmp_path / "t.npz", **more))
    assert list(sets.held_out) == ["mnist_test"]
    assert sets.held_out["mnist_test"].labels.tolist() == [0, 5, 10]
    assert sets.temperature is not None
    assert len(sets.calibration) == 3
    assert len(sets.sha256) == 64


def test_marks_are_read_by_kind_and_need_no_labels(tmp_path: Path) -> None:
    sets = load_tile_sets(write(tmp_path / "t.npz", marks_letters_tiles=TILES, marks_made_half_tiles=TILES[:1]))
    assert {kind: len(tiles) for kind, tiles in sets.marks.items()} == {"letters": 3, "made_half": 1}
    assert list(sets.held_out) == ["mnist_test"]


def test_a_file_without_marks_is_still_read(tmp_path: Path) -> None:
    assert load_tile_sets(write(tmp_path / "t.npz")).marks == {}


def test_temperature_tiles_may_be_missing(tmp_path: Path) -> None:
    assert load_tile_sets(write(tmp_path / "t.npz")).temperature is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"marks_letters_tiles": TILES[:0]}, "'marks_letters_tiles' is .*n > 0"),
        ({"calibration_tiles": None}, "holds no 'calibration_tiles'"),
        ({"calibration_tiles": TILES[:0]}, "n > 0"),
        ({"calibration_tiles": TILES.astype(np.float32)}, "is float32"),
        ({"mnist_test_tiles": TILES[:, :20]}, r"\(3, 20, 28\)"),
        ({"mnist_test_labels": None}, "'mnist_test_labels' is missing"),
        ({"mnist_test_labels": LABELS[:2]}, "wanted 3 integers"),
        ({"mnist_test_labels": LABELS / 2}, "is float"),
        ({"mnist_test_labels": LABELS + 1}, r"holds 1\.\.11"),
    ],
)
def test_wrong_arrays_are_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=message):
        load_tile_sets(write(tmp_path / "t.npz", **changes))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"text"])
def test_a_file_that_is_no_npz_is_named(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(data)
    with pytest.raises(CalibrationError, match=r"t\.npz: no tiles file"):
        load_tile_sets(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"export\.calibration_tiles"):
        load_tile_sets(tmp_path / "nosuch.npz")
