"""Which cameras the system shows, and whether this user may open them. None is opened: another program may be using it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_digits.bench.children import ChildDiedError, run_child
from edge_digits.doctor.finding import Finding
from edge_digits.sources.v4l2 import PI_DRIVERS, permission_advice

DEVICES: Final = Path(os.sep, "dev")
SYSTEM: Final = Path(os.sep, "sys")

RPICAM: Final = ("rpicam-hello", "libcamera-hello")
"""Programs that list CSI cameras; the second is the name that they had until 2023. Not taken from sources.rpicam, which imports OpenCV:
that may be what is broken."""

RPICAM_LIMIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class VideoNode:
    """A video device. readable : by this user."""

    path: Path
    name: str
    readable: bool


def look_at_cameras(board: str | None) -> Iterator[Finding]:
    """USB cameras and their permissions; on a Raspberry Pi also CSI cameras. board : its name, None on other machines."""
    nodes = video_nodes()
    yield _usb(nodes)
    if board is not None and "Raspberry Pi" in board:
        yield _csi(next((path for name in RPICAM if (path := shutil.which(name))), None))
        if importlib.util.find_spec("picamera2") is not None:
            yield _picamera2()


def video_nodes(devices: Path = DEVICES, system: Path = SYSTEM) -> list[VideoNode]:
    """Every V4L2 node that may be a camera, in the order of their numbers."""
    found = []
    for path in sorted(devices.glob("video[0-9]*"), key=lambda path: int(path.name.removeprefix("video"))):
        name = _name(system / "class/video4linux" / path.name / "name")
        if not name.startswith(PI_DRIVERS):
            found.append(VideoNode(path, name, os.access(path, os.R_OK | os.W_OK)))
    return found


def _usb(nodes: list[VideoNode]) -> Finding:
    if not nodes:
        return Finding("cameras", "ok", "no USB camera found")
    found = ", ".join(f"{node.path} {node.name}" for node in nodes)
    closed = [node for node in nodes if not node.readable]
    if not closed:
        return Finding("cameras", "ok", found)
    return Finding("cameras", "warn", f"{found}: no permission", permission_advice(closed[0].path))


def _csi(program: str | None) -> Finding:
    if program is None:
        return Finding("csi cameras", "warn", "cannot be listed", "sudo apt install rpicam-apps")
    try:
        done = subprocess.run([program, "--list-cameras"], capture_output=True, text=True, timeout=RPICAM_LIMIT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(
            "csi cameras", "warn", f"{Path(program).name} gave no answer ({type(error).__name__})", "check the ribbon cable, restart"
        )
    listed = [line.strip() for line in done.stdout.splitlines() if line[:1].isdigit()]
    if not listed:
        return Finding("csi cameras", "ok", "none found; check the ribbon cable if there should be one")
    return Finding("csi cameras", "ok", "; ".join(listed))


def _picamera2() -> Finding:
    """On Bookworm its simplejpeg is built for numpy 1 and dies with numpy 2 (picamera2 issue 1170)."""
    try:
        run_child("import picamera2")
    except ChildDiedError as error:
        advice = "leave it: `edge-digits watch` then takes the camera through rpicam-vid; or hold numpy below 2"
        return Finding("picamera2", "warn", f"cannot be imported: {error.reason}", advice)
    return Finding("picamera2", "ok", "can be imported")


def _name(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
