"""A few seconds of the long run: two real processes, one fault, two exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.faulty_cameras import FAULTS, Player
from tests.doubles.cameras import noisy

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="processes are looked at through /proc")


def test_both_cameras_are_watched_through_a_fault_and_ended(tmp_path: Path) -> None:
    out = tmp_path / "record.json"
    command = [sys.executable, "-m", "deploy.long_run", "--frames", "1", "--rate", "30", "--fair", "1", "--no-exits", "--out", str(out)]
    done = subprocess.run([*command, "--fault", "cut"], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert out.is_file(), done.stderr
    record = json.loads(out.read_text())
    assert record["faults"] == {"cut": 1}
    assert [report["source"] for report in record["watched"]] == ["stream", "pi"]
    for report in record["watched"]:
        assert report["settled"] >= 1
        assert report["settled_wrong"] == []
        assert report["exit"]["exit_code"] == 0
        assert report["exit"]["last_line_whole"]
        assert report["most"]["resident_kb"] > 0
    assert out.with_suffix(".png").stat().st_size > 1000


@pytest.mark.parametrize("state", FAULTS)
def test_each_fault_looks_as_it_is_called(state: str, tmp_path: Path) -> None:
    import cv2

    for sheet, level in (("a", 90), ("dark", 4)):
        for number in range(3):
            cv2.imwrite(str(tmp_path / f"{sheet}-{number}.jpg"), noisy(level, number))
    (tmp_path / "state").write_text(state)
    written: list[bytes] = []
    states = iter([state] * 4 + ["cut"])

    class Ended(Player):
        @property
        def state(self) -> str:
            return next(states)

    Ended(tmp_path, 500).play(written.append)
    known = {path.read_bytes(): path.name for path in tmp_path.glob("*.jpg")}
    names = [known.get(picture, "garbage") for picture in written]
    expected = {
        "stall": [],
        "cut": [],
        "vanish": [],
        "garbage": ["garbage"] * 4,
        "freeze": ["a-0.jpg"] * 4,
        "dark": ["dark-1.jpg", "dark-2.jpg", "dark-0.jpg", "dark-1.jpg"],
    }
    assert names == expected[state]
