"""`edge-digits watch --list`: the cameras of this machine, and what each really delivers when it is tried."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, Final

from edge_digits.errors import CameraError, ExitCode
from edge_digits.sources.address import CameraOptions, Opener
from edge_digits.sources.camera import Camera, LiveFrame
from edge_digits.sources.pi_camera import list_pi_cameras
from edge_digits.sources.v4l2 import DEVICES, Device, device_paths, permission_advice, query_device
from edge_digits.sources.video import open_capture

TRIAL_S: Final = 2.0
"""Time over which the pictures of a camera are counted, once its exposure has settled."""
OPEN_S: Final = 6.0
STALL_S: Final = 3.0
INDICES: Final = 4
"""Tried where the system does not tell which cameras there are (macOS, Windows); the first that does not open ends it."""
BAR_DELAY_S: Final = 2.0
NO_CAMERA: Final = "no camera found; plug one in, or give a video file, a folder of frames or a URL"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A camera that may be there. source : as `watch` takes it. words : its name and place. offers : formats and largest sizes."""

    source: str
    words: str
    offers: tuple[tuple[str, tuple[int, int]], ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came out of a camera. brightness : mean grey level of its last picture, 0..255. told : its own words when opened."""

    width_px: int
    height_px: int
    frames_per_s: float
    brightness: float
    told: str


def list_cameras(options: CameraOptions, *, as_json: bool, opener: Opener = open_capture) -> ExitCode:
    """Print each camera and what it delivers when asked for the options' size and rate; as text, or as one JSON object a line.

    Returns CAMERA when none can be used. opener : of the Camera; doubles take its place in tests.
    """
    candidates = find_candidates()
    if not candidates:
        print(f"edge-digits: {NO_CAMERA}", file=sys.stderr)
        return ExitCode.CAMERA
    from tqdm import tqdm

    works = False
    for candidate in tqdm(candidates, unit="camera", delay=BAR_DELAY_S, file=sys.stderr, disable=not sys.stderr.isatty()):
        tried = candidate.error or _try(candidate.source, options, opener)
        works |= isinstance(tried, Delivery)
        if not isinstance(tried, Delivery) and not _lists_cameras() and candidate.source != "0":
            break
        tqdm.write(json.dumps(_entry(candidate, tried), ensure_ascii=False) if as_json else _text(candidate, tried))
        sys.stdout.flush()
    return ExitCode.OK if works else ExitCode.CAMERA


def find_candidates() -> list[Candidate]:
    """Cameras that the system tells of; numbers to try where it tells of none."""
    if not _lists_cameras():
        return [Candidate(str(index), f"camera {index}") for index in range(INDICES)]
    found = [candidate for path in device_paths() if (candidate := _candidate(path)) is not None]
    pi = [(camera, f", sensor {camera.width_px}x{camera.height_px}" if camera.width_px else "") for camera in list_pi_cameras()]
    return found + [Candidate(f"pi:{camera.index}", f"{camera.model} on the ribbon cable{size}") for camera, size in pi]


def _lists_cameras() -> bool:
    return sys.platform.startswith("linux")


def _candidate(path: Path) -> Candidate | None:
    """None for a node that gives no pictures."""
    source = path.name.removeprefix("video") if path.parent == DEVICES else str(path)
    try:
        device = query_device(path)
    except PermissionError:
        return Candidate(source, str(path), error=f"no permission for {path}; {permission_advice(path)}")
    except OSError as error:
        return Candidate(source, str(path), error=f"does not answer ({error.strerror or error}); pull it out and put it in again")
    if device is None or device.is_pi_port:
        return None
    return Candidate(source, _words(device), device.formats)


def _words(device: Device) -> str:
    return f"{device.card or 'unnamed camera'}, {device.path}, {device.bus or 'unknown bus'} ({device.driver})"


def _try(source: str, options: CameraOptions, opener: Opener) -> Delivery | str:
    """What a camera delivers, or why it delivers nothing."""
    told: list[str] = []
    patience = replace(options, open_s=OPEN_S, stall_s=STALL_S, reopen_tries=0)
    try:
        with Camera(source, patience, opener=opener, report=told.append) as camera:
            return _measure(camera, told)
    except CameraError as error:
        return str(error).removeprefix("camera ").removeprefix(f"{source}: ")


def _measure(camera: Camera, told: list[str]) -> Delivery:
    first: LiveFrame | None = None
    last: LiveFrame | None = None
    until = monotonic() + OPEN_S + STALL_S
    while monotonic() < until:
        live = camera.next_frame()
        if live is None:
            continue
        if first is None:
            first, until = live, monotonic() + TRIAL_S
        last = live
    if first is None or last is None:
        raise CameraError(f"camera {camera.address.name}: opens, but delivers no picture; another program may use it")
    seconds = last.time_s - first.time_s
    rate = (last.number - first.number) / seconds if seconds > 0 else 0.0
    words = told[0].split(": ", 1)[-1] if told else ""
    return Delivery(last.frame.width, last.frame.height, round(rate, 1), round(float(last.frame.picture.mean()), 1), words)


def _text(candidate: Candidate, tried: Delivery | str) -> str:
    lines = [f"{candidate.source:6} {candidate.words}"]
    if isinstance(tried, Delivery):
        counted = f"{tried.frames_per_s:g} frames/s counted, brightness {tried.brightness:.0f} of 255"
        lines.append(f"       delivers {tried.told}; {counted}")
    else:
        lines.append(f"       cannot be used: {tried}")
    if candidate.offers:
        offers = (f"{name} up to {size[0]}x{size[1]}" if size[0] else name for name, size in candidate.offers)
        lines.append(f"       offers {', '.join(offers)}")
    return "\n".join(lines)


def _entry(candidate: Candidate, tried: Delivery | str) -> dict[str, Any]:
    entry: dict[str, Any] = {"source": candidate.source, "camera": candidate.words}
    entry["offers"] = [{"format": name, "largest": list(size) if size[0] else None} for name, size in candidate.offers]
    if not isinstance(tried, Delivery):
        return {**entry, "error": tried}
    delivers = {"width": tried.width_px, "height": tried.height_px, "frames_per_s": tried.frames_per_s, "brightness": tried.brightness}
    return {**entry, "delivers": {**delivers, "told": tried.told}}
