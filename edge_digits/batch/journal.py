"""The journal: what has been read so far, kept beside the table so that a stopped run goes on where it was.

A SQLite file, written by the starting process alone. A file counts as done when its row in `files` is committed, which
is after all its pages; pages without such a row are left-overs of a stopped run and are dropped. The write-ahead log
with `synchronous = NORMAL` costs no disk flush a file: after a power cut the last files may be read again, none is
lost or doubled. The lock is held as long as the journal is open, so two batches cannot write one table.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import UsageError

FORMAT_VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (source TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, error TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (source TEXT, page INTEGER, reading TEXT NOT NULL, PRIMARY KEY (source, page)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells that a file is still the one that was read. size : bytes, -1 where there is none. mtime_ns : its change."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of a file now."""
        try:
            status = path.stat()
        except OSError:
            return cls(-1, 0)
        return cls(status.st_size, status.st_mtime_ns)


class Journal:
    """What one batch has read. Use as a context. Raises UsageError where the file cannot be used."""

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        """Open or make the journal. fresh : forget what is in it."""
        self.path = path
        try:
            self._base = _open(path)
        except sqlite3.DatabaseError as error:
            if not (fresh and _is_damage(error)):
                raise _unusable(path, error) from error
            for end in ("", "-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            self._base = _open(path)
        with self._guarded():
            if fresh:
                self._base.executescript("DELETE FROM meta; DELETE FROM files; DELETE FROM pages;")
            self._check("format", FORMAT_VERSION, "had another format")
            self._base.execute("DELETE FROM pages WHERE source NOT IN (SELECT source FROM files)")
            # A run that was refused before it read anything binds nobody to its settings.
            self._base.execute("DELETE FROM meta WHERE key LIKE 'settings.%' AND NOT EXISTS (SELECT * FROM files)")

    def __enter__(self) -> Journal:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raises UsageError when what is in the journal was read with other settings; notes them in an empty one."""
        for key, value in settings.items():
            self._check(f"settings.{key}", value, f"had another {key}")

    def state(self, source: str) -> FileState | None:
        """The state in which a file was read without an error; None when it is still to be read."""
        with self._guarded():
            row = self._base.execute("SELECT size, mtime_ns FROM files WHERE source = ? AND error IS NULL", (source,)).fetchone()
        return None if row is None else FileState(*row)

    def forget(self, source: str) -> None:
        """Drop a file and its pages."""
        with self._guarded():
            self._base.execute("DELETE FROM files WHERE source = ?", (source,))
            self._base.execute("DELETE FROM pages WHERE source = ?", (source,))

    def add_page(self, source: str, page: int, entry: Mapping[str, Any]) -> None:
        """Note one page of a file that is being read; counts once the file is finished."""
        with self._guarded():
            self._base.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", (source, page, json.dumps(entry, ensure_ascii=False)))

    def finish(self, source: str, state: FileState, error: Mapping[str, str] | None) -> None:
        """Note that a file is done. error : {"type", "message"}, or None."""
        with self._guarded():
            text = None if error is None else json.dumps(error, ensure_ascii=False)
            self._base.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (source, state.size, state.mtime_ns, text))

    def entries(self, source: str) -> Iterator[dict[str, Any]]:
        """A file's pages in order as JSON objects, and {"source", "error"} last where it failed."""
        with self._guarded():
            row = self._base.execute("SELECT error FROM files WHERE source = ?", (source,)).fetchone()
            pages = self._base.execute("SELECT reading FROM pages WHERE source = ? ORDER BY page", (source,))
        for (text,) in pages:
            yield json.loads(text)
        if row is not None and row[0] is not None:
            yield {"source": source, "error": json.loads(row[0])}

    def _check(self, key: str, value: Any, difference: str) -> None:
        text = json.dumps(value, sort_keys=True)
        row = self._base.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            with self._guarded():
                self._base.execute("INSERT INTO meta VALUES (?, ?)", (key, text))
        elif row[0] != text:
            raise UsageError(f"{self.path}: what was read before {difference} ({row[0]}, now {text}); --overwrite begins anew")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _unusable(self.path, error) from error


def _open(path: Path) -> sqlite3.Connection:
    # Each statement commits itself; under the write-ahead log that costs microseconds.
    base = sqlite3.connect(path, timeout=0.2, isolation_level=None)
    try:
        base.executescript("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        base.executescript("BEGIN IMMEDIATE;" + SCHEMA + "COMMIT;")
    except sqlite3.DatabaseError:
        base.close()
        raise
    return base


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return "not a database" in str(error) or "malformed" in str(error)


def _unusable(path: Path, error: sqlite3.DatabaseError) -> UsageError:
    text = str(error)
    if "locked" in text:
        return UsageError(f"{path}: another batch is writing this table; wait for it, or give another --out")
    if _is_damage(error):
        return UsageError(f"{path}: journal is damaged ({text}); --overwrite begins anew")
    return UsageError(f"{path}: journal cannot be written ({text}); check the folder's permissions and space")
