"""Readers that do what the file tells them: numbers to answer, or a fault to suffer. They run inside real workers."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from edge_digits.batch.opening import OpenedFile
from edge_digits.batch.schedule import Task
from edge_digits.errors import InputDecodeError, ModelDamagedError
from edge_digits.options import Options
from tests.doubles.pages import number, reading

MODEL = {"name": "told", "sha256": "0" * 64, "precision": "none"}
FOR_EVER_S = 600


class ToldPages:
    """The lines of a file."""

    def __init__(self, file: OpenedFile) -> None:
        self._lines = file.contents.read().decode("utf-8").split("\n")
        if self._lines == ["cannot be opened"]:
            raise InputDecodeError(f"{file.task.path}: cannot be opened; get it again")
        self.count = len(self._lines)

    def frame(self, number: int) -> Any:
        return number, self._lines[number - 1]

    def close(self) -> None:
        """Nothing is open."""


class ToldReader:
    """Each line of a file is a page of it: "12 345" for numbers, or one word that names a fault.

    error, bug : the error of a bad page, or one that nobody thought of. kill, kill-once : the worker ends by SIGKILL.
    hang : never ends. slow : four tenths of a second. wait FILE : until that file is there. "" : a page without numbers.
    memory : two gigabytes. A file that says "cannot be opened" cannot.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.model = dict(MODEL)

    def open(self, file: OpenedFile) -> ToldPages:
        file.contents.seek(0)
        return ToldPages(file)

    def read(self, frame: Any, task: Task) -> dict[str, Any]:
        path, (page, line) = Path(task.path), frame
        log = os.environ.get("READS_LOG")
        if log:
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(f"{path.stem}{f':{page}' if page > 1 else ''}\n")
        words = line.split()
        if words and words[0].strip("0123456789?"):
            _suffer(words, path)
            words = []
        line_of = [number(word, (10 * index, 5, 8, 9)) for index, word in enumerate(words)]
        return {**reading(line_of, source=str(path)).to_dict(), "page": page}


class DamagedModel(ToldReader):
    """Its model cannot be loaded."""

    def __init__(self, options: Options) -> None:
        raise ModelDamagedError("told.onnx: is damaged; reinstall it")


class DiesWhileStarting(ToldReader):
    """Its process ends before it can say anything, as on a CPU without an instruction."""

    def __init__(self, options: Options) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class OtherModel(ToldReader):
    """The same with another model."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.model["sha256"] = "1" * 64


def _suffer(words: list[str], path: Path) -> None:
    fault = words[0]
    if fault == "error":
        raise InputDecodeError(f"{path}: is bad; get it again")
    if fault == "bug":
        raise ZeroDivisionError("nobody thought\nof this")
    if fault == "memory":
        bytearray(1 << 31)
    if fault == "hang":
        time.sleep(FOR_EVER_S)
    if fault == "slow":
        time.sleep(0.4)
    if fault == "wait":
        while not Path(words[1]).exists():
            time.sleep(0.01)
    marker = path.with_suffix(".seen")
    if fault == "kill" or (fault == "kill-once" and not marker.exists()):
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
