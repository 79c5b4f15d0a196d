"""What runs inside a worker process: one Reader, one thread, one file at a time.

A worker shares nothing with the others: it holds one end of a pipe and answers on it, so that it may be killed at any
moment without a lock left behind. It ends by itself when the process that started it is gone.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any, Protocol

import cv2

from edge_digits.errors import EdgeDigitsError, UsageError
from edge_digits.options import Options
from edge_digits.reader import Reader
from edge_digits.reading.draw import annotate
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

Entry = dict[str, Any]
"""The JSON object of one page, as Reading.to_dict() gives it."""


@dataclass(frozen=True, slots=True)
class Task:
    """One file to read. path : as the user named it. annotated : where its pictures go, less "-read.png"."""

    path: str
    annotated: str | None = None


class PageReader(Protocol):
    """What a worker reads with."""

    @property
    def model(self) -> Mapping[str, str]:
        """{"name", "sha256", "precision"} of the model."""

    def pages(self, task: Task) -> Iterator[Entry]:
        """Entries of a file's pages, one at a time. Raises InputError."""


ReaderFactory = Callable[[Options], PageReader]
"""Makes the PageReader inside the worker. A function of a module, since a new process finds it by its name."""


class FilePages:
    """The PageReader of a real batch."""

    def __init__(self, options: Options) -> None:
        """Load the model. threads : 0 becomes 1, since the cores are taken by the other workers. Raises as Reader does."""
        recognition = replace(options.recognition, threads=options.recognition.threads or 1)
        self._reader = Reader(options=replace(options, recognition=recognition))

    @property
    def model(self) -> Mapping[str, str]:
        """{"name", "sha256", "precision"} of the model."""
        classifier = self._reader.classifier
        return {"name": classifier.name, "sha256": classifier.sha256, "precision": classifier.precision}

    def pages(self, task: Task) -> Iterator[Entry]:
        """Entries of a file's pages, one at a time; the annotated picture is written before its entry is given."""
        for frame in open_frames(task.path, self._reader.options.source):
            reading = self._reader.read_frame(frame)
            if task.annotated is not None:
                _write_picture(task.annotated, frame, annotate(frame, reading))
            entry = reading.to_dict(all_candidates=self._reader.options.reading.all_candidates)
            del entry["elapsed_ms"]  # A table says the same of the same papers, however often they are read.
            yield entry


def work(pipe: connection.Connection, factory: ReaderFactory, options: Options) -> None:
    """Answer tasks until the pipe closes or None comes.

    Sends ("failed", error type, message) or ("ready", model), then for each task ("page", entry) any number of times
    and ("done", None) or ("error", {"type", "message"}).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides.
    _end_with_parent()
    cv2.setNumThreads(1)
    try:
        reader = factory(options)
    except EdgeDigitsError as error:
        pipe.send(("failed", (type(error).__name__, str(error))))
        return
    _silence_stderr()
    try:
        pipe.send(("ready", dict(reader.model)))
        while (task := pipe.recv()) is not None:
            pipe.send(_read(pipe, reader, task))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _read(pipe: connection.Connection, reader: PageReader, task: Task) -> tuple[str, Any]:
    try:
        for entry in reader.pages(task):
            pipe.send(("page", entry))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except EdgeDigitsError as error:
        return "error", {"type": type(error).__name__, "message": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever one file does to us, the others are still read
        text = " ".join(str(error).split())
        message = f"{task.path}: not read, {type(error).__name__} ({text}); please report it"
        return "error", {"type": type(error).__name__, "message": message}
    return "done", None


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
