"""The file of inputs that companions are calibrated and judged on: what is read of it, and what is no such file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration.companions.sets import load_companion_sets
from calibration.errors import CalibrationError
from tests.calibration import toy_companions


@pytest.fixture(scope="session")
def sets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound file of each kind; not to be changed."""
    folder = tmp_path_factory.mktemp("sets")
    for kind in toy_companions.MODELS:
        toy_companions.write_sets(kind, folder / f"{kind}.npz")
    return folder


def test_strips_keep_their_labels_when_they_are_grouped(sets_folder: Path) -> None:
    with np.load(sets_folder / "strings.npz") as arrays:
        widths, table, pixels = arrays["held_out_widths"], arrays["held_out_labels"], arrays["held_out_pixels"]
    sets = load_companion_sets(sets_folder / "strings.npz")
    assert [group.shape[-1] for group in sets.held_out.groups] == sorted(set(widths.tolist()))
    assert len(sets.held_out) == len(widths) == 400
    wanted = set()
    start = 0
    for width, row in zip(widths, table, strict=True):
        end = start + 32 * int(width)
        wanted.add((pixels[start:end].tobytes(), tuple(int(label) for label in row[row != 255])))
        start = end
    strips = [strip for group in sets.held_out.groups for strip in group]
    assert {(strip.tobytes(), labels) for strip, labels in zip(strips, sets.held_out.labels, strict=True)} == wanted


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("context", {"kind": np.array("tiles")}, "kind 'tiles'"),
        ("context", {"held_out_inputs": None}, "held_out_inputs"),
        ("context", {"held_out_labels": np.zeros(3, np.uint8)}, "wanted uint8"),
        ("context", {"calibration_labels": np.full(120, 11, np.uint8)}, "labels out of"),
        ("context", {"calibration_inputs": np.zeros((120, 2, 48, 64), np.float32)}, "float32"),
        ("context", {f"held_out_{name}": np.zeros((0, *shape), np.uint8) for name, shape in
                     (("inputs", (2, 48, 64)), ("log_probabilities", (11,)), ("labels", ()))}, "n > 0"),
        ("strings", {"calibration_widths": None}, "calibration_widths"),
        ("strings", {"held_out_pixels": np.zeros(5, np.uint8)}, "do not belong together"),
        ("strings", {"held_out_widths": np.zeros(0, np.int32)}, "do not belong together"),
        ("strings", {"held_out_widths": np.array([24, 8], np.int32), "held_out_pixels": np.zeros(1024, np.uint8),
                     "held_out_labels": np.full((2, 8), 255, np.uint8)}, "multiples of 16"),
        ("strings", {"held_out_labels": np.full((400, 8), 77, np.uint8)}, "labels out of"),
        ("finder", {"held_out_strokes": None}, "held_out_strokes"),
        ("finder", {"held_out_strokes": np.zeros((400, 32, 32), np.uint8)}, "wanted uint8"),
        ("finder", {"calibration_inputs": np.zeros((0, 1, 32, 48), np.uint8),
                    "calibration_strokes": np.zeros((0, 32, 48), np.uint8)}, "n > 0"),
        ("finder", {"calibration_inputs": np.zeros((9, 1, 30, 48), np.uint8),
                    "calibration_strokes": np.zeros((9, 30, 48), np.uint8)}, "multiples of 16"),
    ],
)  # fmt: skip
def test_sets_that_are_none_are_told(kind: str, changes: dict[str, Any], message: str, sets_folder: Path, tmp_path: Path) -> None:
    with np.load(sets_folder / f"{kind}.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez(tmp_path / "bad.npz", **{name: array for name, array in {**arrays, **changes}.items() if array is not None})
    with pytest.raises(CalibrationError, match=message):
        load_companion_sets(tmp_path / "bad.npz")


@pytest.mark.parametrize("data", [b"", b"no npz", b"PK\x03\x04"])
def test_files_that_are_no_sets(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "sets.npz").write_bytes(data)
    with pytest.raises(CalibrationError, match="no sets file"):
        load_companion_sets(tmp_path / "sets.npz")
    with pytest.raises(CalibrationError, match="no sets file"):
        load_companion_sets(tmp_path / "nowhere.npz")
