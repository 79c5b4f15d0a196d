"""The shipped reserve, and the command that makes it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from calibration.reserve import LARGEST_BYTES, choose, main
from edge_digits.errors import ModelDamagedError, ModelNotFoundError
from edge_digits.personal.reserve import RESERVE_NAME, load_reserve
from edge_digits.recognition.weights import WEIGHTS_FOLDER
from tests.strokes import draw_digit


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A data folder with a training set of drawn digits in MNIST's form, three of each."""
    pictures = np.zeros((30, 28, 28), np.uint8)
    for index, picture in enumerate(pictures):
        glyph = draw_digit(index % 10, 24, 3)
        picture[1 : 1 + glyph.shape[0], 4 : 4 + glyph.shape[1]] = glyph
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, array in (("images-idx3", pictures), ("labels-idx1", np.arange(30, dtype=np.uint8) % 10)):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / f"train-{name}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    return tmp_path


def test_it_holds_the_same_number_of_each_digit_in_turn(mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "reserve.npz"
    assert main(["--data", str(mnist), "--out", str(out), "--per-digit", "2"]) == 0
    reserve = load_reserve(out)
    assert list(reserve.labels) == [*range(10)] * 2
    assert (reserve.tiles.reshape(20, -1).max(axis=1) == 255).all()
    assert "20 tiles" in capsys.readouterr().out


def test_the_same_seed_draws_the_same() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    labels = (np.arange(50) % 10).astype(np.uint8)
    draws = [choose(pictures, labels, 2, seed)[0] for seed in (1, 1, 2)]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()


@pytest.mark.parametrize("damage", [None, b"", b"no gzip", gzip.compress(b"no idx")])
def test_missing_and_damaged_data_is_one_line(mnist: Path, damage: bytes | None, capsys: pytest.CaptureFixture[str]) -> None:
    path = mnist / "mnist" / "train-images-idx3-ubyte.gz"
    path.unlink() if damage is None else path.write_bytes(damage)
    assert main(["--data", str(mnist), "--out", str(mnist / "reserve.npz")]) == 1
    assert str(path) in capsys.readouterr().err
    assert not (mnist / "reserve.npz").exists()


def test_the_shipped_reserve_is_sound_and_small() -> None:
    reserve = load_reserve()
    assert len(set(np.bincount(reserve.labels, minlength=10))) == 1
    assert len(reserve) >= 500
    assert (WEIGHTS_FOLDER / RESERVE_NAME).stat().st_size <= LARGEST_BYTES


def test_the_shipped_reserve_is_what_the_command_makes(shared: Path, tmp_path: Path) -> None:
    assert main(["--data", str(shared / "data"), "--out", str(tmp_path / "reserve.npz")]) == 0
    made, shipped = load_reserve(tmp_path / "reserve.npz"), load_reserve()
    assert (made.labels == shipped.labels).all()
    # The tile rule resamples, and OpenCV 4 and 5 may round differently.
    assert np.abs(made.tiles.astype(int) - shipped.tiles).max() <= 1


def test_a_missing_or_damaged_reserve_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        load_reserve(tmp_path / "none.npz")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelDamagedError):
        load_reserve(tmp_path / "cut.npz")
    np.savez(tmp_path / "odd.npz", tiles=np.zeros((3, 28, 28), np.uint8), labels=np.array([0, 1, 10], np.uint8))
    with pytest.raises(ModelDamagedError, match="labels"):
        load_reserve(tmp_path / "odd.npz")
