"""Where a batch writes: looked at before any work, so that hours of reading do not end at a table that cannot be written."""

from __future__ import annotations

from pathlib import Path

from edge_digits.errors import UsageError


def check_out(out: Path, *, may_replace: bool) -> tuple[Path, Path]:
    """The table's place, links followed, and its journal's beside it.

    may_replace : also a table that no batch wrote. Raises UsageError.
    """
    place = out.resolve()
    journal = place.with_name(place.name + ".journal")
    if not place.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}; make it first")
    if place.is_dir():
        raise UsageError(f"--out {out}: is a folder; name a file in it, such as {out / 'results.csv'}")
    if place.exists() and not place.is_file():
        raise UsageError(f"--out {out}: is no ordinary file; the table is written beside it and moved there, so name one")
    if place.exists() and not journal.exists() and not may_replace:
        raise UsageError(f"--out {out}: exists, and has no journal of a batch beside it; --redo replaces it")
    rival = next((lock for lock in _locks_of_programs(place) if lock.exists()), None)
    if rival is not None:
        raise UsageError(f"--out {out}: is open in another program ({rival.name}); close it there, or remove that file if none has it open")
    return place, journal


def check_folder(folder: Path) -> None:
    """Make the folder of annotated pictures. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--annotate {folder}: cannot be made ({error.strerror}); give a folder you may write to") from error


def _locks_of_programs(table: Path) -> tuple[Path, ...]:
    """Files that LibreOffice and Excel lay beside a table while they have it open, and would write back over ours."""
    return table.with_name(f".~lock.{table.name}#"), table.with_name(f"~${table.name}"), table.with_name(f"~${table.name[2:]}")
