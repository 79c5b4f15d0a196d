"""Cameras, streams and recordings: with doubles for the faults, with real files and a real server for the rest."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge_digits.errors import CameraError, ExitCode, UsageError
from edge_digits.sources import video
from edge_digits.sources.camera import Camera, LiveFrame
from edge_digits.sources.capture import WarmUp
from edge_digits.sources.video import CameraOptions, describe, open_capture, parse_address
from tests.doubles.cameras import Opener, ScriptedCapture, noisy
from tests.doubles.pages import serve_mjpeg, write_film

QUICK = CameraOptions(open_s=1.0, stall_s=0.6, backoff_s=0.01, reopen_tries=2, warm_up_min_frames=0, warm_up_max_frames=0)
TURNS = 2000


def collect(camera: Camera, wanted: Callable[[list[LiveFrame]], bool] = lambda _: False) -> list[LiveFrame]:
    """Frames until enough came or the source ended."""
    frames: list[LiveFrame] = []
    for _ in range(TURNS):
        frame = camera.next_frame(0.02)
        if frame is not None:
            frames.append(frame)
        if camera.ended or wanted(frames):
            return frames
    raise AssertionError(f"neither enough frames nor an end after {len(frames)} frames")


def at_least(number: int) -> Callable[[list[LiveFrame]], bool]:
    return lambda frames: len(frames) >= number


def quiet_camera(source: str, opener: Opener | Callable[..., ScriptedCapture]) -> Camera:
    return Camera(source, QUICK, opener=opener, report=lambda _: None)


def capture_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("capture ")]


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
    [{"width_px": 0}, {"fps": 0}, {"fps": float("nan")}, {"stall_s": 0}, {"reopen_tries": -1}, {"warm_up_max_frames": 1}],
)
def test_absurd_options_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        CameraOptions(**change)  # type: ignore[arg-type]


# Live sources


def test_a_slow_reader_gets_the_newest_picture_and_none_twice() -> None:
    source = ScriptedCapture(noisy(i % 200, i) for i in count())
    with Camera("0", QUICK, opener=Opener(source), report=lambda _: None) as camera:
        first = collect(camera, at_least(1))[0]
        while source.reads < 40:
            threading.Event().wait(0.005)
        later = collect(camera, at_least(1))[0]
        rest = collect(camera, at_least(10))
    assert later.number - first.number > 30
    numbers = [frame.number for frame in [first, later, *rest]]
    assert numbers == sorted(set(numbers))
    times = [frame.time_s for frame in [first, later, *rest]]
    assert times == sorted(set(times))


def test_a_repeated_picture_is_not_given_again() -> None:
    one, two = noisy(90, 1), noisy(90, 2)
    source = ScriptedCapture([one, one, one, two, two, one, "hang"])
    with Camera("0", QUICK, opener=Opener(source), report=lambda _: None) as camera:
        frames = []
        for _ in range(TURNS):
            frame = camera.next_frame(0.01)
            frames += [frame] if frame is not None else []
            if source.reads == 7 and frame is None:
                break
        source.unplug.set()
    assert frames[-1].number == 3
    assert np.array_equal(frames[-1].frame.picture, one)


def test_a_stream_may_send_the_same_picture_anew() -> None:
    still = noisy(90, 1)
    with Camera("http://cam/", QUICK, opener=Opener(ScriptedCapture(still for _ in count())), report=lambda _: None) as camera:
        assert len(collect(camera, at_least(5))) == 5


@pytest.mark.parametrize("fault", ["hang", "fail", "freeze"])
def test_a_lost_camera_is_opened_again(fault: str) -> None:
    frozen = noisy(90, 0)
    steps = [noisy(90, i) for i in range(5)]
    broken = ScriptedCapture([*steps, "hang"] if fault == "hang" else steps if fault == "fail" else (frozen for _ in count()))
    sound = ScriptedCapture(noisy(90, 100 + i) for i in count())
    told: list[str] = []
    with Camera("0", QUICK, opener=Opener(broken, sound), report=told.append) as camera:
        frames = collect(camera, lambda _: any("64x48" in line for line in told[1:]))
        frames += collect(camera, at_least(3))
        broken.unplug.set()
    reason = {"hang": "delivered nothing", "fail": "stopped delivering", "freeze": "the same picture"}[fault]
    assert any(reason in line and "opening it again" in line and "try 1 of 2" in line for line in told)
    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers))
    assert broken.released.wait(5)
    assert sound.released.is_set()


def test_a_camera_that_never_returns_ends_with_an_error() -> None:
    opener = Opener(ScriptedCapture([noisy(90, 0), noisy(90, 1)]))
    told: list[str] = []
    with Camera("0", QUICK, opener=opener, report=told.append) as camera, pytest.raises(CameraError, match="again 2 times") as caught:
        collect(camera)
    assert caught.value.exit_code == ExitCode.CAMERA
    assert opener.tries == 3
    assert [line for line in told if "try 1 of 2" in line and "0.01 s" in line]
    assert [line for line in told if "try 2 of 2" in line and "0.02 s" in line]
    assert camera.ended


def test_a_camera_that_comes_back_for_a_moment_only_is_given_up_too() -> None:
    opener = Opener(*[ScriptedCapture([noisy(90, i)]) for i in range(10)])
    with Camera("0", QUICK, opener=opener, report=lambda _: None) as camera, pytest.raises(CameraError, match="given up"):
        collect(camera)
    assert opener.tries == 3


def test_long_good_times_forgive_old_losses() -> None:
    # Each opening is lost after more pictures than make it sound again: more losses in all than are allowed in a row.
    opener = Opener(*[ScriptedCapture([noisy(90, 50 * i + j) for j in range(50)], pause_s=0.0) for i in range(5)])
    with Camera("0", QUICK, opener=opener, report=lambda _: None) as camera, pytest.raises(CameraError, match="given up"):
        collect(camera)
    assert len(opener.opened) == 5


def test_a_camera_that_is_not_there_is_not_tried_again() -> None:
    opener = Opener()
    with Camera("0", QUICK, opener=opener, report=lambda _: None) as camera, pytest.raises(CameraError, match="gone"):
        collect(camera)
    assert opener.tries == 1


def test_an_opening_that_hangs_is_given_up() -> None:
    over = threading.Event()

    def hang(address: object, options: object) -> ScriptedCapture:
        over.wait(30)
        return ScriptedCapture([])

    with quiet_camera("rtsp://cam/", hang) as camera, pytest.raises(CameraError, match="did not open within 1 s"):
        collect(camera)
    over.set()


def test_closing_leaves_no_thread_and_no_handle() -> None:
    source = ScriptedCapture(noisy(i % 200, i) for i in count())
    camera = Camera("0", QUICK, opener=Opener(source), report=lambda _: None)
    collect(camera, at_least(3))
    assert capture_threads() == ["capture 0"]
    camera.close()
    camera.close()
    assert capture_threads() == []
    assert source.released.is_set()
    assert camera.next_frame() is None


def test_a_failure_inside_the_driver_becomes_an_error() -> None:
    class Exploding(ScriptedCapture):
        def read(self) -> tuple[bool, object]:
            raise cv2.error("driver said no")

    with quiet_camera("film.avi", Opener(Exploding([]))) as camera, pytest.raises(CameraError, match="driver said no"):
        collect(camera)


def test_a_fault_of_the_program_is_not_lost_in_the_thread() -> None:
    class Wrong(ScriptedCapture):
        def read(self) -> tuple[bool, object]:
            raise TypeError("a slip")

    with quiet_camera("0", Opener(Wrong([]))) as camera, pytest.raises(TypeError, match="a slip"):
        collect(camera)


# Warm-up


def test_dark_first_pictures_are_dropped() -> None:
    dark = [noisy(level, level) for level in range(5, 120, 10)]
    lit = (noisy(120, 1000 + i) for i in count())
    options = CameraOptions(warm_up_min_frames=3, warm_up_max_frames=60)

    def steps() -> object:
        yield from dark
        yield from lit

    with Camera("0", options, opener=Opener(ScriptedCapture(steps())), report=lambda _: None) as camera:  # type: ignore[arg-type]
        first = collect(camera, at_least(1))[0]
    assert first.frame.picture.mean() > 115


def test_warm_up_has_a_minimum() -> None:
    warm_up = WarmUp(min_frames=9, max_frames=60)
    over = [warm_up.is_over(noisy(90, i)) for i in range(12)]
    assert over.index(True) == 9


def test_warm_up_has_a_cap() -> None:
    warm_up = WarmUp(min_frames=2, max_frames=20)
    over = [warm_up.is_over(noisy(60 if i % 2 else 140, i)) for i in range(30)]
    assert over.index(True) == 20


# What is asked of a camera, and what it says


def test_mjpg_is_asked_for_before_size_and_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ScriptedCapture([])
    opened = []
    monkeypatch.setattr(video, "_check_device", lambda address: None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(cv2, "VideoCapture", lambda *arguments: opened.append(arguments) or fake)
    assert open_capture(parse_address("1"), CameraOptions(width_px=1920, height_px=1080, fps=25)) is fake
    assert opened == [(1, cv2.CAP_V4L2)]
    mjpg = cv2.VideoWriter.fourcc(*"MJPG")
    wanted = [(cv2.CAP_PROP_FOURCC, mjpg), (cv2.CAP_PROP_FRAME_WIDTH, 1920), (cv2.CAP_PROP_FRAME_HEIGHT, 1080), (cv2.CAP_PROP_FPS, 25)]
    assert fake.asked == wanted


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
        (_folder, "is a folder"),
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
def test_a_device_without_permission_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video.os, "access", lambda path, mode: False)
    with Camera("/dev/null") as camera, pytest.raises(CameraError, match=r"no permission .* usermod -aG video"):
        collect(camera)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="device files are a matter of Linux")
def test_a_device_that_is_no_camera(capfd: pytest.CaptureFixture[str]) -> None:
    with Camera("/dev/null") as camera, pytest.raises(CameraError, match="camera /dev/null: cannot be opened"):
        collect(camera)
    assert capfd.readouterr() == ("", "")


def test_an_http_stream_is_read_with_its_newest_pictures() -> None:
    pictures = [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(12)]
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
    options = CameraOptions(open_s=2, stall_s=1, backoff_s=0.01, reopen_tries=2)
    ended = pytest.raises(CameraError, match="stopped delivering pictures, given up")
    with serve_mjpeg([noisy(90, i) for i in range(5)], rounds=1) as url, Camera(url, options, report=told.append) as camera, ended:
        collect(camera)
    assert sum("opening it again" in line for line in told) == 2


@pytest.mark.parametrize("place", ["port", "path"])
def test_a_stream_that_is_not_there(place: str) -> None:
    with serve_mjpeg([noisy(90, 0)]) as url:
        wrong = "http://127.0.0.1:9/stream" if place == "port" else url + "er"
        with Camera(wrong, CameraOptions(open_s=2)) as camera, pytest.raises(CameraError, match="stream cannot be opened; check"):
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
