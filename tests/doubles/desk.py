"""Batches over files that tell what is to happen, as programs of their own that can be interrupted and killed."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

BATCH = """
import argparse, sys
from edge_digits.batch.command import add_arguments, run
from edge_digits.errors import EdgeDigitsError
from tests.doubles import readers

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    try:
        sys.exit(run(parser.parse_args(sys.argv[2:]), getattr(readers, sys.argv[1])))
    except EdgeDigitsError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
"""
PATIENCE_S = 240


class Desk:
    """A folder with files for the told readers, and batches over it as programs of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.log, self.words = folder / "in", folder / "t.csv", folder / "log", folder / "words"
        self.folder.mkdir()
        self.script = folder / "run_batch.py"
        self.script.write_text(BATCH, encoding="utf-8")

    def put(self, **contents: str) -> None:
        for name, content in contents.items():
            (self.folder / f"{name}.png").write_text(content, encoding="utf-8")

    def start(self, *arguments: str | Path, reader: str = "ToldReader", workers: int = 2) -> subprocess.Popen[bytes]:
        """Begin a batch, what it says in `told`."""
        self.log.write_text("", encoding="utf-8")
        path = os.pathsep.join(entry for entry in sys.path if entry)
        command = [sys.executable, self.script, reader, self.folder, "--out", self.out, "--workers", workers, *arguments]
        with self.words.open("wb") as words:
            return subprocess.Popen(
                [str(word) for word in command],
                stderr=words,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path, "READS_LOG": str(self.log)},
            )

    def batch(self, *arguments: str | Path, reader: str = "ToldReader", workers: int = 1) -> tuple[int, str]:
        """A batch from start to end: its exit code, and what it said."""
        return self.start(*arguments, reader=reader, workers=workers).wait(PATIENCE_S), self.told()

    def told(self) -> str:
        """What the last batch has said so far."""
        return self.words.read_text(encoding="utf-8")

    def read(self) -> list[str]:
        """Pages that were read in the last batch, in any order: "a" is the first of a.png, "a:2" its second."""
        return sorted(self.log.read_text(encoding="utf-8").split())

    def rows(self) -> list[dict[str, str]]:
        """The table; empty while there is none."""
        if not self.out.exists():
            return []
        with self.out.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    def workers(self, session: int) -> list[int]:
        """Processes of a batch that are left, by its session."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, of = entry.read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(of) == session and state != "Z":
                found.append(int(entry.parent.name))
        return found
