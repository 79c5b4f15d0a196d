"""Workers as processes of this machine, started by spawn.

Spawn and not fork, because an ONNX Runtime session must not cross a fork. One pipe a worker and no shared queue,
because a process that is killed while it holds a queue's lock would stop all the others.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from typing import Any, cast

from edge_digits.batch.crew import Member
from edge_digits.batch.options import BatchOptions, usable_cores
from edge_digits.batch.schedule import Order
from edge_digits.batch.worker import Message, ReaderFactory, work
from edge_digits.options import Options


class LocalProcesses:
    """The crew of one machine."""

    def __init__(self, batch: BatchOptions, factory: ReaderFactory, options: Options) -> None:
        """factory, options : what each worker makes its reader of."""
        self._batch, self._factory, self._options = batch, factory, options

    def size(self) -> int:
        """One worker a core, unless told otherwise."""
        return self._batch.workers or usable_cores()

    def start(self) -> Member:
        """A new process."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, self._factory, self._options, self._batch.page_memory_mb)
        process = context.Process(target=work, args=arguments, name="edge-digits worker", daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()
        return LocalProcess(process, ours)

    def wait(self, members: Sequence[Member], seconds: float | None) -> None:
        """Until one of the processes writes to its pipe, or ends."""
        processes = cast("Sequence[LocalProcess]", members)
        if processes:
            connection.wait([p.pipe for p in processes] + [p.process.sentinel for p in processes], seconds)

    def close(self) -> None:
        """Processes are ended one by one."""


class LocalProcess:
    """One worker process and our end of its pipe."""

    def __init__(self, process: Any, pipe: connection.Connection) -> None:
        """process : started. pipe : the other end is the process's."""
        self.process, self.pipe = process, pipe

    def send(self, order: Order) -> None:
        """Give it an order."""
        try:
            self.pipe.send(order)
        except (BrokenPipeError, ConnectionResetError):
            return  # It is dead; the next look at it says so.

    def messages(self) -> list[Message]:
        """What stands in the pipe."""
        found: list[Message] = []
        try:
            while self.pipe.poll():
                found.append(self.pipe.recv())
        except (EOFError, OSError):
            pass
        return found

    def ended(self) -> str | None:
        """How the process ended, None while it runs."""
        if self.process.is_alive():
            return None
        self.process.join()
        return _end_of(self.process.exitcode)

    def finish(self) -> None:
        """Tell it to end."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(None)

    def end(self, patience_s: float) -> None:
        """See that it has ended: by itself within so many seconds, or else by force."""
        if patience_s:
            self.process.join(patience_s)
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _end_of(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


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
