"""When a file that comes into a folder is complete: by a clock of the test, and with the system's own news."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from edge_digits.batch.arrivals import CLOSED_REST_S, LOOK_S, Arrivals
from edge_digits.errors import MissingExtraError, UsageError


class Clock:
    """Time that passes when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Folder:
    """A folder, its arrivals, and what they gave so far."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.path, self.clock = folder, Clock()
        self.arrivals = Arrivals([folder], clock=self.clock, settle_s=3.0, rescan_s=10.0, **options)  # type: ignore[arg-type]

    def after(self, seconds: float) -> list[str]:
        """What is complete when so long has passed, looked at every moment."""
        found = []
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += LOOK_S
            found += self.arrivals.complete()
        return [file.relative_to(self.path).as_posix() for file in found]

    def put(self, name: str, content: str = "x", *, closed: bool | None = None) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(content, encoding="utf-8")
        if closed is not None:
            self.arrivals.news.put((str(self.path / name), closed))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_lies_there_is_complete_when_it_rests(folder: Folder) -> None:
    for name in ("b10.png", "b9.png", "deep/a.pdf", ".hidden.png", "notes.txt"):
        folder.put(name)
    assert folder.after(2.5) == []
    assert folder.after(2.0) == ["b9.png", "b10.png", "deep/a.pdf"]
    assert folder.after(30.0) == []


def test_a_file_that_was_closed_is_taken_at_once(folder: Folder) -> None:
    folder.after(1.0)
    folder.put("a.png", closed=True)
    assert folder.after(CLOSED_REST_S + 2 * LOOK_S) == ["a.png"]


def test_a_file_that_grows_is_waited_for(folder: Folder) -> None:
    folder.put("a.png", closed=False)
    for length in range(2, 9):
        assert folder.after(1.0) == []
        folder.put("a.png", "x" * length)
    assert folder.after(4.0) == ["a.png"]


def test_a_file_that_is_written_again_comes_again(folder: Folder) -> None:
    folder.put("a.png", closed=True)
    assert folder.after(2.0) == ["a.png"]
    folder.put("a.png", "other", closed=True)
    assert folder.after(2.0) == ["a.png"]
    (folder.path / "a.png").unlink()
    assert folder.after(11.0) == []
    folder.put("a.png", "other")
    assert folder.after(14.0) == ["a.png"]


def test_news_that_were_lost_are_made_up_for(folder: Folder) -> None:
    folder.after(1.0)
    folder.put("a.png")
    assert folder.after(8.0) == []
    assert folder.after(6.0) == ["a.png"]


def test_a_file_that_goes_before_it_is_complete(folder: Folder) -> None:
    folder.put("a.png", closed=False)
    folder.after(1.0)
    (folder.path / "a.png").unlink()
    assert folder.after(15.0) == []


def test_folders_that_files_are_moved_to_are_left_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path, excluded=[tmp_path / "done"], pattern="*.png")
    folder.put("done/a.png", closed=True)
    folder.put("b.png")
    folder.put("c.pdf", closed=True)
    assert folder.after(15.0) == ["b.png"]


def test_ten_thousand_files_at_once(folder: Folder) -> None:
    for index in range(10_000):
        (folder.path / f"{index}.png").touch()
    found = folder.after(4.0)
    assert found == [f"{index}.png" for index in range(10_000)]


def test_a_folder_that_has_gone(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "gone")
    with pytest.raises(UsageError, match="cannot be listed"):
        folder.after(1.0)
    assert folder.after(5.0) == []


def test_the_system_tells_what_was_closed_and_renamed(tmp_path: Path) -> None:
    pytest.importorskip("watchdog")
    arrivals = Arrivals([tmp_path], settle_s=600.0, rescan_s=600.0)
    arrivals.complete()
    observer = arrivals.listen()
    try:
        (tmp_path / "a.png").write_text("1", encoding="utf-8")
        (tmp_path / "b.part").write_text("2", encoding="utf-8")
        (tmp_path / "b.part").rename(tmp_path / "b.png")
        found: set[str] = set()
        end = time.monotonic() + 30
        while found != {"a.png", "b.png"} and time.monotonic() < end:
            time.sleep(0.05)
            found |= {path.name for path in arrivals.complete()}
    finally:
        observer.stop()
        observer.join()
    assert found == {"a.png", "b.png"}


def test_without_watchdog_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchdog.events", None)
    with pytest.raises(MissingExtraError, match=r'pip install "edge-digits\[watch-folder\]"'):
        Arrivals([tmp_path]).listen()
