"""Latency of a camera: from the moment a frame came to the numbers read off it."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, perf_counter
from typing import Any, Final

from edge_digits.bench import timing
from edge_digits.bench.pages import opencv_threads, stage_summaries
from edge_digits.errors import CameraError
from edge_digits.options import Options
from edge_digits.reader import Reader
from edge_digits.reading.reading import Reading
from edge_digits.sources.camera import Camera

FIRST_FRAME_S: Final = 20.0
"""Longest wait for a frame: opening, exposure and one lost source that comes back."""


def measure_camera(source: str, options: Options, effort: timing.Effort) -> dict[str, Any]:
    """Read frame after frame of a camera, stream or recording, as `watch` takes them.

    Returns an entry like that of measure_page. The stage "capture" is how old the newest frame is when it is taken (of a
    recording: the wait for it), and "total" reaches from its coming to the numbers; frames_per_second is what was read, by the
    clock. Raises CameraError.
    """
    reader = Reader(options=options)
    readings: list[Reading] = []
    with Camera(source) as camera, opencv_threads(options.recognition.threads):
        for _ in range(effort.warm_up):
            _read_next(camera, reader)
        started = perf_counter()
        while len(readings) < effort.rounds:
            enough = len(readings) >= timing.FEWEST_ROUNDS
            if enough and effort.budget_s is not None and perf_counter() - started > effort.budget_s:
                break
            reading = _read_next(camera, reader)
            if reading is None:
                break
            readings.append(reading)
        elapsed_s = perf_counter() - started
    if not readings:
        raise CameraError(f"{source} ended before a frame could be measured; give a longer recording, or a smaller --warm-up")
    classifier = reader.classifier
    case = {"precision": classifier.precision, "provider": classifier.provider, "threads": options.recognition.threads}
    return {
        "name": camera.address.name,
        "origin": "recording" if camera.is_recording else "camera",
        "width": readings[0].width,
        "height": readings[0].height,
        "digits": max(len(reading.digits) for reading in readings),
        "frames_per_second": round(len(readings) / elapsed_s, 2),
        "cases": [{**case, "ms": stage_summaries(readings)}],
    }


def _read_next(camera: Camera, reader: Reader) -> Reading | None:
    """The next frame's reading with the stage "capture" in front; None when the source has ended. Raises CameraError."""
    asked, live = monotonic(), None
    while live is None and not camera.ended:
        live = camera.next_frame()
        if live is None and monotonic() - asked > FIRST_FRAME_S:
            raise CameraError(f"no frame within {FIRST_FRAME_S:g} s; see what the camera delivers: edge-digits watch")
    if live is None:
        return None
    waited_s = monotonic() - (asked if camera.is_recording else live.time_s)
    reading = reader.read_frame(live.frame)
    stages = {"capture": waited_s * 1000.0, **reading.elapsed_ms}
    stages["total"] += stages["capture"]
    return replace(reading, elapsed_ms=stages)
