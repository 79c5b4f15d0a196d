"""Raspberry Pi cameras: by picamera2 when it can be imported, else by `rpicam-vid`."""

from __future__ import annotations

from typing import Final

from edge_digits.errors import CameraError
from edge_digits.sources.address import Address, CameraOptions, Capture
from edge_digits.sources.picamera import PicameraCapture, import_picamera, list_picamera
from edge_digits.sources.rpicam import PiCamera, RpicamCapture, find_rpicam, list_rpicam

APT: Final = "sudo apt install rpicam-apps"


def open_pi_camera(address: Address, options: CameraOptions) -> Capture:
    """Open a camera on the ribbon cable. Raises CameraError that names what to install, connect or close."""
    library, reason = import_picamera()
    if library is not None:
        return PicameraCapture(library, address, options)
    program = find_rpicam()
    if program is not None:
        return RpicamCapture(program, address, options)
    told = f"{reason}, and " if reason else ""
    what = "neither picamera2 nor rpicam-vid is installed" if not reason else "rpicam-vid is not installed"
    raise CameraError(f"camera {address.name}: {told}{what}; on Raspberry Pi OS: {APT}")


def list_pi_cameras() -> list[PiCamera]:
    """Cameras on the ribbon cable, none on a machine without."""
    library, _ = import_picamera()
    return list_picamera(library) if library is not None else list_rpicam()
