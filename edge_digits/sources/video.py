"""Opens whatever an address names: camera, stream, recording or folder of frames; or says in one line why it cannot.

OpenCV answers every failure with the same "not opened". What a person can mend (no such device, no permission, a
folder, an empty file) is therefore looked for here and in the modules for each kind, before and after the attempt.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import cv2

from edge_digits.errors import CameraError
from edge_digits.sources.address import Address, CameraOptions, Capture
from edge_digits.sources.device import open_device
from edge_digits.sources.frame_folder import FolderCapture
from edge_digits.sources.pi_camera import open_pi_camera
from edge_digits.sources.reaching import why_unreachable

QUIET: Final = "-8"
"""AV_LOG_QUIET of FFmpeg."""
SILENT: Final = 0
"""LOG_LEVEL_SILENT of OpenCV."""


def open_capture(address: Address, options: CameraOptions) -> Capture:
    """Open an address. Raises CameraError."""
    hush_opencv()
    if address.kind == "camera":
        return open_device(address, options)
    if address.kind == "pi":
        return open_pi_camera(address, options)
    if address.kind == "folder":
        return FolderCapture(Path(address.target), options.fps)  # type: ignore[arg-type]
    return _open_stream(address, options) if address.kind == "stream" else _open_file(address)


def describe(capture: Capture, address: Address, options: CameraOptions) -> str:
    """What the source really delivers, read back from it, in one line."""
    width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    rate = f"{fps:g} frames/s" if 0 < fps <= 1000 else "unknown rate"
    told = f"{address.name}: {width}x{height} {_fourcc(capture.get(cv2.CAP_PROP_FOURCC))}, {rate}"
    asked = (options.width_px, options.height_px)
    if address.is_device and ((width, height) != asked or abs(fps - options.fps) > 0.5):
        told += f" (asked for {asked[0]}x{asked[1]} MJPG, {options.fps:g} frames/s)"
    return told


def hush_opencv() -> None:
    """Keep the log lines of OpenCV and FFmpeg off stderr, unless the user asked for them in the environment."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", QUIET)
    if os.environ.get("OPENCV_LOG_LEVEL", "SILENT").upper() == "SILENT":
        # OpenCV 5 has it in a module of its own, 4 at the top.
        logging = getattr(cv2.utils, "logging", cv2)
        logging.setLogLevel(SILENT)


def _open_stream(address: Address, options: CameraOptions) -> Capture:
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(options.open_s * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(options.stall_s * 1000)),
    ]
    capture = cv2.VideoCapture(str(address.target), cv2.CAP_FFMPEG, limits) if _has_ffmpeg() else cv2.VideoCapture(str(address.target))
    if not capture.isOpened():
        capture.release()
        raise CameraError(f"{address.name}: {why_unreachable(str(address.target))}")
    return capture


def _open_file(address: Address) -> Capture:
    path = Path(str(address.target))
    try:
        empty = path.stat().st_size == 0
    except (OSError, ValueError) as error:
        raise CameraError(f"{address.name}: no such file, camera or URL; give a camera index such as 0, a video file or a URL") from error
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
