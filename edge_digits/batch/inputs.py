"""What a user named, made into a list of files: folders opened, sorted as a person would, each file once."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from glob import has_magic, iglob
from pathlib import Path
from typing import Final

from edge_digits.errors import UsageError

EXTENSIONS: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".pdf"})
"""Of files that are taken from a folder; a file that is named itself may be called anything."""


def find_inputs(names: Sequence[str], pattern: str | None = None, excluded: Path | None = None, table: Path | None = None) -> list[Path]:
    """Files to read, in the order of `names`, those of a folder (and of the folders in it) and of a glob in natural order.

    names : folders, files, globs ("scans/**/*.tif"; a file that is called so comes first), and "-" for a list of these on
        stdin, one a line, or each ended by a zero byte as `find -print0` writes them.
    pattern : takes the place of the known extensions within folders, such as "sheet-*.jpg".
    excluded : a folder whose files are left out, as it is written to while reading. table : a file left out for the same reason.
    A name that leads nowhere stays in the list, and fails there alone; hidden files and folders are left out.
    Raises UsageError when a folder cannot be listed or nothing at all is found.
    """
    found: dict[Path, Path] = {}
    for name in names:
        for path in map(Path, _listed(sys.stdin.buffer.read()) if name == "-" else [name]):
            for file in _files_named(path, pattern, excluded):
                found.setdefault(file.resolve(), file)
    if table is not None:
        found.pop(table.resolve(), None)
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


def natural_order(path: Path) -> tuple[list[list[tuple[int, int, str]]], str]:
    """The same, and no two names alike."""
    return natural_key(path), str(path)


def plain(text: str) -> str:
    """The text with bytes that are no UTF-8 (possible in file names) written as escapes, so that any file can hold it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _listed(data: bytes) -> list[str]:
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(name) for name in names if name.strip()]


def _files_named(path: Path, pattern: str | None, excluded: Path | None) -> Iterator[Path]:
    """The files that one name stands for; the name itself where it stands for none."""
    if path.is_dir():
        yield from _files_of(path, pattern, excluded)
        return
    if os.path.lexists(path) or not has_magic(str(path)):
        yield path
        return
    matches = sorted(map(Path, iglob(str(path), recursive=True)), key=natural_order)  # noqa: PTH207 - Path.glob takes no absolute names
    files = [match for match in matches if not match.is_dir()]
    # "scans/**" matches folders beside the files in them; "scans-*" may match nothing but folders.
    yield from files or [file for folder in matches for file in _files_of(folder, pattern, excluded)] or [path]


def walk(folder: Path, pattern: str | None, excluded: Sequence[Path] = ()) -> Iterator[Path]:
    """Files of a folder and all folders in it, in no order, hidden ones left out; excluded : folders, resolved. Raises UsageError."""
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and Path(place, name).resolve() not in excluded]
        yield from (Path(place, name) for name in names if not name.startswith(".") and is_wanted(name, pattern))


def is_wanted(name: str, pattern: str | None) -> bool:
    """Whether a file of a folder is taken, by its name: that of a picture, or one that the pattern fits."""
    if pattern is not None:
        return fnmatch(name, pattern)
    return Path(name).suffix.lower() in EXTENSIONS


def _files_of(folder: Path, pattern: str | None, excluded: Path | None) -> list[Path]:
    return sorted(walk(folder, pattern, [] if excluded is None else [excluded.resolve()]), key=natural_order)


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename}: folder cannot be listed ({error.strerror}); change its mode, or name the files") from error
