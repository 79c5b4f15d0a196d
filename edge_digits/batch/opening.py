"""A file as a worker opens it: what is hashed is what is read, though others write to the disk meanwhile."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import BinaryIO, Final

from edge_digits.batch.schedule import FileState, Task
from edge_digits.errors import InputDecodeError
from edge_digits.sources.contents import open_contents, read_at
from edge_digits.sources.documents import HEAD_BYTES, is_document

CHUNK_BYTES: Final = 1 << 20
PICTURE_BYTES: Final = 64 << 20
"""A picture up to this size is read once, into memory; a larger file is hashed and decoded from the disk."""


class OpenedFile:
    """A file that is open, and what it is known by.

    contents : to be read by whoever decodes it. digest : SHA-256 of its bytes, hex. state : size and time of change.
    """

    def __init__(self, task: Task, expected: tuple[str, FileState] | None = None) -> None:
        """Open and hash a file. expected : digest and state of a file that needs no hashing while it has this state.

        Raises InputNotFoundError, InputIsFolderError, InputPermissionError, InputDecodeError.
        """
        self.task = task
        self._file = open_contents(Path(task.path))
        self.contents: BinaryIO = self._file
        self.state = state_of(self._file) if expected is None else expected[1]
        try:
            if expected is None:
                self.digest = self._fetch()
            else:
                self.digest = expected[0]
                self.check_unchanged()
        except BaseException:
            self._file.close()
            raise

    def check_unchanged(self) -> None:
        """Raises InputDecodeError when the file was written to since it was opened."""
        if self.contents is self._file and state_of(self._file) != self.state:
            raise InputDecodeError(f"{self.task.path}: was written to while it was being read; give the same command again")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _fetch(self) -> str:
        """Read the file once, and keep it where it is a picture; its digest."""
        name = self.task.path
        if is_document(read_at(self._file, name, 0, HEAD_BYTES)) or self.state.size > PICTURE_BYTES:
            found, at = hashlib.sha256(), 0
            while chunk := read_at(self._file, name, at, CHUNK_BYTES):
                found.update(chunk)
                at += len(chunk)
            return found.hexdigest()
        data = read_at(self._file, name)
        self.contents = io.BytesIO(data)
        return hashlib.sha256(data).hexdigest()


def state_of(file: BinaryIO | Path) -> FileState:
    """The state of a file now."""
    try:
        status = file.stat() if isinstance(file, Path) else os.fstat(file.fileno())
    except OSError:
        return FileState()
    return FileState(status.st_size, status.st_mtime_ns)
