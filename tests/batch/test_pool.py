"""Real worker processes, with readers that fail as told."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_digits.batch.options import BatchOptions
from edge_digits.batch.pool import Pool
from edge_digits.batch.processes import LocalProcesses
from edge_digits.batch.schedule import Event, FileDone, PageDone, Refused, Schedule, Task
from edge_digits.batch.worker import ReaderFactory
from edge_digits.errors import EdgeDigitsError, ModelDamagedError
from edge_digits.options import Options
from tests.doubles.readers import MODEL, DamagedModel, DiesWhileStarting, ToldReader


class Work:
    """A pool over files with such contents, and what it told."""

    def __init__(self, files: dict[str, str], folder: Path, count: int = 2, timeout_s: float = 60.0, **choices: Any) -> None:
        schedule = Schedule(lambda _: set())
        for index, (name, content) in enumerate(files.items()):
            (folder / name).write_text(content, encoding="utf-8")
            schedule.add(Task(index, str(folder / name)))
        factory = choices.pop("factory", ToldReader)
        self.pool = Pool(LocalProcesses(BatchOptions(count, **choices), factory, Options()), schedule, timeout_s)
        self.events: list[Event] = []

    def run(self) -> dict[str, list[str]]:
        """By file name: of each page "ok" or its error, in the order of the pages."""
        kill = True
        try:
            for event in self.pool.run():
                assert event is not None
                self.events.append(event)
            kill = False
        finally:
            self.pool.close(kill=kill)
        return outcome(self.events)


def outcome(events: list[Event]) -> dict[str, list[str]]:
    pages: dict[str, dict[int, str]] = {}
    done: set[str] = set()
    for event in events:
        name = Path(event.task.path).name
        assert name not in done
        if isinstance(event, PageDone):
            assert event.page not in pages.setdefault(name, {})
            pages[name][event.page] = "ok" if event.error is None else event.error["message"]
        elif isinstance(event, Refused):
            pages[name] = {0: event.error["message"]}
        elif isinstance(event, FileDone):
            done.add(name)
    assert done == set(pages)
    return {name: [found[page] for page in sorted(found)] for name, found in pages.items()}


def test_every_page_is_read_once_whatever_the_others_do(tmp_path: Path) -> None:
    files = {
        "good": "12\n34\n5",
        "bad": "1\nerror\n2",
        "bug": "bug",
        "empty": "",
        "dies": "7\nkill\n8",
        "once": "9\nkill-once\n10",
        "closed": "cannot be opened",
        "last": "3",
    }
    found = Work(files, tmp_path).run()
    assert set(found) == set(files)
    assert found["good"] == ["ok", "ok", "ok"]
    assert found["bad"] == ["ok", f"{tmp_path / 'bad'}: is bad; get it again", "ok"]
    assert found["bug"] == [f"{tmp_path / 'bug'}: not read, ZeroDivisionError (nobody thought of this); please report it"]
    assert found["empty"] == ["ok"]
    killed = f"{tmp_path / 'dies'}: page 2: its worker ended before it answered, 2 times; look at the file, or raise --timeout"
    assert found["dies"] == ["ok", killed, "ok"]
    assert found["once"] == ["ok", "ok", "ok"]
    assert found["closed"] == [f"{tmp_path / 'closed'}: cannot be opened; get it again"]
    assert found["last"] == ["ok"]


def test_a_worker_that_hangs_is_replaced(tmp_path: Path) -> None:
    found = Work({"hangs": "1\nhang\n3", "good": "5"}, tmp_path, count=1, timeout_s=1.0).run()
    assert found["hangs"][1].startswith(f"{tmp_path / 'hangs'}: page 2: its worker took longer than 1 s, 2 times")
    assert found["hangs"][::2] == ["ok", "ok"]
    assert found["good"] == ["ok"]


def test_the_time_limit_is_of_a_page_and_not_of_a_file(tmp_path: Path) -> None:
    assert Work({"long": "slow\nslow\nslow\nslow\nslow"}, tmp_path, count=1, timeout_s=1.5).run()["long"] == ["ok"] * 5


def test_a_worker_killed_from_outside(tmp_path: Path) -> None:
    marker = tmp_path / "go"
    work = Work({"waits": f"1\nwait {marker}\n2"}, tmp_path, count=1)
    for event in work.pool.run():
        assert event is not None
        work.events.append(event)
        if isinstance(event, PageDone) and not marker.exists():
            os.kill(work.pool._workers[0].member.process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
            marker.touch()
    work.pool.close()
    assert outcome(work.events)["waits"] == ["ok", "ok", "ok"]


def test_one_long_document_is_read_by_all(tmp_path: Path) -> None:
    work = Work({"long": "\n".join(["slow"] * 6)}, tmp_path, count=3)
    counts = set()
    for event in work.pool.run():
        assert event is not None
        work.events.append(event)
        counts.add(len(work.pool._workers))
    work.pool.close()
    assert outcome(work.events)["long"] == ["ok"] * 6
    assert max(counts) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's RLIMIT_DATA")
def test_a_page_that_takes_too_much_memory(tmp_path: Path) -> None:
    found = Work({"bomb": "1\nmemory\n3"}, tmp_path, count=1, page_memory_mb=200).run()
    assert found["bomb"][1] == f"{tmp_path / 'bomb'}: needs more than 200 MB of memory; look at the file, or raise --page-memory"
    assert found["bomb"][::2] == ["ok", "ok"]


def test_no_files_still_tell_the_model(tmp_path: Path) -> None:
    work = Work({}, tmp_path)
    assert work.pool.start() == MODEL
    assert work.run() == {}


@pytest.mark.parametrize(
    ("factory", "kind", "says"),
    [(DamagedModel, ModelDamagedError, "told.onnx: is damaged"), (DiesWhileStarting, EdgeDigitsError, "SIGKILL while starting.*doctor")],
)
def test_a_reader_that_cannot_be_made(tmp_path: Path, factory: ReaderFactory, kind: type[EdgeDigitsError], says: str) -> None:
    work = Work({"a": "1"}, tmp_path, factory=factory)
    with pytest.raises(kind, match=says):
        work.run()


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    import multiprocessing

    yield
    assert multiprocessing.active_children() == []
