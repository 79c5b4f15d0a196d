"""The loop of `watch`: when it ends, what it tells, and that nothing that goes wrong at the side ends it."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge_digits.errors import CameraError, ExitCode
from edge_digits.live.loop import Limits, Watch
from edge_digits.live.outputs import Outputs
from edge_digits.live.saving import Keeper
from edge_digits.live.watcher import Watcher
from edge_digits.live.window import Window
from edge_digits.sources.camera import LiveFrame
from tests.doubles.films import Film, FilmReader

PAGE = "4072"
EMPTY = ""


class Run:
    """A watch over a film, and what it told."""

    def __init__(self, source: Any, limits: Limits | None = None, *, save: Path | None = None, **options: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self.reader = FilmReader(source, options.pop("confidence", 0.99))
        self.watcher = Watcher(self.reader)
        outputs = Outputs(self.told.append, keeper=None if save is None else Keeper(save))
        self.watch = Watch(source, self.watcher, limits or Limits(), outputs=outputs, **options)

    @property
    def events(self) -> list[str]:
        return [entry["event"] for entry in self.told]


def test_a_film_is_watched_to_its_end() -> None:
    run = Run(Film(60, [PAGE] * 25 + [EMPTY]))
    assert run.watch.run() == ExitCode.OK
    assert run.events == ["settled", "page", "removed", "page"]
    settled, page, removed, empty = run.told
    assert settled["number"]["text"] == "4072"
    assert page["lines"][0]["numbers"][0]["id"] == removed["number"]["id"]
    assert empty["lines"] == []
    assert (settled["frame"], settled["time_s"]) == (9, 0.32)
    assert run.watcher.seen == 60


def test_an_empty_film_tells_nothing() -> None:
    run = Run(Film(0))
    assert run.watch.run() == ExitCode.OK
    assert run.told == []


def test_every_entry_is_json_with_the_documented_fields() -> None:
    run = Run(Film(90, [PAGE] * 25 + ["4075"] * 25 + [EMPTY]))
    run.watch.run()
    assert run.events == ["settled", "page", "changed", "page", "removed", "page"]
    for entry in run.told:
        assert json.loads(json.dumps(entry)) == entry
        assert {"event", "source", "frame", "time_s", "at"} <= set(entry)
        if entry["event"] == "page":
            assert {"page", "width", "height", "lines", "model", "provider", "elapsed_ms"} <= set(entry)
        else:
            assert {"id", "text", "value", "confidence", "box", "digits", "votes", "frames"} == set(entry["number"])
        assert ("was" in entry) == (entry["event"] == "changed")


def test_once_ends_with_the_first_settled_page() -> None:
    run = Run(Film(500), Limits(once=True, wait_s=60))
    assert run.watch.run() == ExitCode.OK
    assert run.events == ["settled", "page"]
    assert run.watcher.seen < 20


def test_once_without_a_page_is_a_camera_error() -> None:
    run = Run(Film(30, [EMPTY]), Limits(once=True, wait_s=60))
    with pytest.raises(CameraError, match="no page settled before the source ended"):
        run.watch.run()


class Silence:
    """A live source that never delivers."""

    ended, is_recording, announced_frames = False, False, 0

    def next_frame(self, wait_s: float) -> LiveFrame | None:
        threading.Event().wait(0.01)
        return None


def test_once_gives_up_in_time() -> None:
    run = Run(Silence(), Limits(once=True, wait_s=0.2))
    with pytest.raises(CameraError, match=r"no page settled within 0\.2"):
        run.watch.run()


def test_seconds_end_a_live_watch_even_without_frames() -> None:
    assert Run(Silence(), Limits(seconds=0.1)).watch.run() == ExitCode.OK


def test_seconds_of_a_recording_are_its_own() -> None:
    run = Run(Film(5000, [EMPTY]), Limits(seconds=1.0))
    assert run.watch.run() == ExitCode.OK
    assert run.watcher.seen == 26


def send(number: int, at_frame: int) -> Any:
    return lambda frame: os.kill(os.getpid(), number) if frame == at_frame else None


def test_ctrl_c_ends_between_two_frames() -> None:
    before = signal.getsignal(signal.SIGINT)
    run = Run(Film(500, on_frame=send(signal.SIGINT, 18)))
    assert run.watch.run() == ExitCode.INTERRUPTED
    assert run.watcher.seen == 18
    assert run.events == ["settled", "page"]
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_ends_in_peace() -> None:
    run = Run(Film(500, on_frame=send(signal.SIGTERM, 10)))
    assert run.watch.run() == ExitCode.OK
    assert run.events == ["settled"]


def test_sigterm_before_the_one_page_is_no_success() -> None:
    run = Run(Film(500, on_frame=send(signal.SIGTERM, 2)), Limits(once=True, wait_s=60))
    with pytest.raises(CameraError, match="before it was stopped"):
        run.watch.run()


def test_settled_pages_are_saved(tmp_path: Path) -> None:
    run = Run(Film(60, [PAGE] * 25 + [EMPTY]), save=tmp_path / "kept")
    run.watch.run()
    (crop,) = (tmp_path / "kept").glob("*-number-1.png")
    assert Path(run.told[0]["crop"]) == crop
    assert cv2.imread(str(crop)).shape == (90, 230, 3)
    (picture, *_) = sorted(p.with_suffix(".png") for p in (tmp_path / "kept").glob("*.json"))
    assert cv2.imread(str(picture)).shape == (240, 480, 3)
    drawn = cv2.imread(str(picture.with_name(picture.stem + "-read.png")))
    assert (drawn != cv2.imread(str(picture))).any()
    assert json.loads(picture.with_suffix(".json").read_text())["lines"][0]["text"] == "4072"
    assert len(list((tmp_path / "kept").iterdir())) == 7


def test_a_folder_that_vanishes_does_not_end_the_watch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "kept"
    blocked.touch()
    run = Run(Film(30), save=blocked)
    assert run.watch.run() == ExitCode.OK
    assert run.events == ["settled", "page"]
    told = capsys.readouterr().err
    assert "crop not saved" in told
    assert told.count("not saved") == 1


class Keyboard:
    """highgui with prepared keys, one a frame."""

    def __init__(self, keys: str) -> None:
        self._keys = list(keys)
        self.shown: list[Any] = []
        self.visible = 1.0

    def namedWindow(self, name: str, flags: int = 0, /) -> None:  # noqa: N802
        pass

    def resizeWindow(self, name: str, width: int, height: int, /) -> None:  # noqa: N802
        self.size = (width, height)

    def imshow(self, name: str, picture: Any, /) -> None:
        self.shown.append(picture)

    def waitKey(self, delay: int, /) -> int:  # noqa: N802
        key = self._keys.pop(0) if self._keys else "."
        return -1 if key == "." else ord(key)

    def getWindowProperty(self, name: str, prop: int, /) -> float:  # noqa: N802
        if self.visible < 0:
            raise cv2.error("please create a window")
        return self.visible

    def destroyAllWindows(self) -> None:  # noqa: N802
        pass

    def setMouseCallback(self, name: str, callback: Any, /) -> None:  # noqa: N802
        self.mouse = callback


def test_the_window_shows_frames_and_obeys_quit() -> None:
    screen = Keyboard("......q")
    run = Run(Film(500), window=Window(screen))
    assert run.watch.run() == ExitCode.OK
    assert run.watcher.seen == len(screen.shown) == 6
    assert {picture.shape for picture in screen.shown} == {(268, 480, 3)}
    assert screen.size == (480, 268)
    assert (screen.shown[-1][:240] != screen.shown[0][:240]).mean() > 0.01


@pytest.mark.parametrize("visible", [0.0, -1.0])
def test_a_closed_window_quits(visible: float) -> None:
    screen = Keyboard("")
    screen.visible = visible
    run = Run(Film(500), window=Window(screen))
    assert run.watch.run() == ExitCode.OK
    assert run.watcher.seen == 1


def test_space_freezes_and_frees() -> None:
    screen = Keyboard(".. .... ..q")
    run = Run(Film(500), window=Window(screen))
    run.watch.run()
    assert run.watcher.seen == 2 + 1 + 2
    assert len(screen.shown) == run.watcher.seen + 2


def test_the_key_s_saves_what_is_seen(tmp_path: Path) -> None:
    run = Run(Film(500), window=Window(Keyboard("s" + 12 * "." + "s.q")), keeper=Keeper(tmp_path))
    run.watch.run()
    (entry,) = tmp_path.glob("*.json")
    assert json.loads(entry.read_text())["lines"][0]["text"] == "4072"
