"""Opens a camera device of this machine with OpenCV, or says in one line why it cannot."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final

import cv2

from edge_digits.errors import CameraError
from edge_digits.sources.address import Address, CameraOptions, Capture
from edge_digits.sources.v4l2 import device_paths, lasting_name, permission_advice, query_device, users_of

MOST_NAMED: Final = 3
"""Programs that are named as the users of a busy camera."""
MJPG: Final = cv2.VideoWriter.fourcc(*"MJPG")


def open_device(address: Address, options: CameraOptions) -> Capture:
    """Open a camera, and ask it for MJPG, then size, then rate. Raises CameraError."""
    on_linux = sys.platform.startswith("linux")
    if on_linux:
        check_device(address)
    # Without an explicit back-end OpenCV may take a GStreamer path that opens and never delivers.
    capture = cv2.VideoCapture(address.target, cv2.CAP_V4L2 if on_linux else cv2.CAP_ANY)
    if not capture.isOpened():
        capture.release()
        raise CameraError(f"camera {address.name}: {_why_closed(address) if on_linux else 'cannot be opened; try another index'}")
    _ask(capture, options)
    return capture


def check_device(address: Address) -> None:
    """Make sure that there is such a camera and that it may be used. Raises CameraError."""
    path = device_path(address)
    if not path.exists():
        there = ", ".join(map(str, device_paths())) or "no camera at all"
        raise CameraError(f"camera {address.name}: there is no {path} (found: {there}); plug it in, or give another index, a file or a URL")
    if not stat.S_ISCHR(path.stat().st_mode):
        raise CameraError(f"camera {address.name}: {path} is no camera device; give an index such as 0, a file or a URL")
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraError(f"camera {address.name}: no permission for {path}; {permission_advice(path)}")
    try:
        device = query_device(path)
    except OSError as error:
        if error.errno == errno.ENOTTY:
            raise CameraError(f"camera {address.name}: {path} is no camera device; give an index such as 0, a file or a URL") from error
        if error.errno in (errno.ENODEV, errno.ENXIO):
            raise CameraError(f"camera {address.name}: {path} is there, but its camera has gone; check the cable") from error
        return  # what is wrong then is found out by opening it
    if device is None:
        others = ", ".join(str(p) for p in device_paths() if p != path) or "none"
        raise CameraError(f"camera {address.name}: {path} gives no pictures, only data about them; take another (found: {others})")
    if device.is_pi_port:
        raise CameraError(f"camera {address.name}: {path} is the raw camera port of a Raspberry Pi; give `pi:0` instead")


def device_path(address: Address) -> Path:
    """The node of a camera on Linux."""
    return Path(f"/dev/video{address.target}") if isinstance(address.target, int) else Path(address.target)


def lasting_address(address: Address) -> Address:
    """The same camera by a name that it keeps when it comes back under another number."""
    if address.kind != "camera" or not sys.platform.startswith("linux"):
        return address
    path = device_path(address)
    name = lasting_name(path)
    return address if name == path else Address(address.name, "camera", str(name))


def _ask(capture: cv2.VideoCapture, options: CameraOptions) -> None:
    """The order matters: with the silent default, raw YUYV, a USB 2 camera refuses the size or the rate."""
    capture.set(cv2.CAP_PROP_FOURCC, MJPG)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height_px)
    capture.set(cv2.CAP_PROP_FPS, options.fps)
    if capture.get(cv2.CAP_PROP_FOURCC) != MJPG:
        # Some drivers, on Windows above all, go back to YUYV when the size changes; once more, now that it stands.
        capture.set(cv2.CAP_PROP_FOURCC, MJPG)


def _why_closed(address: Address) -> str:
    path = device_path(address)
    users = users_of(path)
    if users:
        more = f" and {len(users) - MOST_NAMED} more" if len(users) > MOST_NAMED else ""
        return f"busy, {path} is used by {', '.join(users[:MOST_NAMED])}{more}; close it, or try another index"
    if not path.exists():
        return f"{path} has gone; check the cable"
    return "cannot be opened; close the program that uses it, pull it out and put it in again, or try another index"
