"""Readings of two processors compared; the emulated run itself is committed as its result."""

from __future__ import annotations

import copy
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import compare_readings, page_readings
from edge_digits.recognition import weights
from tests.picture_files import encode
from tests.strokes import draw_page

PAGE = {
    "text": "42",
    "digits": [{"digit": 4, "confidence": 0.9, "box": [1, 2, 3, 4]}, {"digit": 2, "confidence": 0.8, "box": [9, 2, 3, 4]}],
}
RESULTS = Path(compare_readings.__file__).resolve().parent / "results"


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    """What page_readings.py stores of one page, twice."""
    picture = tmp_path / "page.png"
    picture.write_bytes(encode("PNG", draw_page(["407"], width=300, height=200, digit_px=60)))
    out = tmp_path / "x86_64.json"
    assert page_readings.main([str(out), str(picture), str(picture)]) == 0
    return out


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    words = ["compare_readings.py", *map(str, arguments), "--processor", "cortex-a72", "--emulator", "qemu 7"]
    monkeypatch.setattr(sys, "argv", words)
    return compare_readings.main()


def changed(readings: Path, change: Any) -> Path:
    content = json.loads(readings.read_text())
    change(content)
    other = readings.with_name("arm64.json")
    other.write_text(json.dumps(content))
    return other


def test_the_same_machine_reads_alike(readings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "record" / "readings.json"
    assert run_main(monkeypatch, readings, readings, "--out", out) == 0
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["pictures_sha256"] == [hashlib.sha256((tmp_path / "page.png").read_bytes()).hexdigest()] * 2
    assert record["digits"] == 6
    assert record["differences"] == {"pages": 2, "texts": 0, "digits": 0, "largest_box_px": 0, "largest_confidence": 0.0}
    assert record["networks_sha256"]
    assert record["emulated"]["processor"] == "cortex-a72"
    assert record["reference"]["onnxruntime"]


def test_a_page_read_otherwise_is_the_exit_code(
    readings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["pages"][0]["digits"][1]["digit"] = 8
        content["pages"][0]["text"] = "487"

    assert run_main(monkeypatch, readings, changed(readings, change), "--out", tmp_path / "out.json") == 1
    assert "of 2 pages 1 read otherwise, 1 of 6 digits" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["networks", "pictures_sha256"])
def test_other_work_on_the_other_side_is_told(
    what: str, readings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed(readings, lambda content: content.update({what: ["other"]}))
    assert run_main(monkeypatch, readings, other, "--out", tmp_path / "out.json") == 2
    assert f"different {what}" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_a_missing_side_is_one_line(
    readings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, readings, tmp_path / "none.json", "--out", tmp_path / "out.json") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_differences_are_counted() -> None:
    differences = compare_readings.differences
    other = copy.deepcopy(PAGE)
    assert differences([PAGE], [other]) == {"pages": 1, "texts": 0, "digits": 0, "largest_box_px": 0, "largest_confidence": 0.0}
    other["digits"][0].update(confidence=0.4, box=[1, 2, 3, 9], digit=None)
    other["digits"].pop()
    found = differences([PAGE, PAGE], [PAGE, {**other, "text": "?"}])
    assert found == {"pages": 2, "texts": 1, "digits": 2, "largest_box_px": 5, "largest_confidence": 0.5}
    assert differences([], [])["pages"] == 0


def test_the_committed_record_is_of_the_shipped_networks() -> None:
    record = json.loads((RESULTS / "readings-arm64.json").read_text(encoding="utf-8"))
    manifest = weights.load_manifest()
    shipped = {manifest["models"][manifest["default"]]["int8"]["sha256"], *(e["int8"]["sha256"] for e in manifest["companions"].values())}
    assert set(record["networks_sha256"]) <= shipped
    assert record["differences"]["texts"] == record["differences"]["digits"] == 0
