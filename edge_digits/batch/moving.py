"""Files that were read, moved out of the way: whole, and never over another file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def move_to(path: Path, folder: Path, inside: Path) -> Path:
    """Move a file into a folder, under its own name, or a numbered one where that is taken; where it lies now.

    inside : what of the file's path is kept below `folder`, such as "today/scan.pdf". Raises OSError.
    """
    (folder / inside).parent.mkdir(parents=True, exist_ok=True)
    for target in _names(folder / inside):
        try:
            os.link(path, target)
        except FileExistsError:
            continue
        except OSError:  # Another disk, or one without links.
            if not _copied(path, target):
                continue
        path.unlink()
        return target
    raise AssertionError("names never end")


def _copied(path: Path, target: Path) -> bool:
    """Copy a file to a name that is free; False when it is not."""
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    draft = target.with_name(f".{target.name}.part")
    try:
        shutil.copy2(path, draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        raise
    return True


def _names(target: Path) -> Iterator[Path]:
    yield target
    number = 2
    while True:
        yield target.with_name(f"{target.stem}-{number}{target.suffix}")
        number += 1
