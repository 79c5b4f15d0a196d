"""What a worker does, in whatever process it runs: one Reader, one thread, one file open, one page at a time.

A local worker shares nothing with the others: it holds one end of a pipe and answers on it, so that it may be killed at
any moment without a lock left behind. It ends by itself when the process that started it is gone.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any, Final, Protocol

import cv2

from edge_digits.batch.limits import limit_memory
from edge_digits.batch.opening import OpenedFile
from edge_digits.batch.schedule import Error, Opened, OpenFile, Order, ReadPage, Refused, Task
from edge_digits.errors import EdgeDigitsError, UsageError
from edge_digits.options import Options, SourceOptions
from edge_digits.reader import Reader
from edge_digits.reading.draw import annotate
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_pages
from edge_digits.sources.pages import Pages

Entry = dict[str, Any]
"""The JSON object of one page, as Reading.to_dict() gives it, less what it took."""
Message = tuple[Any, ...]
"""("failed", type, text), ("ready", model), ("opened", Opened), ("refused", Refused), ("page", page, Entry or None, Error or None)."""
OUT_OF_MEMORY: Final = -4
"""OpenCV's code of an allocation that failed (StsNoMem)."""


class PageReader(Protocol):
    """What a worker reads with."""

    @property
    def model(self) -> Mapping[str, Any]:
        """What tells this model, and all networks that help it, from any other."""

    def open(self, file: OpenedFile) -> Pages:
        """Pages of a file. Raises InputError."""

    def read(self, frame: Frame, task: Task) -> Entry:
        """What is read of a page. Raises InputError."""


ReaderFactory = Callable[[Options], PageReader]
"""Makes the PageReader inside the worker. A function of a module, since a new process finds it by its name."""


class FilePages:
    """The PageReader of a real batch."""

    def __init__(self, options: Options) -> None:
        """Load the model. threads : 0 becomes 1, since the cores are taken by the other workers. Raises as Reader does."""
        recognition = replace(options.recognition, threads=options.recognition.threads or 1)
        self._reader = Reader(options=replace(options, recognition=recognition))

    @property
    def model(self) -> Mapping[str, Any]:
        """{"name", "sha256", "precision", "networks"}."""
        classifier = self._reader.classifier
        return {
            "name": classifier.name,
            "sha256": classifier.sha256,
            "precision": classifier.precision,
            "networks": list(self._reader.networks),
        }

    def open(self, file: OpenedFile) -> Pages:
        """Pages of a picture or document."""
        source: SourceOptions = self._reader.options.source
        return open_pages(file.contents, source, file.task.path)

    def read(self, frame: Frame, task: Task) -> Entry:
        """The page's JSON object; its annotated picture is written before."""
        reading = self._reader.read_frame(frame)
        if task.annotated is not None:
            _write_picture(task.annotated, frame, annotate(frame, reading))
        entry = reading.to_dict(all_candidates=self._reader.options.reading.all_candidates)
        del entry["elapsed_ms"]  # A table says the same of the same papers, however often they are read.
        return entry


class Worker:
    """Follows orders, one after the other, each by one message. Never raises: what goes wrong is the message."""

    def __init__(self, reader: PageReader, page_memory_mb: int) -> None:
        """reader : loaded. page_memory_mb : for the message when memory does not suffice."""
        self._reader, self._page_memory_mb = reader, page_memory_mb
        self._file: OpenedFile | None = None
        self._pages: Pages | None = None

    def follow(self, order: Order) -> Message:
        """Do as told."""
        return self._open(order) if isinstance(order, OpenFile) else self._read(order)

    def close(self) -> None:
        """Let go of the file that is open."""
        if self._pages is not None:
            self._pages.close()
        if self._file is not None:
            self._file.close()
        self._file = self._pages = None

    def _open(self, order: OpenFile) -> Message:
        self.close()
        try:
            self._file = OpenedFile(order.task, order.expected)
            self._pages = self._reader.open(self._file)
            count = self._pages.count
        except Exception as error:  # noqa: BLE001 - whatever one file does to us, the others are still read
            told = self._error(error, order.task.path)
            if self._file is None:
                return "refused", Refused(order.task, told)
            refused = Refused(order.task, told, self._file.digest, self._file.state)
            self.close()
            return "refused", refused
        return "opened", Opened(order.task, self._file.digest, self._file.state, count)

    def _read(self, order: ReadPage) -> Message:
        assert self._file is not None
        assert self._pages is not None
        try:
            frame = self._pages.frame(order.page)
            self._file.check_unchanged()
            return "page", order.page, self._reader.read(frame, self._file.task), None
        except Exception as error:  # noqa: BLE001 - whatever one page does to us, the others are still read
            return "page", order.page, None, self._error(error, self._file.task.path)

    def _error(self, error: Exception, path: str) -> Error:
        if isinstance(error, EdgeDigitsError):
            return {"type": type(error).__name__, "message": str(error)}
        if isinstance(error, MemoryError) or getattr(error, "code", None) == OUT_OF_MEMORY:
            message = f"{path}: needs more than {self._page_memory_mb} MB of memory; look at the file, or raise --page-memory"
            return {"type": "InputTooLargeError", "message": message}
        text = " ".join(str(error).split())
        return {"type": type(error).__name__, "message": f"{path}: not read, {type(error).__name__} ({text}); please report it"}


def work(pipe: connection.Connection, factory: ReaderFactory, options: Options, page_memory_mb: int) -> None:
    """Follow the orders that come by the pipe until it closes or None comes.

    Sends ("failed", error type, message) or ("ready", model), then one message an order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides.
    _end_with_parent()
    cv2.setNumThreads(1)
    try:
        reader = factory(options)
    except EdgeDigitsError as error:
        pipe.send(("failed", type(error).__name__, str(error)))
        return
    _silence_stderr()
    limit_memory(page_memory_mb)
    worker = Worker(reader, page_memory_mb)
    try:
        pipe.send(("ready", dict(reader.model)))
        while (order := pipe.recv()) is not None:
            pipe.send(worker.follow(order))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _write_picture(stem: str, frame: Frame, picture: Any) -> None:
    path = Path(f"{stem}{f'-page{frame.page}' if frame.page > 1 else ''}-read.png")
    draft = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: annotated picture cannot be written ({error.strerror}); check --annotate and the space") from error


def _end_with_parent() -> None:
    """A worker in the middle of a page does not look at its pipe; this thread looks at the parent itself."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _silence_stderr() -> None:
    """libjpeg, libtiff and OpenCV write to file descriptor 2 about damaged files; the file's error row says it once."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
