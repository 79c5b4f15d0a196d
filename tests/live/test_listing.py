"""`edge-digits watch --list`; doubles stand for the system's list and for the cameras."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from edge_digits.errors import CameraError, ExitCode
from edge_digits.live import listing
from edge_digits.live.listing import Candidate, find_candidates, list_cameras
from edge_digits.sources.address import Address, CameraOptions
from edge_digits.sources.rpicam import PiCamera
from edge_digits.sources.v4l2 import Device
from tests.command_line import Run
from tests.doubles.cameras import ScriptedCapture, noisy

WEBCAM = Candidate("0", "HD Webcam, /dev/video0, usb-1 (uvcvideo)", (("MJPG", (1920, 1080)), ("YUYV", (640, 480)), ("GREY", (0, 0))))
BUSY = Candidate("2", "Old Webcam, /dev/video2, usb-2 (uvcvideo)")
LOCKED = Candidate("4", "/dev/video4", error="no permission for /dev/video4; run `sudo usermod -aG video anna` and log in again")


def opener(address: Address, options: CameraOptions) -> ScriptedCapture:
    if address.target != 0:
        raise CameraError(f"camera {address.name}: busy, /dev/video2 is used by cheese (process 77); close it")
    return ScriptedCapture((noisy(120, i) for i in count()), pause_s=0.02)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "TRIAL_S", 0.3)
    monkeypatch.setattr(listing, "_lists_cameras", lambda: True)


@pytest.mark.usefixtures("_quick")
def test_each_camera_is_shown_with_what_it_really_delivers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(listing, "find_candidates", lambda: [WEBCAM, BUSY, LOCKED])
    assert list_cameras(CameraOptions(), as_json=False, opener=opener) == ExitCode.OK
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "0      HD Webcam, /dev/video0, usb-1 (uvcvideo)"
    assert "delivers 64x48 unknown format, 30 frames/s (asked for 1280x720 MJPG, 30 frames/s); " in lines[1]
    assert "frames/s counted, brightness 120 of 255" in lines[1]
    assert lines[2] == "       offers MJPG up to 1920x1080, YUYV up to 640x480, GREY"
    assert lines[4] == "       cannot be used: busy, /dev/video2 is used by cheese (process 77); close it"
    assert "usermod -aG video anna" in lines[6]
    assert err == ""


@pytest.mark.usefixtures("_quick")
def test_the_same_as_json_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(listing, "find_candidates", lambda: [WEBCAM, BUSY])
    assert list_cameras(CameraOptions(), as_json=True, opener=opener) == ExitCode.OK
    webcam, busy = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (webcam["source"], webcam["offers"][0]) == ("0", {"format": "MJPG", "largest": [1920, 1080]})
    assert (webcam["delivers"]["width"], webcam["delivers"]["height"]) == (64, 48)
    assert webcam["delivers"]["frames_per_s"] > 0
    assert busy["error"].startswith("busy")
    assert "delivers" not in busy


@pytest.mark.usefixtures("_quick")
def test_cameras_of_which_none_can_be_used_exit_with_4(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(listing, "find_candidates", lambda: [BUSY])
    assert list_cameras(CameraOptions(), as_json=False, opener=opener) == ExitCode.CAMERA
    assert "cannot be used" in capsys.readouterr().out


def test_a_machine_without_a_camera(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr(listing, "find_candidates", list)
    outcome = run("watch", "--list")
    assert (outcome.code, outcome.out) == (ExitCode.CAMERA, "")
    assert outcome.err == "edge-digits: no camera found; plug one in, or give a video file, a folder of frames or a URL\n"


def test_where_the_system_lists_nothing_numbers_are_tried_until_one_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(listing, "TRIAL_S", 0.2)
    monkeypatch.setattr(listing, "_lists_cameras", lambda: False)
    assert list_cameras(CameraOptions(), as_json=False, opener=opener) == ExitCode.OK
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")] == ["0"]


@pytest.mark.usefixtures("_quick")
def test_nodes_without_pictures_are_left_out_and_pi_cameras_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    def query(path: Path) -> Device | None:
        if path.name == "video3":
            raise PermissionError
        if path.name == "video5":
            raise OSError(19, "No such device")
        kinds = {"video0": "uvcvideo", "video1": "", "video2": "unicam"}
        return Device(path, kinds[path.name], "Cam", "usb-1") if kinds[path.name] else None

    monkeypatch.setattr(listing, "device_paths", lambda: [Path(f"/dev/video{i}") for i in (0, 1, 2, 3, 5)])
    monkeypatch.setattr(listing, "query_device", query)
    monkeypatch.setattr(listing, "permission_advice", lambda path: "run `sudo usermod -aG video anna`")
    monkeypatch.setattr(listing, "list_pi_cameras", lambda: [PiCamera(0, "imx708", 4608, 2592)])
    found = find_candidates()
    assert [candidate.source for candidate in found] == ["0", "3", "5", "pi:0"]
    assert found[0].words == "Cam, /dev/video0, usb-1 (uvcvideo)"
    assert "usermod -aG video anna" in found[1].error
    assert "No such device" in found[2].error
    assert found[3].words == "imx708 on the ribbon cable, sensor 4608x2592"
