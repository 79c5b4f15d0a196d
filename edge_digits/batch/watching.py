"""A batch without an end: files are read as they come into a folder, and the table is written anew when it has grown.

The journal is what lasts. A file is moved after its pages are in the journal, and the table is written from all that ever
came; so a service that is killed at any moment goes on where it was, and what was read but not moved yet is moved then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

from edge_digits.batch.arrivals import Arrivals
from edge_digits.batch.batch import Batch, Tally
from edge_digits.batch.inputs import plain
from edge_digits.batch.moving import move_to
from edge_digits.batch.opening import state_of
from edge_digits.batch.schedule import Event, FileDone, Opened, Refused, Task
from edge_digits.errors import UsageError

TICK_S: Final = 0.25
WRITE_EVERY_S: Final = 30.0
WRITING_SHARE: Final = 0.05
"""Of the time, at most, that goes into writing the table while files keep coming."""

Write = Callable[[Sequence[tuple[str, int | None]], Tally], None]
"""Writes the table of these files, sources and numbers as Journal.list_files takes them, and counts what stands in it."""


@dataclass(slots=True, eq=False)
class FolderWatch:
    """A batch over folders that are being filled.

    folders : watched. write : writes the table. read_to, failed_to : where files go when they are read; None leaves them.
    """

    batch: Batch
    arrivals: Arrivals
    folders: Sequence[Path]
    write: Write
    read_to: Path | None = None
    failed_to: Path | None = None
    _unwritten: bool = True
    _next_write: float = 0.0
    _next_idle_write: float = 0.0
    _waiting: set[Path] = field(default_factory=set)
    _told: str = ""

    def run(self) -> None:
        """Read what comes, until Ctrl-C; then write the table once more. Raises as a Reader does, and UsageError."""
        self.batch.start()
        observer = self.arrivals.listen()
        try:
            for event in self.batch.events(TICK_S):
                self._handle(event)
                self._take()
                if self._unwritten and self._is_time(idle=not self._waiting):
                    self._write()
        finally:
            observer.stop()
            observer.join()
            if self._unwritten:
                self._write()

    def _handle(self, event: Event | None) -> None:
        self.batch.note(event)
        if isinstance(event, (Opened, Refused)):
            self._unwritten = True
        elif isinstance(event, FileDone):
            self._unwritten = True
            self._waiting.discard(Path(event.task.path))
            self._move(event.task)

    def _take(self) -> None:
        try:
            complete = self.arrivals.complete()
        except UsageError as error:
            self._tell(str(error))
            return
        for path in complete:
            task = self.batch.task(path)
            if self.batch.is_wanted(task):
                self._waiting.add(path)
                self.batch.add(task)
            else:
                self._move(task)

    def _move(self, task: Task) -> None:
        """Out of the way, unless it has changed since it was read."""
        path, source, journal = Path(task.path), plain(task.path), self.batch.journal
        folder = self.failed_to if journal.has_failed(source) else self.read_to
        if folder is None or not journal.is_done(source, state_of(path)):
            return
        root = next((root for root in self.folders if path.is_relative_to(root)), path.parent)
        try:
            move_to(path, folder, path.relative_to(root))
        except OSError as error:
            self._tell(f"{path}: cannot be moved to {folder} ({error.strerror or error}); it stays where it is")

    def _is_time(self, *, idle: bool) -> bool:
        return monotonic() >= (self._next_idle_write if idle else self._next_write)

    def _write(self) -> None:
        files, started = self.batch.journal.arrivals(), monotonic()
        try:
            self.write(files, Tally(files=len(files)))
            self._unwritten, self._told = False, ""
        except UsageError as error:  # The table may be open elsewhere, or the disk full for now; what was read is in the journal.
            self._tell(str(error))
        rest_s = (monotonic() - started) / WRITING_SHARE
        self._next_idle_write, self._next_write = monotonic() + rest_s, monotonic() + max(WRITE_EVERY_S, rest_s)

    def _tell(self, what: str) -> None:
        """Say it once, however often it is so."""
        if what != self._told:
            self._told = what
            print(f"edge-digits: {what}", file=sys.stderr)
