"""A Raspberry Pi camera through `rpicam-vid`, run as a child process that writes JPEG pictures one after the other.

OpenCV gets nothing out of libcamera. In a process of its own the camera also stays clear of the numpy that this one uses.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import subprocess
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import cv2
import numpy as np

from edge_digits.errors import CameraError
from edge_digits.sources.address import Address, CameraOptions
from edge_digits.sources.jpeg_stream import JpegSplitter

PROGRAMS: Final = ("rpicam-vid", "libcamera-vid")
"""Today's name, and that of Raspberry Pi OS before 2024."""
LISTERS: Final = ("rpicam-hello", "libcamera-hello")
LIST_S: Final = 10.0
READ_S: Final = 1.0
"""Longest wait within one read; whether the camera has stalled is judged over longer times elsewhere."""
CHUNK_BYTES: Final = 1 << 18
PIPE_BYTES: Final = 1 << 20
"""Asked of the kernel for the pipe, so that a picture goes through it in few pieces; 1 MiB is what a user may ask for."""
END_S: Final = 0.3
"""Time that the child has to end by itself, before it is killed."""
LISTED: Final = re.compile(r"^\s*(\d+) : (\S+) \[(\d+)x(\d+)[^\]]*\](?: \((.*)\))?", re.MULTILINE)

REASONS: Final = (
    (
        r"no cameras available",
        "no Raspberry Pi camera is found; check its ribbon cable with the power off",
    ),
    (r"in use by another process|resource busy|failed to acquire", "busy; close the program that uses the camera"),
    (r"permission denied|eacces", "no permission; run `sudo usermod -aG video $USER` and log in again"),
    (r"camera index|selected camera", "there is no such camera; `edge-digits watch --list` shows those there are"),
)
"""What the program says when it gives up, and what to do."""


@dataclass(frozen=True, slots=True)
class PiCamera:
    """One camera on the ribbon cable. index : as `pi:INDEX` takes it. width_px, height_px : of the whole sensor."""

    index: int
    model: str
    width_px: int = 0
    height_px: int = 0


class RpicamCapture:
    """The newest picture of a running `rpicam-vid`. read, get and release belong to one thread; cancel may be called from any."""

    def __init__(self, program: str, address: Address, options: CameraOptions) -> None:
        """Start the child and wait for its first picture. Raises CameraError with the child's own reason."""
        self._name, self._program = address.name, program
        self._splitter = JpegSplitter()
        self._words: deque[str] = deque(maxlen=20)
        self._first: Any = None
        self._size = (0, 0)
        self._fps = options.fps
        self._child = _start(program, address, options)
        self._selector = selectors.DefaultSelector()
        for pipe in (self._child.stdout, self._child.stderr):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ)
        try:
            self._await_first(options.open_s)
        except BaseException:
            self.release()
            raise

    def read(self) -> tuple[bool, Any]:
        """The newest whole picture, uint8 (h, w, 3) BGR; older ones that have queued up are not even decoded."""
        if self._first is not None:
            picture, self._first = self._first, None
            return True, picture
        until = monotonic() + READ_S
        while monotonic() < until and self._selector.get_map():
            pictures = self._fetch(until - monotonic())
            if pictures:
                picture = cv2.imdecode(np.frombuffer(pictures[-1], np.uint8), cv2.IMREAD_COLOR)
                return picture is not None, picture
        return False, None

    def get(self, prop: int, /) -> float:
        """Size of the pictures that came; the rate is the one asked for, since the program does not tell."""
        known = {
            cv2.CAP_PROP_FRAME_WIDTH: float(self._size[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self._size[1]),
            cv2.CAP_PROP_FPS: self._fps,
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"MJPG")),
        }
        return known.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        """All is asked for at the start."""
        del prop, value
        return False

    def cancel(self) -> None:
        """End the child, and with it a read that waits."""
        self._child.terminate()

    def release(self) -> None:
        """End the child and close its pipes."""
        self._child.terminate()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._selector.close()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()

    def _await_first(self, open_s: float) -> None:
        until = monotonic() + open_s
        while monotonic() < until:
            good, picture = self.read()
            if good:
                self._first = picture
                self._size = (picture.shape[1], picture.shape[0])
                return
            if not self._selector.get_map():
                raise CameraError(f"camera {self._name}: {self._reason()}")
        raise CameraError(f"camera {self._name}: no picture within {open_s:g} s of starting {self._program}; check its ribbon cable")

    def _fetch(self, wait_s: float) -> list[bytes]:
        """Whole pictures among what the child has written; waits until it has written something."""
        pictures: list[bytes] = []
        for key, _ in self._selector.select(max(0.0, wait_s)):
            while data := _read_some(key.fd):
                if key.fileobj is self._child.stdout:
                    pictures += self._splitter.feed(data)
                else:
                    self._words.extend(data.decode("utf-8", "replace").splitlines())
            if data is not None:
                self._selector.unregister(key.fileobj)  # the end
        return pictures

    def _reason(self) -> str:
        said = "\n".join(self._words)
        for pattern, advice in REASONS:
            if re.search(pattern, said, re.IGNORECASE):
                return advice
        last = next((line.strip() for line in reversed(self._words) if line.strip()), "without a word")
        return f"{self._program} ended (code {self._child.wait()}: {last}); try `rpicam-hello` in a terminal"


def find_rpicam() -> str | None:
    """Path of the program, None where it is not installed."""
    return next((found for found in map(shutil.which, PROGRAMS) if found), None)


def list_rpicam() -> list[PiCamera]:
    """Cameras that the program's sister lists; none where it is not installed or fails."""
    program = next((found for found in map(shutil.which, LISTERS) if found), None)
    if program is None:
        return []
    command = [program, "--list-cameras"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIST_S, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [PiCamera(int(m[1]), m[2], int(m[3]), int(m[4])) for m in LISTED.finditer(done.stdout + done.stderr)]


def _start(program: str, address: Address, options: CameraOptions) -> subprocess.Popen[bytes]:
    command = [
        *(program, "--nopreview", "--timeout", "0", "--verbose", "0", "--camera", str(address.target)),
        *("--width", str(options.width_px), "--height", str(options.height_px), "--framerate", f"{options.fps:g}"),
        *("--codec", "mjpeg", "--flush", "--output", "-"),
    ]
    try:
        # Not in our process group: Ctrl-C is ours to handle, and the child is ended when its pictures are needed no more.
        child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, start_new_session=True
        )
    except OSError as error:
        raise CameraError(f"camera {address.name}: {program} cannot be started ({error.strerror or error}); install rpicam-apps") from error
    _widen(child)
    return child


def _widen(child: subprocess.Popen[bytes]) -> None:
    import fcntl  # not on Windows, where there is no such camera

    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)  # named since Python 3.10, on Linux
    if set_size is not None and child.stdout is not None:
        try:
            fcntl.fcntl(child.stdout.fileno(), set_size, PIPE_BYTES)
        except OSError:
            return  # the usual 64 KiB do as well


def _read_some(descriptor: int) -> bytes | None:
    """What is there; b"" at the end, None when nothing is there yet."""
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return None
