"""Real worker processes, with readers that fail as told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_digits.batch.pool import Event, FileDone, PageRead, Pool, Ready, StartedAgain
from edge_digits.batch.worker import ReaderFactory, Task
from edge_digits.errors import EdgeDigitsError, ModelDamagedError
from edge_digits.options import Options
from tests.doubles.readers import MODEL, DamagedModel, DiesWhileStarting, ToldReader


def read(files: dict[str, str], folder: Path, count: int = 2, timeout_s: float = 60.0, factory: ReaderFactory = ToldReader) -> list[Event]:
    tasks = []
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
        tasks.append(Task(str(folder / name)))
    with Pool(factory, Options(), count, timeout_s) as pool:
        return list(pool.run(tasks))


def outcome(events: list[Event]) -> dict[str, tuple[int, str]]:
    """By file name: pages since its last start, and the message of its error."""
    pages: dict[str, int] = {}
    done: dict[str, tuple[int, str]] = {}
    for event in events:
        if isinstance(event, Ready):
            continue
        name = Path(event.task.path).name
        if isinstance(event, PageRead):
            assert name not in done
            pages[name] = pages.get(name, 0) + 1
        elif isinstance(event, StartedAgain):
            pages[name] = 0
        else:
            assert name not in done
            done[name] = (pages.get(name, 0), event.error["message"] if event.error else "")
    return done


def test_every_file_is_read_once_whatever_the_others_do(tmp_path: Path) -> None:
    files = {
        "good": "12\n34\n5",
        "bad": "1\nerror\n2",
        "bug": "bug",
        "empty": "",
        "dies": "7\nkill\n8",
        "once": "9\nkill-once\n10",
        "last": "3",
    }
    found = outcome(read(files, tmp_path))
    assert set(found) == set(files)
    assert found["good"] == (3, "")
    assert found["bad"] == (1, f"{tmp_path / 'bad'}: is bad; get it again")
    assert found["bug"] == (0, f"{tmp_path / 'bug'}: not read, ZeroDivisionError (nobody thought of this); please report it")
    assert found["empty"] == (1, "")
    assert found["dies"] == (1, f"{tmp_path / 'dies'}: its worker was ended by SIGKILL, 2 times; look at the file, or raise --timeout")
    assert found["once"] == (3, "")
    assert found["last"] == (1, "")


def test_a_worker_that_hangs_is_replaced(tmp_path: Path) -> None:
    found = outcome(read({"hangs": "1\nhang", "good": "5"}, tmp_path, count=1, timeout_s=2.0))
    assert found["hangs"] == (1, f"{tmp_path / 'hangs'}: its worker took longer than 2 s, 2 times; look at the file, or raise --timeout")
    assert found["good"] == (1, "")


def test_the_time_limit_is_of_a_page_and_not_of_a_file(tmp_path: Path) -> None:
    found = outcome(read({"long": "slow\nslow\nslow\nslow\nslow"}, tmp_path, count=1, timeout_s=3.0))
    assert found["long"] == (5, "")


def test_a_worker_killed_from_outside(tmp_path: Path) -> None:
    marker = tmp_path / "go"
    path = tmp_path / "waits"
    path.write_text(f"1\nwait {marker}\n2", encoding="utf-8")
    with Pool(ToldReader, Options(), 1, 60.0) as pool:
        events: list[Event] = []
        for event in pool.run([Task(str(path))]):
            events.append(event)
            if isinstance(event, PageRead) and not marker.exists():
                os.kill(pool._workers[0].process.pid, signal.SIGKILL)
                marker.touch()
    assert outcome(events)["waits"] == (3, "")
    assert [type(event) for event in events].count(StartedAgain) == 1


def test_no_more_workers_than_files(tmp_path: Path) -> None:
    events = read({"a": "1", "b": "2"}, tmp_path, count=5)
    assert sum(isinstance(event, Ready) for event in events) <= 2
    assert sum(isinstance(event, FileDone) for event in events) == 2


def test_no_files_still_tell_the_model(tmp_path: Path) -> None:
    (event,) = read({}, tmp_path)
    assert event == Ready(MODEL)


@pytest.mark.parametrize(
    ("factory", "kind", "says"),
    [(DamagedModel, ModelDamagedError, "told.onnx: is damaged"), (DiesWhileStarting, EdgeDigitsError, "SIGKILL while starting.*doctor")],
)
def test_a_reader_that_cannot_be_made(tmp_path: Path, factory: ReaderFactory, kind: type[EdgeDigitsError], says: str) -> None:
    with pytest.raises(kind, match=says):
        read({"a": "1"}, tmp_path, factory=factory)


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    import multiprocessing

    yield
    assert multiprocessing.active_children() == []
