"""Where moving pictures come from: the source as the user named it, what is asked of it, and what an opened one can do."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from edge_digits.errors import CameraError, UsageError

Kind = Literal["camera", "pi", "stream", "file", "folder"]

SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtmp", "udp", "tcp", "rtp")


@dataclass(frozen=True, slots=True)
class CameraOptions:
    """How cameras and streams are opened and watched over.

    width_px, height_px, fps : asked of a camera, which takes the nearest it can; 16..16384, 16..16384, >0..1000.
    open_s : longest wait for a source to open. stall_s : longest wait for a new picture before it is opened again.
    reopen_tries : how often in a row a lost source is opened again; None never gives up.
    backoff_s : wait before the first try, doubled each time up to max_backoff_s.
    warm_up_min_frames, warm_up_max_frames : pictures dropped while a camera's exposure settles, at least and at most.
    """

    width_px: int = 1280
    height_px: int = 720
    fps: float = 30.0
    open_s: float = 10.0
    stall_s: float = 5.0
    reopen_tries: int | None = 8
    backoff_s: float = 0.5
    max_backoff_s: float = 30.0
    warm_up_min_frames: int = 5
    warm_up_max_frames: int = 60

    def __post_init__(self) -> None:
        if not (16 <= self.width_px <= 16384 and 16 <= self.height_px <= 16384):
            raise UsageError(f"size is {self.width_px}x{self.height_px}; give WIDTHxHEIGHT from 16x16 to 16384x16384")
        if not 0 < self.fps <= 1000:
            raise UsageError(f"fps is {self.fps:g}; give a number above 0, at most 1000")
        if not (self.open_s > 0 and self.stall_s > 0 and 0 <= self.backoff_s <= self.max_backoff_s):
            told = f"open_s {self.open_s:g}, stall_s {self.stall_s:g}, backoff_s {self.backoff_s:g}, max_backoff_s {self.max_backoff_s:g}"
            raise UsageError(f"{told}: give seconds above 0, and no backoff_s above max_backoff_s")
        if self.reopen_tries is not None and self.reopen_tries < 0:
            raise UsageError(f"reopen_tries is {self.reopen_tries}; give 0 or more, or None to try for ever")
        if not 0 <= self.warm_up_min_frames <= self.warm_up_max_frames:
            raise UsageError(f"warm-up is {self.warm_up_min_frames}..{self.warm_up_max_frames} frames; give 0 <= minimum <= maximum")


class Capture(Protocol):
    """What is used of cv2.VideoCapture. One that has `cancel()` ends a read that blocks when it is called from another thread."""

    def read(self) -> tuple[bool, Any]:
        """Whether there was a picture, and the picture: uint8 (h, w) grey or (h, w, 3) BGR."""

    def get(self, prop: int, /) -> float:
        """A cv2.CAP_PROP_ value."""

    def set(self, prop: int, value: float, /) -> bool:
        """Ask for a cv2.CAP_PROP_ value."""

    def release(self) -> None:
        """Give the source back."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where pictures come from, as the user named it.

    name : for messages and results, without user name and password. kind : "camera" for a device that OpenCV opens,
    "pi" for a camera on the ribbon cable of a Raspberry Pi, "stream" for a URL, "file" for a recording, "folder" for
    pictures in the order of their names. target : index, path or URL.
    """

    name: str
    kind: Kind
    target: int | str

    @property
    def is_device(self) -> bool:
        """Whether it is a sensor of this machine, which never gives the same noise twice and has an exposure to wait for."""
        return self.kind in ("camera", "pi")

    @property
    def is_recording(self) -> bool:
        """Whether it is finite by its kind, so that every picture is given."""
        return self.kind in ("file", "folder")


Opener = Callable[[Address, CameraOptions], Capture]
"""Opens an address. Raises CameraError."""


def parse_address(source: str) -> Address:
    """Address of "0" (camera index), "/dev/video0", "pi" or "pi:1" (Raspberry Pi camera), "http://...", a video file or a folder.

    A file or folder whose name is taken by a camera is named with its folder: "./0". Raises CameraError for an unknown
    URL scheme.
    """
    if re.fullmatch(r"[0-9]{1,4}", source):
        return Address(source, "camera", int(source))
    pi = re.fullmatch(r"pi(?::([0-9]{1,2}))?", source)
    if pi:
        return Address(source, "pi", int(pi[1] or 0))
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source)
    if scheme:
        name = re.sub(r"//[^/@]*@", "//", source)
        if scheme[1].lower() not in SCHEMES:
            raise CameraError(f"{name}: '{scheme[1]}' is no kind of stream that is read; use {', '.join(SCHEMES)}, or a path")
        return Address(name, "stream", source)
    if source.startswith("/dev/") or _is_device(source):
        return Address(source, "camera", source)
    return Address(source, "folder" if _is_folder(source) else "file", source)


def _is_device(source: str) -> bool:
    """A link to a device, as udev rules make them, may lie anywhere."""
    try:
        return sys.platform.startswith("linux") and Path(source).is_char_device()
    except (OSError, ValueError):  # a null byte, a name too long
        return False


def _is_folder(source: str) -> bool:
    try:
        return Path(source).is_dir()
    except (OSError, ValueError):
        return False
