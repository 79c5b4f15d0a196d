"""The window that cannot be opened says what to do; the one that can shows state and keys."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge_digits.errors import ExitCode, UsageError
from edge_digits.live import window
from edge_digits.live.page import SettledPage
from edge_digits.live.watcher import Look
from edge_digits.live.window import BAR_PX, check_screen, draw_look
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame
from tests.doubles.pages import number, reading

WITH_WINDOWS = "  GUI:                           QT5\n    QT: YES\n"
WITHOUT_WINDOWS = "  To be built: core\n\n  GUI:                           NONE\n    VTK support: NO\n"


def pretend(monkeypatch: pytest.MonkeyPatch, build: str, display: str | None, child_code: int = 0) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: build)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=child_code))


@pytest.mark.parametrize(
    ("build", "display", "child_code", "message"),
    [
        (WITHOUT_WINDOWS, ":0", 0, "pip install opencv-python.*--no-window"),
        (WITH_WINDOWS, None, 0, "DISPLAY is not set.*--no-window"),
        (WITH_WINDOWS, ":9", -6, "no window can be opened on display ':9'.*--no-window"),
    ],
)
def test_a_machine_without_windows(monkeypatch: pytest.MonkeyPatch, build: str, display: str | None, child_code: int, message: str) -> None:
    pretend(monkeypatch, build, display, child_code)
    with pytest.raises(UsageError, match=message) as caught:
        check_screen()
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_machine_with_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, WITH_WINDOWS, ":0")
    check_screen()


def test_the_trial_in_the_child_is_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # On a display that is not there the trial must fail, whichever OpenCV is installed, and not take this process along.
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: WITH_WINDOWS)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(UsageError, match="':4711'"):
        check_screen()


@pytest.mark.parametrize("shape", [(90, 640), (90, 640, 3), (1, 1)])
def test_a_look_without_numbers_is_the_frame_over_a_bar(shape: tuple[int, ...]) -> None:
    frame = Frame.from_array(np.full(shape, 200, np.uint8))
    drawn = draw_look(Look(LiveFrame(frame, 0.0, 1), 0.0, blurred=False, moving=False, overlay=None), 12.0)
    assert drawn.shape == (shape[0] + BAR_PX, shape[1], 3)
    assert (drawn[: shape[0]] == 200).all()


def test_the_bar_tells_the_state() -> None:
    frame = Frame.from_array(np.full((90, 640), 200, np.uint8))
    page = SettledPage(reading([number("12", (100, 40, 60, 40))]), ())
    sharp, blurred = (Look(LiveFrame(frame, 0.0, 1), 0.0, blurred=state, moving=False, overlay=page) for state in (False, True))
    pictures = [draw_look(sharp, 12.0), draw_look(sharp, 12.0, frozen=True), draw_look(blurred, 12.0)]
    bars = [picture[90:] for picture in pictures]
    assert not np.array_equal(bars[0], bars[1])
    assert not np.array_equal(bars[0], bars[2])
    assert (pictures[0][:90] != 200).any()
    assert window.HELP.startswith("q quit")
