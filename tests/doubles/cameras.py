"""Cameras with faults, played by a script: what no test machine has plugged in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import CameraError
from edge_digits.sources.address import Address, CameraOptions
from edge_digits.sources.camera import Camera, LiveFrame

Picture = NDArray[np.uint8]
Step = Picture | str

QUICK = CameraOptions(open_s=3.0, stall_s=0.6, backoff_s=0.01, reopen_tries=2, warm_up_min_frames=0, warm_up_max_frames=0)
TURNS = 2000


def noisy(level: int, seed: int, shape: tuple[int, int] = (48, 64)) -> Picture:
    """One picture of a real sensor: a grey level with noise of its own; uint8 (h, w, 3)."""
    noise = np.random.default_rng(seed).integers(-3, 4, (*shape, 3))
    return np.clip(level + noise, 0, 255).astype(np.uint8)


class ScriptedCapture:
    """A cv2.VideoCapture that plays steps: a picture is delivered, "fail" is a failed read, "hang" blocks until `unplug`.

    After the last step reads fail. properties : what it reports, by cv2.CAP_PROP_ number.
    """

    def __init__(self, steps: Sequence[Step] | Iterator[Step], properties: dict[int, float] | None = None, pause_s: float = 0.001) -> None:
        self._steps, self._pause_s = iter(steps), pause_s
        self.properties = {cv2.CAP_PROP_FRAME_WIDTH: 64.0, cv2.CAP_PROP_FRAME_HEIGHT: 48.0, cv2.CAP_PROP_FPS: 30.0, **(properties or {})}
        self.asked: list[tuple[int, float]] = []
        self.unplug = threading.Event()
        self.released = threading.Event()
        self.reads = 0

    def read(self) -> tuple[bool, Any]:
        assert not self.released.is_set(), "read after release"
        self.reads += 1
        step = next(self._steps, "fail")
        if isinstance(step, str):
            if step == "hang":
                self.unplug.wait(30)
            return False, None
        self.unplug.wait(self._pause_s)
        return True, step

    def get(self, prop: int, /) -> float:
        return self.properties.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        self.asked.append((prop, value))
        return True

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def release(self) -> None:
        self.released.set()


class Opener:
    """Opens the given captures one after the other; after the last, the camera is gone."""

    def __init__(self, *captures: ScriptedCapture | Callable[[], ScriptedCapture]) -> None:
        self._captures = list(captures)
        self.opened: list[ScriptedCapture] = []
        self.tries = 0

    def __call__(self, address: Address, options: CameraOptions) -> ScriptedCapture:
        self.tries += 1
        if not self._captures:
            raise CameraError(f"camera {address.name}: gone")
        capture = self._captures.pop(0)
        opened = capture if isinstance(capture, ScriptedCapture) else capture()
        self.opened.append(opened)
        return opened


def collect(camera: Camera, wanted: Callable[[list[LiveFrame]], bool] = lambda _: False) -> list[LiveFrame]:
    """Frames until enough came or the source ended."""
    frames: list[LiveFrame] = []
    for _ in range(TURNS):
        frame = camera.next_frame(0.02)
        if frame is not None:
            frames.append(frame)
        if camera.ended or wanted(frames):
            return frames
    raise AssertionError(f"neither enough frames nor an end after {len(frames)} frames")


def at_least(number: int) -> Callable[[list[LiveFrame]], bool]:
    return lambda frames: len(frames) >= number


def quiet_camera(source: str, opener: Opener | Callable[..., ScriptedCapture]) -> Camera:
    return Camera(source, QUICK, opener=opener, report=lambda _: None)


def capture_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("capture ")]


def open_handles() -> int:
    """Files, pipes and sockets that this process holds open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
