"""Sources that deliver, but not as they should: dark, slow, always the same. Times are given, none is measured."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera
from edge_digits.sources.watchdog import Watchdog
from tests.doubles.cameras import QUICK, Opener, ScriptedCapture, at_least, collect, noisy

DARK, LIT = np.full((48, 64, 3), 6, np.uint8), np.full((48, 64, 3), 120, np.uint8)


def shown(watchdog: Watchdog, seconds: float, rate: float, picture: np.ndarray = LIT, *, start: float = 0.0, same: bool = False) -> str:
    """What it says after pictures at a rate."""
    for index in range(int(seconds * rate) + 1):
        watchdog.see(picture, start + index / rate, same=same)
    return watchdog.complaint(start + seconds)


def test_a_sound_source_gives_no_cause() -> None:
    assert Watchdog(30, 5).complaint(100.0) == ""
    assert shown(Watchdog(30, 5), 20, 30) == ""


def test_darkness_is_told_once_it_lasts() -> None:
    assert shown(Watchdog(30, 5), 4, 30, DARK) == ""
    watchdog = Watchdog(30, 5)
    assert shown(watchdog, 6, 30, DARK).startswith("is dark; take the cap off")
    assert shown(watchdog, 1, 30, LIT, start=6.1) == ""


def test_a_sheet_in_a_dim_room_is_not_dark() -> None:
    dim = DARK.copy()
    dim[10:20, 10:40] = 60
    assert shown(Watchdog(30, 5), 10, 30, dim) == ""


@pytest.mark.parametrize(("rate", "slow"), [(30.0, False), (8.0, False), (7.0, True), (0.5, True)])
def test_a_rate_far_below_the_announced_one_is_told(rate: float, slow: bool) -> None:
    told = shown(Watchdog(30, 5), 20, rate)
    assert told.startswith("is slow") == slow
    assert not slow or "instead of 30;" in told


def test_a_stream_is_measured_by_its_own_best() -> None:
    # FFmpeg tells 25 of every MJPEG stream, whatever it brings.
    watchdog = Watchdog(0, 5)
    assert shown(watchdog, 10, 4) == ""
    assert shown(watchdog, 10, 0.8, start=10.1).startswith("is slow, 0.8 frames/s instead of 4")


def test_a_silent_source_is_not_called_slow() -> None:
    watchdog = Watchdog(30, 5)
    shown(watchdog, 20, 30)
    assert watchdog.complaint(60.0) == ""


def test_a_picture_sent_over_and_over_is_told_once_it_lasts() -> None:
    watchdog = Watchdog(0, 5)
    assert shown(watchdog, 4, 10, same=True) == ""
    assert "the same picture for 5 s" in shown(watchdog, 6, 10, start=4.1, same=True)
    assert shown(watchdog, 1, 10, start=11) == ""


@pytest.mark.parametrize("fault", ["dark", "slow", "same"])
def test_a_bad_state_is_told_and_opened_again_once_and_then_lived_with(fault: str) -> None:
    options = CameraOptions(stall_s=0.6, backoff_s=0.01, warm_up_min_frames=0, warm_up_max_frames=0)
    still = noisy(90, 1)

    def play() -> ScriptedCapture:
        if fault == "dark":
            return ScriptedCapture((noisy(4, i) for i in count()), pause_s=0.01)
        if fault == "slow":
            return ScriptedCapture((noisy(90, i) for i in count()), {5: 900.0}, pause_s=0.02)
        return ScriptedCapture((still for _ in count()), pause_s=0.01)

    opener = Opener(*[play] * 10)
    told: list[str] = []
    address = "http://cam/" if fault == "same" else "0"
    with Camera(address, options, opener=opener, report=told.append) as camera:
        numbers = [frame.number for frame in collect(camera, lambda _: opener.tries == 2 and camera.trouble != "")]
        frames = collect(camera, at_least(40))
        numbers += [frame.number for frame in frames]
        assert camera.trouble.startswith({"dark": "is dark", "slow": "is slow", "same": "has sent the same picture"}[fault])
    assert len(frames) == 40
    assert numbers == sorted(set(numbers))
    assert opener.tries == 2
    assert sum("opening it again for once" in line for line in told) == 1


def test_a_state_that_is_over_may_be_told_again_later() -> None:
    options = CameraOptions(stall_s=0.5, backoff_s=0.01, warm_up_min_frames=0, warm_up_max_frames=0)

    def turn() -> ScriptedCapture:
        levels = (90 if index < 60 else 4 for index in count())
        return ScriptedCapture((noisy(level, index) for index, level in enumerate(levels)), pause_s=0.01)

    told: list[str] = []
    with Camera("0", options, opener=Opener(*[turn] * 20), report=told.append) as camera:
        collect(camera, lambda _: sum("is dark" in line for line in told) >= 2)


def test_a_stall_is_not_taken_for_slowness() -> None:
    steps = [noisy(90, i) for i in range(30)]
    broken = ScriptedCapture([*steps, "hang"], pause_s=0.02)
    told: list[str] = []
    with Camera("0", QUICK, opener=Opener(broken, ScriptedCapture(noisy(90, i) for i in count())), report=told.append) as camera:
        collect(camera, lambda _: any("opening it again" in line for line in told))
        broken.unplug.set()
    assert "delivered nothing" in told[1]
