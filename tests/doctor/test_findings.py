"""What `doctor` says of libraries, the processor, heat, cameras and the settings file."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_digits.bench.children import ChildDiedError
from edge_digits.doctor import cameras, libraries, processor, settings, speed
from edge_digits.doctor.finding import verdict
from edge_digits.errors import ExitCode

NOT_ADDED = ("cpu", "headless", "gpu", "workshop", "dev")
DISTRIBUTIONS = {"yaml": "pyyaml", "paho": "paho_mqtt"}
"""Modules whose distribution has another name."""
"""Extras that exclude each other, and those for work on the repository itself."""

PYPROJECT = Path(__file__).resolve().parent.parent.parent / "pyproject.toml"


@pytest.mark.parametrize(
    ("reason", "advice"),
    [("ImportError: libGL.so.1: cannot open shared object file", "headless"), ("ModuleNotFoundError: No module named 'cv2'", "cpu")],
)
def test_opencv_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch, reason: str, advice: str) -> None:
    def failing(code: str, *arguments: Any) -> Any:
        raise ChildDiedError(reason)

    monkeypatch.setattr(libraries, "run_child", failing)
    finding = libraries._opencv()
    assert finding.status == "fail"
    assert f"edge-digits[{advice}]" in finding.advice


def test_two_wheels_of_one_library_are_a_broken_installation() -> None:
    opencv = libraries._clash("opencv", libraries.OPENCV, {"opencv-python": "4.10", "opencv-python-headless": "5.0"})
    runtime = libraries._clash("onnxruntime", libraries.RUNTIMES, {"onnxruntime": "1.31", "onnxruntime-gpu": "1.31"})
    assert opencv is not None
    assert runtime is not None
    assert "pip uninstall opencv-python opencv-python-headless" in opencv.advice
    assert "only the CPU provider" in runtime.found
    assert verdict([opencv]) is verdict([runtime]) is ExitCode.USAGE
    assert libraries._clash("opencv", libraries.OPENCV, {"opencv-python": "4.10"}) is None
    assert libraries._clash("opencv", libraries.OPENCV, {}) is None


def test_thirty_two_bits_need_another_system() -> None:
    assert processor.look_at_python(64, "aarch64").status == "ok"
    finding = processor.look_at_python(32, "armv7l")
    assert finding.status == "fail"
    assert "64-bit" in finding.advice


def test_int8_that_is_slower_is_a_warning() -> None:
    assert speed.look_at_speed({"int8": 20.0, "float": 10.0}).status == "warn"
    assert speed.look_at_speed({"int8": 10.0, "float": 20.0}).status == "ok"
    assert speed.look_at_speed({"float": 20.0}).status == "ok"


def test_opencv_without_the_ways_to_a_camera_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    built: dict[str, Any] = {"version": "4.6.0", "gui": "GTK3", "cameras": ["GSTREAMER"], "streams": ["FFMPEG"]}
    monkeypatch.setattr(libraries, "run_child", lambda code: (built, 1.0))
    monkeypatch.setattr(libraries.sys, "platform", "linux")
    assert (libraries._opencv().status, "no V4L2" in libraries._opencv().advice) == ("warn", True)
    built["cameras"] = ["V4L2"]
    assert libraries._opencv().status == "ok"
    assert "windows by GTK3" in libraries._opencv().found
    built["streams"] = []
    assert "no FFmpeg" in libraries._opencv().advice


def test_missing_extras_name_their_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries.importlib.util, "find_spec", lambda name: None if name == "xlsxwriter" else object())
    finding = libraries.look_at_extras()
    assert finding.status == "ok"
    assert finding.found.endswith("not installed: xlsx")
    assert finding.advice == 'when needed: pip install "edge-digits[xlsx]"'


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_extras_are_those_that_can_be_installed() -> None:
    import tomllib

    if not PYPROJECT.is_file():
        pytest.skip("no pyproject.toml beside these tests")
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    added = {name: requirements for name, requirements in extras.items() if name not in NOT_ADDED}
    assert set(libraries.EXTRAS) == set(added)
    for extra, requirements in added.items():
        names = {re.split(r"[<>=!~\[; ]", requirement)[0].replace("-", "_") for requirement in requirements}
        assert {DISTRIBUTIONS.get(module, module) for module in libraries.EXTRAS[extra]} <= names


def cpu(features: list[str]) -> str:
    facts = {"board": None, "cpu": "A CPU", "architecture": "aarch64", "cores": 4, "cores_usable": 3, "features": features}
    return processor.look_at_cpu(facts).found


def test_the_cpu_is_told_with_what_multiplies_int8() -> None:
    assert cpu(["asimddp", "asimd"]) == "A CPU, 3 of 4 cores; int8 by asimddp; asimd"
    assert cpu(["asimd"]) == "A CPU, 3 of 4 cores; no int8 dot product (see speed); asimd"
    assert cpu([]).endswith("instruction sets unknown")


def test_a_32_bit_user_land_on_a_64_bit_kernel_is_named() -> None:
    finding = processor.look_at_python(32, "aarch64")
    assert "32-bit user land on a 64-bit kernel" in finding.advice
    assert verdict([finding]) is ExitCode.USAGE


@pytest.mark.parametrize(
    ("facts", "status", "advice"),
    [
        ({}, "ok", ""),
        ({"temperature_c": {"cpu-thermal": 51.0}, "throttled": []}, "ok", ""),
        ({"temperature_c": {"cpu-thermal": 85.0}}, "warn", "heat sink"),
        ({"throttled": ["throttled since the start"]}, "warn", "heat sink"),
        ({"throttled": ["under-voltage now", "throttled now"]}, "warn", "supply is too weak"),
    ],
)
def test_heat_and_a_weak_supply(facts: dict[str, Any], status: str, advice: str) -> None:
    known = {"temperature_c": {}, "clock_mhz": None, "governor": None, "on_battery": None, "throttled": None}
    finding = processor.look_at_power(known | facts)
    assert finding.status == status
    assert advice in finding.advice


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Path, Path]:
    """Folders like /dev and /sys with a camera and a codec of a Raspberry Pi."""
    devices, system = tmp_path / "dev", tmp_path / "sys"
    devices.mkdir()
    for number, name in ((10, "bcm2835-codec-decode"), (2, "USB Camera"), (0, "Webcam")):
        (devices / f"video{number}").touch()
        (system / f"class/video4linux/video{number}").mkdir(parents=True)
        (system / f"class/video4linux/video{number}/name").write_text(f"{name}\n")
    return devices, system


def test_cameras_are_told_in_order_and_codecs_left_out(nodes: tuple[Path, Path]) -> None:
    found = cameras.video_nodes(*nodes)
    assert [(node.path.name, node.name, node.readable) for node in found] == [("video0", "Webcam", True), ("video2", "USB Camera", True)]
    assert cameras._usb(found).status == "ok"
    assert cameras._usb([]).found == "no USB camera found"


def test_a_camera_that_may_not_be_opened_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "permission_advice", lambda path: f"run `sudo usermod -aG video anna` for {path}")
    finding = cameras._usb([cameras.VideoNode(Path("video0"), "Webcam", False)])
    assert finding.status == "warn"
    assert "no permission" in finding.found
    assert finding.advice == "run `sudo usermod -aG video anna` for video0"


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_csi_cameras_are_what_the_program_lists(tmp_path: Path) -> None:
    listing = "echo Available cameras; echo -----------------; echo '0 : imx708 [4608x2592 10-bit RGGB] (/base/soc)'; echo '    Modes: x'"
    assert cameras._csi(script(tmp_path / "one", listing)).found == "0 : imx708 [4608x2592 10-bit RGGB] (/base/soc)"
    assert "none found" in cameras._csi(script(tmp_path / "none", "echo No cameras available!")).found
    assert "apt install rpicam-apps" in cameras._csi(None).advice
    assert "gave no answer" in cameras._csi(str(tmp_path / "gone")).found


def test_a_pi_is_asked_for_more_than_usb(monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(code: str) -> Any:
        raise ChildDiedError("ValueError: numpy.dtype size changed")

    monkeypatch.setattr(cameras, "run_child", dying)
    monkeypatch.setattr(cameras.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(cameras.shutil, "which", lambda name: None)
    found = {finding.check: finding for finding in cameras.look_at_cameras("Raspberry Pi 5 Model B Rev 1.0")}
    assert set(found) == {"cameras", "csi cameras", "picamera2"}
    assert "rpicam-vid" in found["picamera2"].advice
    assert [finding.check for finding in cameras.look_at_cameras(None)] == ["cameras"]


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("", "ok", "empty"),
        ("threads = 2\n[read]\nformat = 'json'\n", "ok", "threads, read"),
        ("[read]\nformat = 'xml'\n", "fail", "choose one of text, json, csv"),
        ("[reed]\nformat = 'json'\n", "fail", "did you mean 'read'?"),
        ("thread = 2\n", "fail", "did you mean 'threads'?"),
        ("[", "fail", "is no TOML"),
    ],
)
def test_the_settings_file_is_tried_with_its_commands(text: str, status: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "edge-digits.toml"
    path.write_text(text)
    finding = settings.look_at_settings(path)
    assert finding.status == status
    assert said in finding.found


def test_no_settings_file_is_sound() -> None:
    assert settings.look_at_settings(None).status == "ok"
    assert settings.look_at_settings(Path(os.devnull)).found == f"{os.devnull}: empty"
