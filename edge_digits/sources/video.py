"""Tells cameras, streams and recordings apart, and opens each with OpenCV; or says in one line why it cannot.

OpenCV answers every failure with the same "not opened". What a person can mend (no such device, no permission, a
folder, an empty file) is therefore looked for here, before and after the attempt.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import cv2

from edge_digits.errors import CameraError, UsageError

Kind = Literal["camera", "stream", "file"]

SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtmp", "udp", "tcp", "rtp")
QUIET: Final = "-8"
"""AV_LOG_QUIET of FFmpeg."""
SILENT: Final = 0
"""LOG_LEVEL_SILENT of OpenCV."""


@dataclass(frozen=True, slots=True)
class CameraOptions:
    """How cameras and streams are opened and watched over.

    width_px, height_px, fps : asked of a camera, which takes the nearest it can; 16..16384, 16..16384, >0..1000.
    open_s : longest wait for a source to open. stall_s : longest wait for a new picture before it is opened again.
    reopen_tries : how often in a row a lost source is opened again. backoff_s : wait before the first try, doubled each time.
    warm_up_min_frames, warm_up_max_frames : pictures dropped while a camera's exposure settles, at least and at most.
    """

    width_px: int = 1280
    height_px: int = 720
    fps: float = 30.0
    open_s: float = 10.0
    stall_s: float = 5.0
    reopen_tries: int = 5
    backoff_s: float = 0.5
    warm_up_min_frames: int = 5
    warm_up_max_frames: int = 60

    def __post_init__(self) -> None:
        if not (16 <= self.width_px <= 16384 and 16 <= self.height_px <= 16384):
            raise UsageError(f"size is {self.width_px}x{self.height_px}; give WIDTHxHEIGHT from 16x16 to 16384x16384")
        if not 0 < self.fps <= 1000:
            raise UsageError(f"fps is {self.fps:g}; give a number above 0, at most 1000")
        if not (self.open_s > 0 and self.stall_s > 0 and self.backoff_s >= 0):
            raise UsageError(f"open_s {self.open_s:g}, stall_s {self.stall_s:g}, backoff_s {self.backoff_s:g}: give seconds above 0")
        if self.reopen_tries < 0:
            raise UsageError(f"reopen_tries is {self.reopen_tries}; give 0 or more")
        if not 0 <= self.warm_up_min_frames <= self.warm_up_max_frames:
            raise UsageError(f"warm-up is {self.warm_up_min_frames}..{self.warm_up_max_frames} frames; give 0 <= minimum <= maximum")


class Capture(Protocol):
    """What is used of cv2.VideoCapture."""

    def read(self) -> tuple[bool, Any]:
        """Whether there was a picture, and the picture: uint8 (h, w, 3) BGR."""

    def get(self, prop: int, /) -> float:
        """A cv2.CAP_PROP_ value."""

    def set(self, prop: int, value: float, /) -> bool:
        """Ask for a cv2.CAP_PROP_ value."""

    def release(self) -> None:
        """Give the source back."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where pictures come from, as the user named it.

    name : for messages and results, without user name and password. kind : "camera" for a device of this machine,
    "stream" for a URL, "file" for a recording. target : index, path or URL as OpenCV takes it.
    """

    name: str
    kind: Kind
    target: int | str


Opener = Callable[[Address, CameraOptions], Capture]
"""Opens an address. Raises CameraError."""


def parse_address(source: str) -> Address:
    """Address of "0" (camera index), "/dev/video0", "http://..." or the path of a video file.

    A file whose name is a bare number is named with its folder: "./0". Raises CameraError for an unknown URL scheme.
    """
    if re.fullmatch(r"[0-9]{1,4}", source):
        return Address(source, "camera", int(source))
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source)
    if scheme:
        name = re.sub(r"//[^/@]*@", "//", source)
        if scheme[1].lower() not in SCHEMES:
            raise CameraError(f"{name}: '{scheme[1]}' is no kind of stream that is read; use {', '.join(SCHEMES)}, or a path")
        return Address(name, "stream", source)
    if source.startswith("/dev/"):
        return Address(source, "camera", source)
    return Address(source, "file", source)


def open_capture(address: Address, options: CameraOptions) -> Capture:
    """Open an address with OpenCV; a camera is asked for MJPG, then size, then rate. Raises CameraError."""
    hush_opencv()
    if address.kind == "camera":
        return _open_camera(address, options)
    return _open_stream(address, options) if address.kind == "stream" else _open_file(address)


def describe(capture: Capture, address: Address, options: CameraOptions) -> str:
    """What the source really delivers, read back from it, in one line."""
    width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    rate = f"{fps:g} frames/s" if 0 < fps <= 1000 else "unknown rate"
    told = f"{address.name}: {width}x{height} {_fourcc(capture.get(cv2.CAP_PROP_FOURCC))}, {rate}"
    asked = (options.width_px, options.height_px)
    if address.kind == "camera" and ((width, height) != asked or abs(fps - options.fps) > 0.5):
        told += f" (asked for {asked[0]}x{asked[1]} MJPG, {options.fps:g} frames/s)"
    return told


def hush_opencv() -> None:
    """Keep the log lines of OpenCV and FFmpeg off stderr, unless the user asked for them in the environment."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", QUIET)
    if os.environ.get("OPENCV_LOG_LEVEL", "SILENT").upper() == "SILENT":
        # OpenCV 5 has it in a module of its own, 4 at the top.
        logging = getattr(cv2.utils, "logging", cv2)
        logging.setLogLevel(SILENT)


def _open_camera(address: Address, options: CameraOptions) -> Capture:
    on_linux = sys.platform.startswith("linux")
    if on_linux:
        _check_device(address)
    # Without an explicit back-end OpenCV may take a GStreamer path that opens and never delivers.
    capture = cv2.VideoCapture(address.target, cv2.CAP_V4L2 if on_linux else cv2.CAP_ANY)
    if not capture.isOpened():
        capture.release()
        raise CameraError(f"camera {address.name}: cannot be opened; close the program that uses it, or try another index")
    # The order matters: with the silent default, raw YUYV, a USB 2 camera refuses the size or the rate.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height_px)
    capture.set(cv2.CAP_PROP_FPS, options.fps)
    return capture


def _check_device(address: Address) -> None:
    path = Path(f"/dev/video{address.target}") if isinstance(address.target, int) else Path(address.target)
    if not path.exists():
        there = ", ".join(sorted(str(p) for p in Path("/dev").glob("video*"))) or "no camera at all"
        raise CameraError(f"camera {address.name}: there is no {path} (found: {there}); plug it in, or give another index, a file or a URL")
    if not stat.S_ISCHR(path.stat().st_mode):
        raise CameraError(f"camera {address.name}: {path} is no camera device; give an index such as 0, a file or a URL")
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraError(f"camera {address.name}: no permission for {path}; run `sudo usermod -aG video $USER` and log in again")


def _open_stream(address: Address, options: CameraOptions) -> Capture:
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(options.open_s * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(options.stall_s * 1000)),
    ]
    capture = cv2.VideoCapture(str(address.target), cv2.CAP_FFMPEG, limits) if _has_ffmpeg() else cv2.VideoCapture(str(address.target))
    if not capture.isOpened():
        capture.release()
        raise CameraError(f"{address.name}: stream cannot be opened; check the address, its user and password, and that its server runs")
    return capture


def _open_file(address: Address) -> Capture:
    path = Path(str(address.target))
    try:
        empty = path.stat().st_size == 0
        folder = path.is_dir()
    except (OSError, ValueError) as error:
        raise CameraError(f"{address.name}: no such file, camera or URL; give a camera index such as 0, a video file or a URL") from error
    if folder:
        raise CameraError(f"{address.name}: is a folder; give a camera index, a video file or a URL (pictures: `edge-digits batch`)")
    if not os.access(path, os.R_OK):
        raise CameraError(f"{address.name}: no permission to read it; change its mode or owner")
    if empty:
        raise CameraError(f"{address.name}: file is empty (0 bytes); give a video file")
    # Named, because without it OpenCV goes on to its picture-sequence reader, which takes digits in a name as a counter.
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG if _has_ffmpeg() else cv2.CAP_ANY)
    if not capture.isOpened():
        capture.release()
        raise CameraError(f"{address.name}: cannot be opened as a video; give an AVI, MP4, MKV or MOV file (pictures: `edge-digits read`)")
    return capture


def _has_ffmpeg() -> bool:
    return bool(cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG))


def _fourcc(code: float) -> str:
    letters = "".join(chr(int(code) >> shift & 0xFF) for shift in (0, 8, 16, 24)) if code > 0 else ""
    return letters if letters.isprintable() and letters.strip() else "unknown format"
