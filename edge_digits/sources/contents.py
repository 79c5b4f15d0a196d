"""A file that a user named, opened, or one clear error: the same for pictures and documents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from edge_digits.errors import InputDecodeError, InputIsFolderError, InputNotFoundError, InputPermissionError


def open_contents(path: Path) -> BinaryIO:
    """A file, opened to be read from its beginning; whoever opens it closes it.

    Raises InputNotFoundError, InputIsFolderError, InputPermissionError, InputDecodeError.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise InputNotFoundError(f"{path}: no such file; check the path") from error
    except IsADirectoryError as error:
        raise InputIsFolderError(f"{path}: is a folder; name the pictures in it, or use `edge-digits batch {path}`") from error
    except PermissionError as error:
        raise InputPermissionError(f"{path}: no permission to read it; change its mode or owner") from error
    except (OSError, ValueError) as error:
        raise _unreadable(str(path), error) from error


def read_contents(path: Path, count: int = -1) -> bytes:
    """The first `count` bytes of a file; all of them by default. Raises as `open_contents` does."""
    with open_contents(path) as file:
        return read_at(file, str(path), 0, count)


def read_at(file: BinaryIO, name: str, start: int = 0, count: int = -1) -> bytes:
    """`count` bytes from byte `start`, fewer where the file ends; all that follow by default.

    name : for the message. Raises InputDecodeError when the disk gives nothing.
    """
    try:
        file.seek(start)
        return file.read(count)
    except (OSError, ValueError, OverflowError) as error:
        raise _unreadable(name, error) from error


def size_of(file: BinaryIO) -> int:
    """Bytes of an opened file."""
    return file.seek(0, os.SEEK_END)


def _unreadable(name: str, error: Exception) -> InputDecodeError:
    return InputDecodeError(f"{name}: cannot be read ({error}); check the path and the disk")
