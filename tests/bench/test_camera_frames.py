"""Latency of a camera, measured on a real video file."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edge_digits.bench.camera_frames import measure_camera
from edge_digits.bench.sample import golden_digits, make_sheet
from edge_digits.bench.timing import Effort
from edge_digits.errors import CameraError
from edge_digits.options import Options, RecognitionOptions

OPTIONS = Options(recognition=RecognitionOptions(provider="cpu", threads=1))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Six frames of a sheet, MJPG as cameras give it."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (640, 480))
    sheet = make_sheet(golden_digits(), 640, 480, 12)
    for _ in range(6):
        writer.write(sheet)
    writer.release()
    return path


def test_capture_is_a_stage_of_every_frame(film: Path) -> None:
    entry = measure_camera(str(film), OPTIONS, Effort(rounds=3, warm_up=1))
    assert (entry["origin"], entry["width"], entry["height"]) == ("recording", 640, 480)
    ms = entry["cases"][0]["ms"]
    assert next(iter(ms)) == "capture"
    assert ms["total"]["count"] == 3
    assert ms["total"]["mean"] >= ms["capture"]["mean"] > 0
    assert entry["frames_per_second"] > 0


def test_a_recording_that_ends_early_gives_what_it_had(film: Path) -> None:
    assert measure_camera(str(film), OPTIONS, Effort(rounds=50, warm_up=0))["cases"][0]["ms"]["total"]["count"] == 6


def test_a_recording_that_is_over_before_it_counts_is_told(film: Path) -> None:
    with pytest.raises(CameraError, match="smaller --warm-up"):
        measure_camera(str(film), OPTIONS, Effort(rounds=1, warm_up=10))
