"""The bytes of a file that a user named, or one clear error: the same for pictures and documents."""

from __future__ import annotations

from pathlib import Path

from edge_digits.errors import InputDecodeError, InputIsFolderError, InputNotFoundError, InputPermissionError


def read_contents(path: Path, count: int = -1) -> bytes:
    """The first `count` bytes of a file; all of them by default.

    Raises InputNotFoundError, InputIsFolderError, InputPermissionError, InputDecodeError.
    """
    try:
        with path.open("rb") as file:
            return file.read(count)
    except FileNotFoundError as error:
        raise InputNotFoundError(f"{path}: no such file; check the path") from error
    except IsADirectoryError as error:
        raise InputIsFolderError(f"{path}: is a folder; name the pictures in it, or use `edge-digits batch {path}`") from error
    except PermissionError as error:
        raise InputPermissionError(f"{path}: no permission to read it; change its mode or owner") from error
    except (OSError, ValueError) as error:
        raise InputDecodeError(f"{path}: cannot be read ({error}); check the path and the disk") from error
