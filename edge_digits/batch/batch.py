"""One batch from start to end: what is left to read, the pool's events into the journal, the journal into the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from edge_digits._version import __version__
from edge_digits.batch.engines import make_crew
from edge_digits.batch.inputs import plain
from edge_digits.batch.journal import Journal
from edge_digits.batch.opening import state_of
from edge_digits.batch.options import BatchOptions
from edge_digits.batch.pool import Pool
from edge_digits.batch.schedule import Error, Event, FileDone, Opened, PageDone, Refused, Schedule, Task
from edge_digits.batch.worker import ReaderFactory
from edge_digits.options import Options

Again = Literal["none", "failed", "all"]
"""What is read that was read before."""


class Progress:
    """Told what a batch is about to do, and what became of it; this one says nothing."""

    def begin(self, files: int, left: int) -> None:
        """So many files in all, so many of them to be read."""

    def page(self) -> None:
        """A page was read or has failed."""

    def failure(self, error: Error) -> None:
        """A file or a page has failed."""

    def file(self) -> None:
        """Nothing of a file is left to be read."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done. files : in the order of the table. annotate : folder for annotated pictures, or None.

    again : what is read though it was read before; with "failed", nothing else is read.
    """

    files: list[Path]
    annotate: Path | None
    options: Options
    batch: BatchOptions
    factory: ReaderFactory
    again: Again = "none"


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


@dataclass(slots=True, eq=False)
class Batch:
    """A job and its journal. Use as a context: on leaving it, no worker is left.

    done : how many files need no reading (any more).
    """

    job: Job
    journal: Journal
    progress: Progress = field(default_factory=Progress)
    tally: Tally = field(default_factory=Tally)
    done: int = 0
    _pool: Pool = field(init=False)
    _renewed: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _tasks: int = 0

    def __post_init__(self) -> None:
        job = self.job
        crew = make_crew(job.batch, job.factory, job.options)
        self._pool = Pool(crew, Schedule(self._pages_known), job.batch.timeout_s)

    def __enter__(self) -> Batch:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.close(kill=kind is not None)

    def start(self) -> None:
        """Start the first worker, and choose the journal's pages by the model it has loaded. Raises as a Reader does."""
        self.journal.use(_settings(self._pool.start(), self.job))

    def run(self) -> None:
        """Read what is not done."""
        self.start()
        started = monotonic()
        tasks = [self.task(path) for path in self.job.files]
        left = [task for task in tasks if self.is_wanted(task)]
        self.done = len(tasks) - len(left)
        self.progress.begin(len(tasks), len(left))
        for task in left:
            self.add(task)
        for event in self._pool.run():
            self.note(event)
        self.tally.files, self.tally.seconds = len(tasks), monotonic() - started

    def task(self, path: Path) -> Task:
        """The task of reading a file; its annotated pictures get a name of their own."""
        self._tasks += 1
        annotate = self.job.annotate
        return Task(self._tasks, str(path), None if annotate is None else str(annotate / _free_name(path, self._names)))

    def is_wanted(self, task: Task) -> bool:
        """Whether a file is to be read, as the journal and `again` have it."""
        source = plain(task.path)
        if self.job.again == "failed":
            return self.journal.has_failed(source)
        return self.job.again == "all" or not self.journal.is_done(source, state_of(Path(task.path)))

    def add(self, task: Task) -> None:
        """One more file to read."""
        self._pool.schedule.add(task)

    def events(self, tick_s: float) -> Iterator[Event | None]:
        """What happens, for as long as it is asked for; None when nothing has happened for so long."""
        return self._pool.run(tick_s)

    def note(self, event: Event | None) -> None:
        """Write down what has happened."""
        if isinstance(event, Opened):
            self._note_opened(event)
        elif isinstance(event, Refused):
            error = _plain_error(event.error)
            self.journal.add_file(plain(event.task.path), event.state, None, error)
            self.progress.failure(error)
        elif isinstance(event, PageDone):
            self._note_page(event)
        elif isinstance(event, FileDone):
            self.done += 1
            self.progress.file()

    def listed(self) -> list[tuple[str, int | None]]:
        """The files of the table, in its order, as Journal.list_files takes them."""
        return [(plain(str(path)), None) for path in self.job.files]

    def _note_opened(self, event: Opened) -> None:
        content = event.task.key(event.digest)
        self.journal.add_content(content, event.count)
        self.journal.add_file(plain(event.task.path), event.state, content)

    def _note_page(self, event: PageDone) -> None:
        source, error = plain(event.task.path), None if event.error is None else _plain_error(event.error)
        self.journal.add_page(event.content, event.page, event.entry, error, source)
        self.tally.read_pages += error is None
        self.progress.page()
        if error is not None:
            self.progress.failure(error)

    def _pages_known(self, opened: Opened) -> set[int]:
        content = opened.task.key(opened.digest)
        if self.job.again == "all" and content not in self._renewed:
            self._renewed.add(content)
            self.journal.forget(content)
        return self.journal.pages_done(content, even_failed=self.job.again != "failed")


def _settings(model: dict[str, Any], job: Job) -> dict[str, Any]:
    """All that a reading depends on, besides the paper."""
    chosen = asdict(job.options)
    chosen["recognition"].pop("threads")
    return {"version": __version__, "model": model, "annotate": job.annotate is not None, "options": chosen}


def _plain_error(error: Error) -> Error:
    return {key: plain(text) for key, text in error.items()}


def _free_name(path: Path, taken: set[str]) -> str:
    """The file's name without extension, numbered where files of several folders share one; the same in every run."""
    name, number = path.stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{path.stem}-{number}"
    taken.add(name.casefold())
    return name
