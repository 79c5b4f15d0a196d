"""What a user named, made into a list of files: folders opened, sorted as a person would, each file once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from edge_digits.errors import UsageError

EXTENSIONS: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".pdf"})
"""Of files that are taken from a folder; a file that is named itself may be called anything."""


def find_inputs(names: Sequence[str], pattern: str | None = None, excluded: Path | None = None) -> list[Path]:
    """Files to read, in the order of `names`, those of a folder (and of the folders in it) in natural order.

    pattern : takes the place of the known extensions within folders, such as "sheet-*.jpg".
    excluded : a folder whose files are left out, as it is written to while reading.
    A name that leads nowhere stays in the list, and fails there alone; hidden files and folders are left out.
    Raises UsageError when a folder cannot be listed or nothing at all is found.
    """
    found: dict[Path, Path] = {}
    for name in names:
        path = Path(name)
        for file in _files_of(path, pattern, excluded) if path.is_dir() else (path,):
            found.setdefault(file.resolve(), file)
    if not any(file.exists() for file in found.values()):
        wanted = f"files named '{pattern}'" if pattern else "pictures (" + ", ".join(sorted(EXTENSIONS)) + ")"
        raise UsageError(f"nothing to read in {', '.join(names)}: no {wanted}; check the path, or give --pattern")
    return list(found.values())


def natural_key(path: Path) -> list[list[tuple[int, int, str]]]:
    """Sorts "page2" before "page10", part by part of the path."""
    return [
        [(0, int(piece), piece) if piece.isdecimal() else (1, 0, piece.casefold()) for piece in re.split(r"(\d+)", part) if piece]
        for part in (*path.parts, "")
    ]


def plain(text: str) -> str:
    """The text with bytes that are no UTF-8 (possible in file names) written as escapes, so that any file can hold it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _files_of(folder: Path, pattern: str | None, excluded: Path | None) -> Iterator[Path]:
    outside = None if excluded is None else excluded.resolve()
    files: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [f for f in folders if not f.startswith(".") and Path(place, f).resolve() != outside]
        files += [Path(place, name) for name in names if not name.startswith(".") and _is_wanted(name, pattern)]
    yield from sorted(files, key=lambda file: (natural_key(file), str(file)))


def _is_wanted(name: str, pattern: str | None) -> bool:
    if pattern is not None:
        return fnmatch(name, pattern)
    return Path(name).suffix.lower() in EXTENSIONS


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename}: folder cannot be listed ({error.strerror}); change its mode, or name the files") from error
