"""A Raspberry Pi camera through picamera2, where this Python can import it."""

from __future__ import annotations

import concurrent.futures
import importlib
import re
from typing import Any, Final

import cv2
import numpy as np

from edge_digits.errors import CameraError
from edge_digits.sources.address import Address, CameraOptions
from edge_digits.sources.rpicam import PiCamera

READ_S: Final = 1.0
"""Longest wait within one read, where picamera2 takes a limit (since 0.3.13); before, it waits for as long as it takes."""
BUFFERS: Final = 4


class PicameraCapture:
    """Pictures of picamera2 as YUV 4:2:0, turned into BGR here.

    Its formats named RGB arrive as B, G, R, or with four channels, and that has changed between releases; the planes of
    YUV have one order only.
    """

    def __init__(self, library: Any, address: Address, options: CameraOptions) -> None:
        """library : the module picamera2. Raises CameraError."""
        cameras = library.Picamera2.global_camera_info()
        if int(address.target) >= len(cameras):
            raise CameraError(_missing(address, len(cameras)))
        self._name = address.name
        frame_us = round(1_000_000 / options.fps)
        try:
            self._camera = library.Picamera2(int(address.target))
        except (RuntimeError, OSError) as error:
            raise CameraError(f"camera {address.name}: cannot be opened ({error}); close the program that uses the camera") from error
        try:
            wanted = {"size": (options.width_px, options.height_px), "format": "YUV420"}
            limits = {"FrameDurationLimits": (frame_us, frame_us)}
            self._camera.configure(self._camera.create_video_configuration(main=wanted, buffer_count=BUFFERS, controls=limits))
            self._camera.start()
        except (RuntimeError, ValueError, OSError) as error:
            self._camera.close()
            raise CameraError(f"camera {address.name}: does not start ({error}); try another --size or --fps") from error
        # The size may have been rounded to what the hardware can; rows are padded to a multiple of bytes on top of it.
        self._width, self._height = self._camera.camera_configuration()["main"]["size"]
        self._fps = options.fps

    def read(self) -> tuple[bool, Any]:
        """The next picture, uint8 (h, w, 3) BGR."""
        try:
            planes = self._camera.capture_array("main", wait=READ_S)
        except (TimeoutError, concurrent.futures.TimeoutError):  # one and the same since Python 3.11
            return False, None
        except RuntimeError as error:
            raise CameraError(f"camera {self._name}: failed while reading ({error}); check its ribbon cable") from error
        return True, bgr_of_yuv(planes, self._width, self._height)

    def get(self, prop: int, /) -> float:
        """Size as configured; the rate is the one asked for."""
        known = {
            cv2.CAP_PROP_FRAME_WIDTH: float(self._width),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self._height),
            cv2.CAP_PROP_FPS: self._fps,
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"YU12")),
        }
        return known.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        """All is asked for at the start."""
        del prop, value
        return False

    def release(self) -> None:
        """Stop the camera and give it back."""
        self._camera.stop()
        self._camera.close()


def bgr_of_yuv(planes: np.ndarray[Any, Any], width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Planar YUV 4:2:0 as picamera2 gives it -> uint8 (height, width, 3) BGR.

    planes : uint8 (height * 3 / 2, stride); Y over U over V, rows padded to a stride of at least `width`.
    """
    return np.ascontiguousarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)[:height, :width], np.uint8)


def import_picamera() -> tuple[Any | None, str]:
    """The module picamera2, or None and the reason why it cannot be used, "" where it is not installed."""
    try:
        return importlib.import_module("picamera2"), ""
    except ModuleNotFoundError as error:
        return None, "" if (error.name or "").startswith("picamera2") else f"picamera2 cannot be imported ({error})"
    except (ImportError, ValueError, AttributeError, OSError) as error:
        # Its simplejpeg may be built for another numpy than the one OpenCV wants: "numpy.dtype size changed", a ValueError.
        return None, f"picamera2 cannot be imported ({str(error).splitlines()[0] if str(error) else type(error).__name__})"


def list_picamera(library: Any) -> list[PiCamera]:
    """Cameras that libcamera tells of on the ribbon cable; USB cameras, which it lists too, are read through V4L2."""
    found = []
    for index, entry in enumerate(library.Picamera2.global_camera_info()):
        if not re.search(r"usb", str(entry.get("Id", "")), re.IGNORECASE):
            found.append(PiCamera(int(entry.get("Num", index)), str(entry.get("Model", "unknown"))))
    return found


def _missing(address: Address, count: int) -> str:
    if count == 0:
        return f"camera {address.name}: no Raspberry Pi camera is found; check its ribbon cable with the power off"
    return f"camera {address.name}: there are {count} Raspberry Pi cameras, counted from 0; `edge-digits watch --list` shows them"
