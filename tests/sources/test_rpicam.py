"""Raspberry Pi cameras by `rpicam-vid`: a fake executable stands for the program, everything else is real."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import pytest

from edge_digits.errors import CameraError
from edge_digits.sources import pi_camera, rpicam
from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera
from edge_digits.sources.rpicam import PiCamera, list_rpicam
from tests.doubles.cameras import at_least, capture_threads, collect, noisy, open_handles
from tests.doubles.rpicam import make_rpicam

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a program of Linux")

OPTIONS = CameraOptions(640, 480, 25, open_s=10, stall_s=0.8, backoff_s=0.01, reopen_tries=1, warm_up_min_frames=0, warm_up_max_frames=0)
PICTURES = [cv2.imencode(".jpg", noisy(30 + 10 * i, i))[1].tobytes() for i in range(12)]


@pytest.fixture(autouse=True)
def _no_picamera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pi_camera, "import_picamera", lambda: (None, ""))


def put_first(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")


def calls(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "calls").read_text().splitlines()]


def is_alive(process: str) -> bool:
    return Path(f"/proc/{process}").exists()


def test_pictures_of_the_child_arrive_and_the_child_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_first(make_rpicam(tmp_path, PICTURES), monkeypatch)
    told: list[str] = []
    before = open_handles()
    with Camera("pi:1", OPTIONS, report=told.append) as camera:
        frames = collect(camera, at_least(10))
    assert {frame.frame.picture.shape for frame in frames} == {(48, 64, 3)}
    assert len({round(float(frame.frame.picture.mean())) for frame in frames}) > 5
    assert told == ["pi:1: 64x48 MJPG, 25 frames/s (asked for 640x480 MJPG, 25 frames/s)"]
    ((process, *arguments),) = calls(tmp_path)
    given = dict(pairwise(arguments))
    assert given["--camera"] == "1"
    assert (given["--width"], given["--height"], given["--framerate"]) == ("640", "480", "25")
    assert (given["--codec"], given["--output"], given["--timeout"]) == ("mjpeg", "-", "0")
    assert "--nopreview" in arguments
    assert not is_alive(process)
    assert capture_threads() == []
    assert open_handles() == before


@pytest.mark.parametrize("behaviour", ["", "hang"])
def test_a_child_that_ends_or_hangs_is_started_again_and_then_given_up(
    behaviour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_first(make_rpicam(tmp_path, PICTURES, behaviour, most=6), monkeypatch)
    told: list[str] = []
    reason = "delivered nothing" if behaviour else "stopped delivering"
    with Camera("pi", OPTIONS, report=told.append) as camera, pytest.raises(CameraError, match=f"{reason}.* given up"):
        collect(camera)
    assert len(calls(tmp_path)) == 2
    assert [line for line in told if "try 1 of 1" in line]
    assert [process for process, *_ in calls(tmp_path) if is_alive(process)] == []
    assert capture_threads() == []


def test_a_slow_reader_of_the_child_gets_the_newest_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The pipe holds all twelve; only the last is decoded.
    put_first(make_rpicam(tmp_path, PICTURES, "hang", most=12, pause_s=0.0), monkeypatch)
    address = rpicam.Address("pi", "pi", 0)
    program = rpicam.find_rpicam()
    assert program is not None
    capture = rpicam.RpicamCapture(program, address, OPTIONS)
    try:
        last = None
        while (taken := capture.read())[0]:
            last = taken[1]
    finally:
        capture.release()
    assert last is not None
    assert round(float(last.mean()), -1) == 140


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("none", "no Raspberry Pi camera is found; check its ribbon cable"),
        ("busy", "busy; close the program that uses the camera"),
        ("odd", r"rpicam-vid ended \(code 7: something odd\)"),
    ],
)
def test_what_the_child_says_becomes_one_clear_line(behaviour: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_first(make_rpicam(tmp_path, [], behaviour), monkeypatch)
    with Camera("pi", OPTIONS, report=lambda _: None) as camera, pytest.raises(CameraError, match=message) as caught:
        collect(camera)
    assert str(caught.value).startswith("camera pi: ")
    assert "\n" not in str(caught.value)


def test_a_machine_without_the_programs_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Camera("pi") as camera, pytest.raises(CameraError, match=r"neither picamera2 nor rpicam-vid is installed.*apt install"):
        collect(camera)
    assert list_rpicam() == []


def test_the_programs_list_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = """Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
1 : imx219 [3280x2464] (/base/soc/i2c0mux/i2c@1/imx219@10)
"""
    program = tmp_path / "rpicam-hello"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}END\n")
    program.chmod(0o755)
    put_first(tmp_path, monkeypatch)
    assert list_rpicam() == [PiCamera(0, "imx708", 4608, 2592), PiCamera(1, "imx219", 3280, 2464)]
