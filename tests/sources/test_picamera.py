"""Raspberry Pi cameras by picamera2; a double stands for the module."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edge_digits.errors import CameraError
from edge_digits.sources import picamera
from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera
from edge_digits.sources.pi_camera import list_pi_cameras
from edge_digits.sources.picamera import import_picamera
from edge_digits.sources.rpicam import PiCamera
from tests.doubles.cameras import QUICK, at_least, collect
from tests.doubles.picamera import make_picamera

RED, BLUE = np.full((48, 72, 3), (20, 30, 200), np.uint8), np.full((48, 72, 3), (200, 30, 20), np.uint8)
CSI = {"Model": "imx708", "Id": "/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a", "Num": 0}
USB = {"Model": "HD Webcam", "Id": "/base/scb/pcie@7d500000/usb@0,0-1:1.0-046d:0825", "Num": 1}


def install(monkeypatch: pytest.MonkeyPatch, fault: str = "", cameras: tuple[dict[str, object], ...] = (CSI, USB)) -> object:
    module = make_picamera(list(cameras), [RED, BLUE], fault)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    return module.Picamera2  # type: ignore[attr-defined]


def test_colours_come_in_the_order_of_opencv_and_padding_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    camera_class = install(monkeypatch)
    told: list[str] = []
    with Camera("pi", QUICK, report=told.append) as camera:
        frames = collect(camera, at_least(4))
    for frame in frames:
        assert frame.frame.picture.shape == (48, 72, 3)
        means = frame.frame.picture.reshape(-1, 3).mean(axis=0)
        nearest = min((RED, BLUE), key=lambda p: np.abs(p[0, 0] - means).max())
        assert np.abs(nearest[0, 0] - means).max() < 8
    assert told == ["pi: 72x48 YU12, 30 frames/s (asked for 1280x720 MJPG, 30 frames/s)"]
    assert camera_class.asked["main"] == {"size": (1280, 720), "format": "YUV420"}  # type: ignore[attr-defined]
    assert camera_class.asked["controls"] == {"FrameDurationLimits": (33333, 33333)}  # type: ignore[attr-defined]
    assert camera_class.events == ["open 0", "start", "stop", "close"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fault", "source", "message"),
    [
        ("busy", "pi", "cannot be opened .*; close the program that uses the camera"),
        ("size", "pi", r"does not start \(Bad stream size\); try another --size"),
        ("late", "pi", "delivered nothing"),
        ("broken", "pi", "failed while reading .*front-end has timed out"),
        ("", "pi:7", "there are 2 Raspberry Pi cameras"),
    ],
)
def test_faults_become_one_clear_line(fault: str, source: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, fault)
    told: list[str] = []
    with Camera(source, QUICK, report=told.append) as camera, pytest.raises(CameraError, match=message):
        collect(camera)


def test_no_camera_on_the_ribbon_cable(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, cameras=())
    with Camera("pi", QUICK) as camera, pytest.raises(CameraError, match="no Raspberry Pi camera is found; check its ribbon cable"):
        collect(camera)


def test_usb_cameras_are_not_listed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    assert list_pi_cameras() == [PiCamera(0, "imx708")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')", "numpy.dtype size changed"),
        ("import a_module_that_is_missing", "a_module_that_is_missing"),
    ],
)
def test_a_picamera2_that_clashes_with_numpy_gives_way(body: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picamera2.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    monkeypatch.setenv("PATH", "")
    library, told = import_picamera()
    assert library is None
    assert reason in told
    with Camera("pi", CameraOptions()) as camera, pytest.raises(CameraError, match=f"{reason}.*rpicam-vid is not installed"):
        collect(camera)


def test_a_machine_without_picamera2_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    assert picamera.import_picamera() == (None, "")
