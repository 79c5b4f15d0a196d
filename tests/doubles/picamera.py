"""A module as picamera2 is one, with faults to choose: what only a Raspberry Pi has."""

from __future__ import annotations

import concurrent.futures
import threading
from types import ModuleType
from typing import Any, ClassVar

import cv2
import numpy as np

STRIDE = 64


class FakePicamera2:
    """The class of the module; each test takes a subclass of its own, so that nothing is shared."""

    cameras: ClassVar[list[dict[str, Any]]]
    pictures: ClassVar[list[np.ndarray]]
    fault: ClassVar[str]
    events: ClassVar[list[str]]
    asked: ClassVar[dict[str, Any]]

    def __init__(self, number: int) -> None:
        if self.fault == "busy":
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.events.append(f"open {number}")
        self._next = 0

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return cls.cameras

    def create_video_configuration(self, **asked: Any) -> dict[str, Any]:
        self.asked.update(asked)
        return asked

    def configure(self, configuration: dict[str, Any]) -> None:
        if self.fault == "size":
            raise ValueError("Bad stream size")

    def camera_configuration(self) -> dict[str, Any]:
        height, width = self.pictures[0].shape[:2]
        return {"main": {"size": (width, height)}}

    def start(self) -> None:
        self.events.append("start")

    def capture_array(self, name: str, wait: float = 0.0) -> np.ndarray:
        if self.fault == "late":
            threading.Event().wait(wait)
            raise concurrent.futures.TimeoutError
        if self.fault == "broken":
            raise RuntimeError("camera front-end has timed out")
        self._next += 1
        return planes(self.pictures[self._next % len(self.pictures)])

    def stop(self) -> None:
        self.events.append("stop")

    def close(self) -> None:
        self.events.append("close")


def make_picamera(cameras: list[dict[str, Any]], pictures: list[np.ndarray], fault: str = "") -> ModuleType:
    """pictures : uint8 (h, w, 3) BGR, delivered over and over as planes padded to STRIDE. fault : "busy", "size", "late", "broken"."""
    module = ModuleType("picamera2")
    members = {"cameras": cameras, "pictures": pictures, "fault": fault, "events": [], "asked": {}}
    module.Picamera2 = type("Picamera2", (FakePicamera2,), members)  # type: ignore[attr-defined]
    return module


def planes(picture: np.ndarray) -> np.ndarray:
    """Planar YUV 4:2:0 with rows padded to STRIDE, as the hardware writes it."""
    height, width = picture.shape[:2]
    padded = np.zeros((height, STRIDE * -(-width // STRIDE), 3), np.uint8)
    padded[:, :width] = picture
    return np.asarray(cv2.cvtColor(padded, cv2.COLOR_BGR2YUV_I420))
