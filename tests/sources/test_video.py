"""What a source is and how it is opened: real films, a real stream, and what is none."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge_digits.errors import CameraError, UsageError
from edge_digits.sources import device, video
from edge_digits.sources.address import CameraOptions, parse_address
from edge_digits.sources.camera import Camera
from edge_digits.sources.video import describe, open_capture
from tests.doubles.cameras import QUICK, Opener, ScriptedCapture, at_least, capture_threads, collect, noisy, quiet_camera
from tests.doubles.pages import serve_mjpeg, write_film


def film(folder: Path, length: int = 12) -> Path:
    return write_film(folder / "film.avi", [np.full((48, 64, 3), 10 * i, np.uint8) for i in range(length)])


# Addresses


@pytest.mark.parametrize(
    ("source", "kind", "target"),
    [
        ("0", "camera", 0),
        ("12", "camera", 12),
        ("/dev/video2", "camera", "/dev/video2"),
        ("http://10.0.0.3:8080/video", "stream", "http://10.0.0.3:8080/video"),
        ("RTSP://cam/1", "stream", "RTSP://cam/1"),
        ("film.mp4", "file", "film.mp4"),
        ("pi", "pi", 0),
        ("pi:1", "pi", 1),
        ("pi:one", "file", "pi:one"),
        ("./0", "file", "./0"),
    ],
)
def test_an_address_is_told_by_its_form(source: str, kind: str, target: int | str) -> None:
    address = parse_address(source)
    assert (address.kind, address.target) == (kind, target)


def test_the_name_of_a_stream_hides_its_password() -> None:
    address = parse_address("rtsp://anna:secret@cam.local/1")
    assert address.name == "rtsp://cam.local/1"
    assert address.target == "rtsp://anna:secret@cam.local/1"


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(CameraError, match=r"gopher://x: 'gopher' is no kind of stream .*rtsp"):
        parse_address("gopher://x")


@pytest.mark.parametrize(
    "change",
    [
        *({"width_px": 0}, {"fps": 0}, {"fps": float("nan")}, {"stall_s": 0}),
        *({"reopen_tries": -1}, {"warm_up_max_frames": 1}, {"max_backoff_s": 0.1}),
    ],
)
def test_absurd_options_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        CameraOptions(**change)  # type: ignore[arg-type]


# What is asked of a camera, and what it says


def test_mjpg_is_asked_for_before_size_and_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ScriptedCapture([])
    opened = []
    monkeypatch.setattr(device, "check_device", lambda address: None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(cv2, "VideoCapture", lambda *arguments: opened.append(arguments) or fake)
    assert open_capture(parse_address("1"), CameraOptions(width_px=1920, height_px=1080, fps=25)) is fake
    assert opened == [(1, cv2.CAP_V4L2)]
    mjpg = cv2.VideoWriter.fourcc(*"MJPG")
    wanted = [(cv2.CAP_PROP_FOURCC, mjpg), (cv2.CAP_PROP_FRAME_WIDTH, 1920), (cv2.CAP_PROP_FRAME_HEIGHT, 1080), (cv2.CAP_PROP_FPS, 25)]
    # The double does not take what it is asked for, so the format is asked for once more, now that the size stands.
    assert fake.asked == [*wanted, wanted[0]]


def test_what_a_camera_delivers_is_read_back() -> None:
    yuyv = ScriptedCapture([], {cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV"), cv2.CAP_PROP_FPS: 10.0})
    told = describe(yuyv, parse_address("0"), CameraOptions())
    assert told == "0: 64x48 YUYV, 10 frames/s (asked for 1280x720 MJPG, 30 frames/s)"


def test_a_silent_camera_is_described_without_nonsense() -> None:
    blank = ScriptedCapture([], {cv2.CAP_PROP_FPS: float("nan"), cv2.CAP_PROP_FOURCC: -1.0})
    assert describe(blank, parse_address("cam.avi"), CameraOptions()) == "cam.avi: 64x48 unknown format, unknown rate"


# Recordings


def test_a_film_is_given_whole_and_in_order(tmp_path: Path) -> None:
    told: list[str] = []
    with Camera(str(film(tmp_path)), report=told.append) as camera:
        frames = []
        for frame in collect(camera):
            threading.Event().wait(0.002)
            frames.append(frame)
        assert camera.is_recording
        assert camera.announced_frames == 12
    assert [frame.number for frame in frames] == list(range(1, 13))
    assert [round(float(frame.frame.picture.mean()) / 10) for frame in frames] == list(range(12))
    assert [round(frame.time_s, 3) for frame in frames] == [round(i / 25, 3) for i in range(12)]
    assert told == [f"{tmp_path / 'film.avi'}: 64x48 MJPG, 25 frames/s"]
    assert capture_threads() == []


def test_a_film_that_is_cut_off_is_read_and_reported(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.avi", [noisy(90, i, (480, 640)) for i in range(30)])
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    told: list[str] = []
    with Camera(str(cut), report=told.append) as camera:
        frames = collect(camera)
    assert 5 < len(frames) < 25
    assert "may be cut off" in told[-1]


def _nothing(path: Path) -> None:
    del path


def _folder(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.touch()


def _text(path: Path) -> None:
    path.write_text("no film at all\n" * 100)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_nothing, "no such file, camera or URL"),
        (_folder, "no pictures in this folder"),
        (_empty, "file is empty"),
        (_text, "cannot be opened as a video"),
    ],
)
def test_what_is_no_film_gives_one_clear_line(make: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    make(path)
    with Camera(str(path), report=lambda _: None) as camera, pytest.raises(CameraError, match=message) as caught:
        collect(camera)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_film_without_pictures_is_an_error() -> None:
    with quiet_camera("film.avi", Opener(ScriptedCapture([]))) as camera, pytest.raises(CameraError, match="no picture"):
        collect(camera)


# Devices and streams of this machine


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="device files are a matter of Linux")
def test_no_camera_at_an_index() -> None:
    message = r"camera 4711: there is no /dev/video4711 \(found: .*give another index"
    with Camera("4711") as camera, pytest.raises(CameraError, match=message):
        collect(camera)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="device files are a matter of Linux")
def test_a_device_without_permission_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.os, "access", lambda path, mode: False)
    monkeypatch.setattr(device, "permission_advice", lambda path: "run `sudo usermod -aG video anna` and log in again")
    with Camera("/dev/null") as camera, pytest.raises(CameraError, match=r"no permission for /dev/null; run .* usermod -aG video anna"):
        collect(camera)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="device files are a matter of Linux")
def test_a_device_that_is_no_camera(capfd: pytest.CaptureFixture[str]) -> None:
    with Camera("/dev/null") as camera, pytest.raises(CameraError, match="/dev/null is no camera device"):
        collect(camera)
    assert capfd.readouterr() == ("", "")


def test_an_http_stream_is_read_with_its_newest_pictures() -> None:
    pictures = [np.full((48, 64, 3), level, np.uint8) for level in range(256)]
    told: list[str] = []
    with serve_mjpeg(pictures) as url, Camera(url, QUICK, report=told.append) as camera:
        frames = collect(camera, at_least(6))
        assert not camera.is_recording
    assert [frame.number for frame in frames] == sorted({frame.number for frame in frames})
    assert {frame.frame.picture.shape for frame in frames} == {(48, 64, 3)}
    assert len({round(float(frame.frame.picture.mean())) for frame in frames}) == 6
    assert "64x48 MJPG" in told[0]


def test_a_stream_that_ends_is_opened_again_and_then_given_up() -> None:
    told: list[str] = []
    options = CameraOptions(open_s=30, stall_s=30, backoff_s=0.01, reopen_tries=2)
    ended = pytest.raises(CameraError, match="stopped delivering pictures, given up")
    with serve_mjpeg([noisy(90, i) for i in range(5)], rounds=1) as url, Camera(url, options, report=told.append) as camera, ended:
        collect(camera)
    assert sum("opening it again" in line for line in told) == 2


@pytest.mark.parametrize(("place", "reason"), [("port", "127.0.0.1 refuses port 9; check"), ("path", "no such stream .404.; check")])
def test_a_stream_that_is_not_there(place: str, reason: str) -> None:
    with serve_mjpeg([noisy(90, 0)]) as url:
        wrong = "http://127.0.0.1:9/stream" if place == "port" else url + "er"
        with Camera(wrong, CameraOptions(open_s=30)) as camera, pytest.raises(CameraError, match=reason):
            collect(camera)


def test_a_film_on_a_server_counts_as_a_recording(tmp_path: Path) -> None:
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    film(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with Camera(f"http://127.0.0.1:{server.server_port}/film.avi", report=lambda _: None) as camera:
            frames = collect(camera)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [frame.number for frame in frames] == list(range(1, 13))


def test_environment_can_ask_for_the_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[int] = []
    monkeypatch.setattr(video, "cv2", SimpleNamespace(setLogLevel=levels.append, utils=SimpleNamespace()))
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "INFO")
    video.hush_opencv()
    assert levels == []
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "silent")
    video.hush_opencv()
    monkeypatch.delenv("OPENCV_LOG_LEVEL")
    video.hush_opencv()
    assert levels == [0, 0]
