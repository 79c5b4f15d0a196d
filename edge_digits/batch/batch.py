"""One batch from start to end: what is left to read, the pool's events into the journal, the journal into the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from edge_digits.batch.inputs import plain
from edge_digits.batch.journal import FileState, Journal
from edge_digits.batch.options import BatchOptions
from edge_digits.batch.pool import FileDone, PageRead, Pool, Ready, StartedAgain
from edge_digits.batch.worker import ReaderFactory, Task
from edge_digits.options import Options

Tell = Callable[[dict[str, str] | None], None]
"""Called with each finished file's error, or None."""
Change = Callable[[dict[str, Any]], dict[str, Any]]
"""Called with each page's or failure's JSON object; gives the one for the table."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done. files : in the order of the table. annotate : folder for annotated pictures, or None."""

    files: list[Path]
    annotate: Path | None
    options: Options
    batch: BatchOptions
    factory: ReaderFactory


@dataclass(slots=True)
class Tally:
    """What a table holds, and what it took. read_pages, seconds : of this run alone; the others of the whole table."""

    files: int = 0
    pages: int = 0
    numbers: int = 0
    unsure: int = 0
    failed: int = 0
    read_pages: int = 0
    seconds: float = 0.0


class Batch:
    """A job and its journal. done : sources that need no reading (any more)."""

    def __init__(self, job: Job, journal: Journal) -> None:
        """Compare the files with the journal: those read without an error and unchanged since are done."""
        self.job, self.journal, self.tally = job, journal, Tally()
        self._states = {plain(str(path)): FileState.of(path) for path in job.files}
        self.done = {source for source, state in self._states.items() if journal.state(source) == state}

    def run(self, tell: Tell) -> None:
        """Read what is not done. No worker is left when this ends, however it ends."""
        started = monotonic()
        tasks = [task for task in self._tasks() if plain(task.path) not in self.done]
        for task in tasks:
            self.journal.forget(plain(task.path))
        count = self.job.batch.worker_count(len(tasks))
        with (
            Pool(self.job.factory, self.job.options, count, self.job.batch.timeout_s) as pool,
            closing(pool.run(tasks)) as events,
        ):
            for event in events:
                self._note(event, tell)
        self.tally.seconds = monotonic() - started

    def entries(self, change: Change | None = None) -> Iterator[dict[str, Any]]:
        """What the table is written from: one JSON object a page or failure, in the order of the files and their pages.

        A page: the object of `read --format json`, less "elapsed_ms". A failure: {"source", "error": {"type", "message"}},
        and "page" where it is of one page. Counted as they pass.

        change : what is done to each before it is counted.
        """
        self.tally.files = len(self._states)
        for entry in self.noted():
            changed = entry if change is None else change(entry)
            self._count(changed)
            yield changed

    def noted(self) -> Iterator[dict[str, Any]]:
        """The same as they are in the journal, and not counted."""
        for source in self._states:
            yield from self.journal.entries(source)

    def _note(self, event: Ready | PageRead | StartedAgain | FileDone, tell: Tell) -> None:
        if isinstance(event, Ready):
            self.journal.check_settings({"model": event.model})
            return
        source = plain(event.task.path)
        if isinstance(event, PageRead):
            self.tally.read_pages += 1
            self.journal.add_page(source, event.entry["page"], {**event.entry, "source": source})
        elif isinstance(event, StartedAgain):
            self.journal.forget(source)
        else:
            error = None if event.error is None else {key: plain(text) for key, text in event.error.items()}
            self.journal.finish(source, self._states[source], error)
            self.done.add(source)
            tell(error)

    def _count(self, entry: dict[str, Any]) -> None:
        if "error" in entry:
            self.tally.failed += 1
            return
        numbers = [number for line in entry["lines"] for number in line["numbers"]]
        self.tally.pages += 1
        self.tally.numbers += len(numbers)
        self.tally.unsure += sum(number["value"] is None for number in numbers)

    def _tasks(self) -> Iterator[Task]:
        taken: set[str] = set()
        for path in self.job.files:
            yield Task(str(path), None if self.job.annotate is None else str(self.job.annotate / _free_name(path, taken)))


def _free_name(path: Path, taken: set[str]) -> str:
    """The file's name without extension, numbered where files of several folders share one; the same in every run."""
    name, number = path.stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{path.stem}-{number}"
    taken.add(name.casefold())
    return name
