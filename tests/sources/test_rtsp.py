"""A network camera by RTSP: a small server on the loopback, read by OpenCV's FFmpeg as any other."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import CameraError
from edge_digits.sources import camera as source_room
from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera
from tests.doubles.cameras import at_least, capture_threads, collect
from tests.doubles.rtsp import serve_rtsp

OPTIONS = CameraOptions(open_s=10, stall_s=1.5, backoff_s=0.01, reopen_tries=1)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty frames that grow lighter, as a transport stream."""
    path = tmp_path_factory.mktemp("rtsp") / "film.ts"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FMP4"), 25, (128, 96))
    assert writer.isOpened()
    for index in range(50):
        writer.write(np.full((96, 128, 3), 5 * index, np.uint8))
    writer.release()
    return path


def test_frames_of_an_rtsp_camera_come_and_none_twice(film: Path) -> None:
    told: list[str] = []
    with serve_rtsp(film) as url, Camera(url, OPTIONS, report=told.append) as camera:
        frames = collect(camera, at_least(20))
        assert not camera.is_recording
    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers))
    assert {frame.frame.picture.shape for frame in frames} == {(96, 128, 3)}
    assert len({round(float(frame.frame.picture.mean())) for frame in frames}) > 10
    assert told[0].startswith(f"{url}: 128x96 ")


@pytest.mark.parametrize(("hangs", "reason"), [(True, "delivered nothing|stopped"), (False, "stopped delivering")])
def test_a_camera_that_hangs_or_ends_is_opened_again_and_then_given_up(
    hangs: bool, reason: str, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_room, "STEADY_FRAMES", 10_000)  # these 50 frames do not make it sound again
    told: list[str] = []
    lost = pytest.raises(CameraError, match="given up after opening it again 1 times")
    with serve_rtsp(film, rounds=1, then_hang=hangs) as url, Camera(url, OPTIONS, report=told.append) as camera, lost as caught:
        collect(camera)
    assert any(part in str(caught.value) for part in reason.split("|"))
    assert sum("opening it again" in line for line in told) == 1
    assert capture_threads() == []


def test_a_camera_that_wants_a_password_says_so_without_showing_one(film: Path) -> None:
    with serve_rtsp(film, user="anna") as url, Camera(url, OPTIONS) as camera, pytest.raises(CameraError, match="user and password"):
        collect(camera)


def test_user_and_password_of_the_url_are_used(film: Path) -> None:
    with serve_rtsp(film, user="anna") as url, Camera(url.replace("//", "//anna:secret@"), OPTIONS, report=lambda _: None) as camera:
        frames = collect(camera, at_least(2))
    assert frames[0].frame.source == url
