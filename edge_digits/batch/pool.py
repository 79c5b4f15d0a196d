"""Worker processes: started by spawn, fed one file at a time, replaced when they die or hang.

Spawn and not fork, because an ONNX Runtime session must not cross a fork. One pipe a worker and no shared queue,
because a process that is killed while it holds a queue's lock would stop all the others.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection, resource_tracker
from time import monotonic
from types import TracebackType
from typing import Any, Final

import edge_digits.errors
from edge_digits.batch.worker import Entry, ReaderFactory, Task, work
from edge_digits.errors import EdgeDigitsError
from edge_digits.options import Options

TRIES: Final = 2
"""How often a file may take its worker with it before it is given up."""
START_TIMEOUT_S: Final = 120.0
STARTS_THAT_MAY_FAIL: Final = 3
END_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has loaded its model."""

    model: dict[str, str]


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page of a file has been read."""

    task: Task
    entry: Entry


@dataclass(frozen=True, slots=True)
class StartedAgain:
    """The worker died over this file, which is read again from its first page: forget its pages."""

    task: Task


@dataclass(frozen=True, slots=True)
class FileDone:
    """A file is finished. error : {"type", "message"}, or None when every page was read."""

    task: Task
    error: dict[str, str] | None


Event = Ready | PageRead | StartedAgain | FileDone


@dataclass(slots=True, eq=False)
class _Worker:
    process: Any
    pipe: connection.Connection
    deadline: float
    is_ready: bool = False
    task: Task | None = None


@dataclass(slots=True, eq=False)
class Pool:
    """Workers that read files. Use as a context: on leaving it, no worker is left.

    page_timeout_s : seconds that one page may take.
    """

    factory: ReaderFactory
    options: Options
    count: int
    page_timeout_s: float
    _workers: list[_Worker] = field(default_factory=list)
    _waiting: deque[Task] = field(default_factory=deque)
    _tries: dict[Task, int] = field(default_factory=dict)
    _failed_starts: int = 0

    def __enter__(self) -> Pool:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close(kill=kind is not None)

    def run(self, tasks: Iterable[Task]) -> Generator[Event, None, None]:
        """Read the files, as many at once as there are workers; what happened, as it happens.

        Waits for one worker to be ready even when there is no task. Raises what the first worker's start raises
        (ModelError, ProviderError, ...), and EdgeDigitsError when workers die while they start.
        """
        self._waiting = deque(tasks)
        started = False
        while self._waiting or any(w.task for w in self._workers) or not started:
            while len(self._workers) < min(self.count, max(1, len(self._waiting) + sum(w.task is not None for w in self._workers))):
                self._workers.append(self._start())
            self._wait()
            for worker in list(self._workers):
                for event in self._events_of(worker):
                    started = started or isinstance(event, Ready)
                    yield event
                self._feed(worker)

    def close(self, *, kill: bool = False) -> None:
        """End all workers: at their leisure, or at once."""
        for worker in self._workers:
            if kill:
                worker.process.kill()
            else:
                _send(worker, None)
        for worker in self._workers:
            worker.process.join(None if kill else END_TIMEOUT_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self.factory, self.options), name="edge-digits worker", daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()
        return _Worker(process, ours, monotonic() + START_TIMEOUT_S)

    def _wait(self) -> None:
        """Until a worker says something, dies, or runs out of time."""
        deadlines = [w.deadline for w in self._workers if w.task or not w.is_ready]
        patience = max(0.0, min(deadlines) - monotonic()) if deadlines else None
        if all(w.is_ready and w.task is None for w in self._workers):
            return
        connection.wait([w.pipe for w in self._workers] + [w.process.sentinel for w in self._workers], patience)

    def _feed(self, worker: _Worker) -> None:
        if worker in self._workers and worker.is_ready and worker.task is None and self._waiting:
            worker.task = self._waiting.popleft()
            worker.deadline = monotonic() + self.page_timeout_s
            _send(worker, worker.task)

    def _events_of(self, worker: _Worker) -> Iterator[Event]:
        alive = worker.process.is_alive()  # Asked first: what it said before it died is still in the pipe.
        while (message := _receive(worker)) is not None:
            yield from self._event_of(worker, *message)
        if not alive:
            yield from self._bury(worker, _end_of(worker.process))
        elif monotonic() > worker.deadline and (worker.task or not worker.is_ready):
            seconds = self.page_timeout_s if worker.is_ready else START_TIMEOUT_S
            yield from self._bury(worker, f"took longer than {seconds:g} s")

    def _event_of(self, worker: _Worker, kind: str, content: Any) -> Iterator[Event]:
        worker.deadline = monotonic() + self.page_timeout_s
        if kind == "failed":
            raise _error_named(*content)
        if kind == "ready":
            worker.is_ready, self._failed_starts = True, 0
            yield Ready(content)
            return
        assert worker.task is not None
        if kind == "page":
            yield PageRead(worker.task, content)
            return
        self._tries.pop(worker.task, None)
        task, worker.task = worker.task, None
        yield FileDone(task, content)

    def _bury(self, worker: _Worker, how: str) -> Iterator[Event]:
        """Take a dead or hung worker away; its file is tried again or given up."""
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= STARTS_THAT_MAY_FAIL:
                raise EdgeDigitsError(f"worker {how} while starting, {self._failed_starts} times in a row; run `edge-digits doctor`")
        if worker.task is None:
            return
        tries = self._tries[worker.task] = self._tries.get(worker.task, 0) + 1
        if tries < TRIES:
            self._waiting.appendleft(worker.task)
            yield StartedAgain(worker.task)
            return
        del self._tries[worker.task]
        message = f"{worker.task.path}: its worker {how}, {tries} times; look at the file, or raise --timeout"
        yield FileDone(worker.task, {"type": "InputError", "message": message})


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C comes to us after this, and never to what is started within: a new process inherits the mask.

    Without it a worker that is still importing would answer Ctrl-C with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # The first start does this, and it lifts the mask.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send(worker: _Worker, task: Task | None) -> None:
    try:
        worker.pipe.send(task)
    except (BrokenPipeError, ConnectionResetError):
        return  # It is dead; the next look at it says so.


def _receive(worker: _Worker) -> tuple[str, Any] | None:
    """The next message; None when there is none (yet, or any more)."""
    try:
        return worker.pipe.recv() if worker.pipe.poll() else None
    except (EOFError, OSError):
        return None


def _end_of(process: Any) -> str:
    process.join()
    code = process.exitcode
    if code is None or code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _error_named(name: str, message: str) -> EdgeDigitsError:
    kind = getattr(edge_digits.errors, name, EdgeDigitsError)
    error: EdgeDigitsError = kind(message)
    return error
