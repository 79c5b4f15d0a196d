"""Digits corrected in the window: told, kept, and stored where `adapt` finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest

from edge_digits.errors import ExitCode
from edge_digits.live.correcting import Correcting
from edge_digits.live.watcher import Look
from edge_digits.live.window import Window
from edge_digits.personal.samples import find_samples, read_samples
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame
from tests.doubles.films import Film
from tests.live.test_loop import Keyboard, Run

SETTLING = "." * 12


def corrected(keys: str, folder: Path, film: Film | None = None) -> tuple[Run, Keyboard]:
    screen = Keyboard(SETTLING + keys)
    run = Run(film or Film(500), window=Window(screen), samples=folder)
    assert run.watch.run() == ExitCode.OK
    return run, screen


def test_a_corrected_digit_is_told_and_becomes_a_sample(tmp_path: Path) -> None:
    run, _ = corrected("c9\x1b" + 8 * "." + "q", tmp_path / "own")
    told = [entry for entry in run.told if entry["event"] == "corrected"]
    assert [(entry["was"], entry["number"]["text"], entry["number"]["value"]) for entry in told] == [("4072", "9072", "9072")]
    assert "changed" not in run.events
    (sample,) = find_samples(tmp_path / "own")
    assert sample.label == 9
    assert read_samples([sample]).skipped == []


def test_several_digits_one_after_the_other(tmp_path: Path) -> None:
    run, _ = corrected("c1b2n" + "5\x1bq", tmp_path)
    texts = [entry["number"]["text"] for entry in run.told if entry["event"] == "corrected"]
    assert texts == ["1072", "2072", "2052"]
    assert sorted(sample.label for sample in find_samples(tmp_path)) == [1, 2, 5]


def test_the_mouse_chooses_a_digit(tmp_path: Path) -> None:
    screen = Keyboard(SETTLING + "c.8\x1bq")
    run = Run(Film(500), window=Window(screen), samples=tmp_path)
    plain = screen.waitKey

    def wait(delay: int, /) -> int:
        key = plain(delay)
        if key == ord("c"):
            screen.mouse(cv2.EVENT_LBUTTONDOWN, 80 + 125, 100, 0, None)  # the third digit of 4072
        return key

    screen.waitKey = wait  # type: ignore[method-assign]
    run.watch.run()
    assert [entry["number"]["text"] for entry in run.told if entry["event"] == "corrected"] == ["4082"]


def test_the_picture_is_frozen_meanwhile_and_goes_on_after(tmp_path: Path) -> None:
    run, screen = corrected("c......\x1b....q", tmp_path)
    assert run.watcher.seen == len(SETTLING) + 1 + 4
    assert any((shown[240:] != screen.shown[0][240:]).any() for shown in screen.shown)


def test_a_page_without_numbers_has_nothing_to_correct(tmp_path: Path) -> None:
    run, _ = corrected("c9n\x1bq", tmp_path / "own", Film(500, [""]))
    assert run.told == []
    assert not (tmp_path / "own").exists()


def test_a_sample_that_cannot_be_stored_does_not_undo_the_correction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    run, _ = corrected("c9\x1bq", tmp_path / "file")
    assert "corrected" in run.events
    assert "sample not stored" in capsys.readouterr().err


def test_before_the_first_reading_there_is_no_choice(tmp_path: Path) -> None:
    frame = Frame.from_array(cv2.UMat(4, 4, cv2.CV_8U).get())
    correcting = Correcting(Look(LiveFrame(frame, 0.0, 1), 0.0, blurred=False, moving=False, overlay=None), tmp_path)
    correcting.step(1)
    correcting.choose_at(1, 1)
    nobody: Any = None
    assert correcting.chosen is None
    assert correcting.name(3, nobody) is None
