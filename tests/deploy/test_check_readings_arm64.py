"""The parts of the readings check that need no emulator."""

from __future__ import annotations

import copy
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import check_readings_arm64 as check
from tests.picture_files import encode
from tests.strokes import draw_page

PAGE = {
    "text": "42",
    "digits": [{"digit": 4, "confidence": 0.9, "box": [1, 2, 3, 4]}, {"digit": 2, "confidence": 0.8, "box": [9, 2, 3, 4]}],
}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    path.write_bytes(encode("PNG", draw_page(["407"], width=300, height=200, digit_px=60)))
    return path


@pytest.fixture
def no_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine twice, in place of an emulated one."""
    monkeypatch.setattr(check, "arm_command", lambda work, onnxruntime: ["emulated"])
    monkeypatch.setattr(check, "with_opencv", lambda command, work, version: [sys.executable])
    monkeypatch.setattr(check, "version_of", lambda emulator: f"{emulator} 1.0")


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["check_readings_arm64", *map(str, arguments)])
    return check.main()


@pytest.mark.usefixtures("no_emulator")
def test_the_same_machine_reads_alike(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "record" / "readings.json"
    assert run_main(monkeypatch, picture, picture, "--work", tmp_path / "w", "--out", out) == 0
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["pictures_sha256"] == [hashlib.sha256(picture.read_bytes()).hexdigest()] * 2
    assert record["digits"] == 6
    assert record["differences"] == {"pages": 2, "texts": 0, "digits": 0, "largest_box_px": 0, "largest_confidence": 0.0}
    assert record["networks_sha256"]
    assert record["reference"]["onnxruntime"]


@pytest.mark.usefixtures("no_emulator")
def test_a_page_read_otherwise_is_the_exit_code(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = check.read, []

    def pretend(command: list[str], work: Path, pictures: list[Path]) -> dict[str, Any]:
        found = real(command, work, pictures)
        calls.append(command)
        if len(calls) == 2:
            found["pages"][0]["digits"][1]["digit"] = 8
            found["pages"][0]["text"] = "487"
        return found

    monkeypatch.setattr(check, "read", pretend)
    assert run_main(monkeypatch, picture, "--work", tmp_path / "w", "--out", tmp_path / "out.json") == 1
    assert "of 1 pages 1 read otherwise, 1 of 3 digits" in capsys.readouterr().out


@pytest.mark.usefixtures("no_emulator")
def test_other_networks_on_the_other_side_are_told(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, sides = check.read, iter("ab")
    monkeypatch.setattr(check, "read", lambda *arguments: {**real(*arguments), "networks": [next(sides)]})
    assert run_main(monkeypatch, picture, "--work", tmp_path / "w", "--out", tmp_path / "out.json") == 2
    assert "different networks" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_differences_are_counted() -> None:
    other = copy.deepcopy(PAGE)
    assert check.compare([PAGE], [other]) == {"pages": 1, "texts": 0, "digits": 0, "largest_box_px": 0, "largest_confidence": 0.0}
    other["digits"][0].update(confidence=0.4, box=[1, 2, 3, 9], digit=None)
    other["digits"].pop()
    found = check.compare([PAGE, PAGE], [PAGE, {**other, "text": "?"}])
    assert found == {"pages": 2, "texts": 1, "digits": 2, "largest_box_px": 5, "largest_confidence": 0.5}
    assert check.compare([], [])["pages"] == 0


def test_opencv_and_the_tree_join_the_path(tmp_path: Path) -> None:
    (tmp_path / "site-opencv-5.1" / "cv2").mkdir(parents=True)
    command = check.with_opencv(["qemu", "-E", "PYTHONPATH=site", "python3"], tmp_path, "5.1")
    assert command == ["qemu", "-E", f"PYTHONPATH=site:{tmp_path / 'site-opencv-5.1'}:{check.HERE.parent}", "python3"]
    assert check.installed_opencv()[0].isdigit()


def test_no_such_picture_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(monkeypatch, tmp_path / "none.jpg", "--out", tmp_path / "out.json") == 2
    assert "none.jpg: no such picture" in capsys.readouterr().err


def test_a_picture_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(check.CheckError, match="ended with 1"):
        check.read([sys.executable], tmp_path, [tmp_path / "text.jpg"])
