"""Cameras that stall, freeze, vanish and come back; doubles play them."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count

import cv2
import numpy as np
import pytest

from edge_digits.errors import CameraError, ExitCode
from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera
from edge_digits.sources.capture import WarmUp
from tests.doubles.cameras import QUICK, TURNS, Opener, ScriptedCapture, at_least, capture_threads, collect, noisy, quiet_camera


def test_a_slow_reader_gets_the_newest_picture_and_none_twice() -> None:
    source = ScriptedCapture(noisy(i % 200, i) for i in count())
    with Camera("0", QUICK, opener=Opener(source), report=lambda _: None) as camera:
        first = collect(camera, at_least(1))[0]
        enough = source.reads + 40
        while source.reads < enough:
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
    assert broken.released.wait(60)
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

    impatient = replace(QUICK, open_s=1.0)
    with (
        Camera("rtsp://cam/", impatient, opener=hang, report=lambda _: None) as camera,
        pytest.raises(CameraError, match="did not open within 1 s"),
    ):
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
