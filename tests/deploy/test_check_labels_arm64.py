"""The parts of the label check that need no emulator; the emulated run itself is committed as its result."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy import check_labels_arm64 as check
from deploy import tile_logits
from edge_digits.recognition import weights

TOY = Path(__file__).resolve().parent.parent / "recognition" / "toy"


@pytest.fixture
def tiles_file(tmp_path: Path) -> Path:
    """A tiles file whose held-out sets are the toy's golden tiles, 24 and 20; what else such files hold is blank."""
    with np.load(TOY / "toy.int8.golden.npz") as arrays:
        sets = {"mnist_test": arrays["tiles"][:24], "negatives_holdout": arrays["tiles"][24:]}
    sets |= {name: np.zeros((9, 28, 28), np.uint8) for name in ("calibration", "temperature")}
    labelled = {f"{name}_labels": np.zeros(len(tiles), np.uint8) for name, tiles in sets.items()}
    tiles = {f"{name}_tiles": tiles for name, tiles in (sets | {"marks_letters": np.zeros((9, 28, 28), np.uint8)}).items()}
    np.savez(tmp_path / "tiles.npz", **tiles, **labelled)
    return tmp_path / "tiles.npz"


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["check_labels_arm64.py", *arguments])
    return check.main()


def test_the_same_machine_differs_in_nothing(tiles_file: Path, tmp_path: Path) -> None:
    tiles, by_set = check.choose_tiles(tiles_file, 44, 1)
    assert by_set == {"mnist_test": 24, "negatives_holdout": 20}
    assert tiles.any(axis=(1, 2)).all()
    np.save(tmp_path / "tiles.npy", tiles)
    models = check.shipped_models(TOY)
    first, second = (check.run([sys.executable], tmp_path, list(models.values())) for _ in range(2))
    for path in models.values():
        assert first[path.name].shape == (44, 11)
        assert check.compare(first[path.name], second[path.name]) == {"labels": 0, "largest_logit": 0.0}
    assert json.loads(str(first["facts"]))["onnxruntime"]


def test_differences_are_counted() -> None:
    reference = np.eye(4, 11, dtype=np.float32)
    other = reference.copy()
    other[2, 5] = 3.0
    assert check.compare(reference, other) == {"labels": 1, "largest_logit": 3.0}


def test_a_differing_label_is_the_exit_code(tiles_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out = tiles_file.parent / "record" / "labels.json"
    real = check.run
    monkeypatch.setattr(check, "arm_command", lambda work, onnxruntime: ["emulated"])
    monkeypatch.setattr(check, "version_of", lambda emulator: f"{emulator} 1.0")
    flip = 1

    def pretend(command: list[str], work: Path, models: list[Path]) -> dict[str, Any]:
        found = real([sys.executable], work, models)
        if command == ["emulated"]:
            found["toy.int8.onnx"] = np.roll(found["toy.int8.onnx"], flip, axis=1)
        return found

    monkeypatch.setattr(check, "run", pretend)
    arguments = (
        "--tiles",
        str(tiles_file),
        "--weights",
        str(TOY),
        "--count",
        "40",
        "--work",
        str(tiles_file.parent / "w"),
        "--out",
        str(out),
    )
    assert run_main(monkeypatch, *arguments) == 1
    assert "int8: 40 of 40 labels differ" in capsys.readouterr().out
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["differences"]["arm64 cortex-a72"]["float"] == {"labels": 0, "largest_logit": 0.0}
    flip = 0
    assert run_main(monkeypatch, *arguments) == 0


def test_the_seed_chooses_the_tiles(tiles_file: Path) -> None:
    same, again, other = (check.choose_tiles(tiles_file, 20, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)
    assert sum(check.choose_tiles(tiles_file, 20, 1)[1].values()) == 20


def test_batches_change_nothing(tiles_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "tiles.npy", check.choose_tiles(tiles_file, 44, 1)[0])
    found = []
    for size in (256, 10):
        monkeypatch.setattr(tile_logits, "BATCH", size)
        assert tile_logits.main([str(tmp_path / "tiles.npy"), str(tmp_path / "out.npz"), str(TOY / "toy.float.onnx")]) == 0
        with np.load(tmp_path / "out.npz") as arrays:
            found.append(arrays["toy.float.onnx"])
    assert found[0].shape == (44, 11)
    assert np.allclose(found[0], found[1], atol=1e-5)


@pytest.mark.parametrize("count", ["0", "45"])
def test_more_tiles_than_there_are_is_one_line(
    count: str, tiles_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--tiles", str(tiles_file), "--weights", str(TOY), "--count", count, "--work", str(tiles_file.parent / "w"))
    assert run_main(monkeypatch, *arguments) == 2
    assert f"count is {count}" in capsys.readouterr().err


def test_missing_tools_are_named(tiles_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    arguments = ("--tiles", str(tiles_file), "--weights", str(TOY), "--count", "4", "--work", str(tiles_file.parent / "w"))
    assert run_main(monkeypatch, *arguments) == 2
    assert "debootstrap, qemu-aarch64-static, dpkg-deb not found" in capsys.readouterr().err


def test_an_emulator_that_dies_is_told(tmp_path: Path) -> None:
    with pytest.raises(check.CheckError, match=r"ended with 7 \(boom\)"):
        check.run([sys.executable, "-c", "import sys; print('boom', file=sys.stderr); sys.exit(7)"], tmp_path, [])


def test_the_committed_record_is_of_the_shipped_files() -> None:
    record = json.loads((check.HERE / "results" / "labels-arm64.json").read_text(encoding="utf-8"))
    manifest = weights.load_manifest()
    entry = manifest["models"][manifest["default"]]
    assert {kind: entry[kind]["sha256"] for kind in ("int8", "float")} == {kind: m["sha256"] for kind, m in record["models"].items()}
    assert record["tiles"]["count"] == 10_000
    assert record["tiles"]["sets"]["mnist_test"] >= 4000
    assert record["tiles"]["sets"]["negatives_holdout"] >= 1000
    assert all(found["labels"] == 0 for kinds in record["differences"].values() for found in kinds.values())
