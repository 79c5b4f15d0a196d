"""The report on adapting: hands, rows, curves, costs, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from calibration import adapting_report
from calibration.adapting_report import main
from calibration.hands import TOOLS, slanted
from edge_digits.personal.reserve import Reserve, load_reserve
from tests.personal.writers import mirrored, write_samples


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiles file whose held-out sets are parts of the reserve."""
    reserve = load_reserve()
    path = tmp_path_factory.mktemp("tiles") / "tiles.npz"
    few, labels = reserve.tiles[:60], reserve.labels[:60].astype(np.int64)
    sets = {f"{name}_{part}": value for name in ("mnist_test", "semeion") for part, value in (("tiles", few), ("labels", labels))}
    np.savez(path, calibration_tiles=few[:10], **sets)
    return path


def test_a_report(tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapting_report, "COUNTS", (1, None))
    reserve = load_reserve()
    monkeypatch.setattr(adapting_report, "load_reserve", lambda: Reserve(reserve.tiles[:100], reserve.labels[:100]))
    monkeypatch.setattr("calibration.hands.SLANTS", ())
    monkeypatch.setattr("calibration.hands.TOOLS", {"broad marker": TOOLS["broad marker"]})
    monkeypatch.setattr("calibration.hands.find_hands.__defaults__", (("semeion",),))
    write_samples(tmp_path / "writers" / "otto", 3, {2: mirrored, 7: mirrored})
    out = tmp_path / "results" / "adapting.json"
    assert main(["--personal", str(tmp_path / "writers"), "--tiles", str(tiles), "--out", str(out), "--draws", "1"]) == 0
    record = json.loads(out.read_text(encoding="utf-8"))
    assert [(row["hand"], row["samples_a_digit"]) for row in record["rows"] if row["kind"] == "writer"] == [("otto", 1), ("otto", "all")]
    learned = record["rows"][1]
    assert learned["own_errors_after"] <= learned["own_errors_before"] > 0
    assert {row["kind"] for row in record["rows"]} == {"writer", "changed", "set"}
    assert [row["hand"] for row in record["rows"] if row["kind"] == "changed"][-1] == "otto, broad marker"
    assert record["goal"]["writer"]["own_errors_after"] <= record["goal"]["writer"]["own_errors_before"]
    cut = learned["own_errors_before"] - learned["own_errors_after"]
    assert learned["errors_cut_a_trial_mean"] * learned["trials"] == pytest.approx(cut, abs=0.1)
    assert record["curves"][0]["errors_after_corrections"].keys() == {"0"}
    (cost,) = record["cost"]
    assert cost["processor_seconds"] > 0
    assert cost["peak_memory_mb"] > 20
    assert "| otto | 1 |" in capsys.readouterr().out


def test_a_folder_without_writers_is_said_so(tiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--personal", str(tmp_path), "--tiles", str(tiles), "--out", str(tmp_path / "x.json")]) == 2
    assert "no writer's folder" in capsys.readouterr().err


def test_a_slanted_glyph_keeps_its_ink_and_leans_right() -> None:
    glyph = np.zeros((60, 20), np.uint8)
    glyph[5:55, 8:12] = 255
    leaning = slanted(glyph, 0.8)
    assert leaning.sum() == pytest.approx(glyph.sum(), rel=0.05)
    top, bottom = (np.flatnonzero(leaning[row]).mean() for row in (10, 50))
    assert top - bottom == pytest.approx(32, abs=2)
