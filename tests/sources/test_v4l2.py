"""What is asked of Linux about cameras: lasting names, users, groups. The nodes are links, the processes are real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_digits.errors import CameraError
from edge_digits.sources import device, v4l2
from edge_digits.sources.address import Address, CameraOptions
from edge_digits.sources.camera import Camera
from edge_digits.sources.v4l2 import Device, device_paths, lasting_name, permission_advice, users_of
from tests.doubles.cameras import QUICK, Opener, ScriptedCapture, at_least, collect, noisy

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="device files are a matter of Linux")


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /dev, with udev's two folders of links."""
    monkeypatch.setattr(v4l2, "DEVICES", tmp_path)
    monkeypatch.setattr(v4l2, "LINKS", (tmp_path / "by-path", tmp_path / "by-id"))
    (tmp_path / "by-path").mkdir()
    (tmp_path / "by-id").mkdir()
    return tmp_path


def test_nodes_are_listed_by_their_numbers(dev: Path) -> None:
    for name in ("video10", "video2", "video0", "videodev", "null"):
        (dev / name).touch()
    assert [path.name for path in device_paths()] == ["video0", "video2", "video10"]


def test_the_socket_names_a_camera_better_than_its_number(dev: Path) -> None:
    (dev / "video0").touch()
    (dev / "video2").touch()
    (dev / "by-id" / "usb-Cam-video-index0").symlink_to("../video0")
    assert lasting_name(dev / "video0") == dev / "by-id" / "usb-Cam-video-index0"
    (dev / "by-path" / "usb-1.2-video-index0").symlink_to("../video0")
    assert lasting_name(dev / "video0") == dev / "by-path" / "usb-1.2-video-index0"
    assert lasting_name(dev / "video2") == dev / "video2"
    assert lasting_name(dev / "video7") == dev / "video7"


def test_a_camera_that_comes_back_under_another_number_is_found(dev: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (dev / "video0").touch()
    link = dev / "by-path" / "usb-1.2-video-index0"
    link.symlink_to("../video0")
    monkeypatch.setattr(device, "device_path", lambda address: dev / "video0")
    asked: list[Address] = []
    opener = Opener(*[ScriptedCapture([noisy(90, i) for i in range(5)]), ScriptedCapture(noisy(90, i) for i in range(9999))])

    def note(address: Address, options: CameraOptions) -> ScriptedCapture:
        asked.append(address)
        return opener(address, options)

    with Camera("0", QUICK, opener=note, report=lambda _: None) as camera:
        collect(camera, lambda _: len(asked) == 2)
        frames = collect(camera, at_least(3))
    assert [address.target for address in asked] == [0, str(link)]
    assert {frame.frame.source for frame in frames} == {"0"}


def test_the_program_that_holds_a_camera_is_named(dev: Path) -> None:
    node = dev / "video0"
    node.touch()
    assert users_of(node) == []
    code = "import sys; held = open(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, str(node)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        (user,) = users_of(node)
        child.communicate("")
    assert user.endswith(f"(process {child.pid})")
    assert user.startswith("python")
    assert users_of(dev / "video9") == []


@pytest.mark.parametrize(
    ("mode", "members", "groups", "advice"),
    [
        (0o660, [], [], "run `sudo usermod -aG video anna` and log in again"),
        (0o660, ["anna"], [], "added to group 'video' after you logged in: log out and in again"),
        (0o600, [], [], "not open to a group; run `sudo chgrp video"),
    ],
)
def test_the_advice_names_the_group_and_what_is_missing(
    mode: int, members: list[str], groups: list[int], advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grp
    import pwd

    node = tmp_path / "video0"
    node.touch()
    node.chmod(mode)
    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_name="video", gr_gid=44, gr_mem=members))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="anna"))
    monkeypatch.setattr(os, "getgroups", lambda: groups)
    assert advice in permission_advice(node)


def test_a_container_without_the_group_is_told_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import grp

    def missing(number: int) -> object:
        raise KeyError(number)

    node = tmp_path / "video0"
    node.touch()
    monkeypatch.setattr(grp, "getgrgid", missing)
    assert permission_advice(node) == f"it belongs to group {node.stat().st_gid}; start the container with --group-add {node.stat().st_gid}"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Device(Path("/dev/null"), "unicam", "unicam", "platform"), "raw camera port of a Raspberry Pi; give `pi:0` instead"),
        (None, "gives no pictures, only data about them; take another"),
    ],
)
def test_nodes_that_give_no_pictures_are_told(found: Device | None, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "query_device", lambda path: found)
    with Camera("/dev/null") as camera, pytest.raises(CameraError, match=message):
        collect(camera)
