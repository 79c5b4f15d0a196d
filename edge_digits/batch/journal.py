"""The journal: what has been read so far, kept beside the table so that a stopped run goes on where it was.

A SQLite file, written by the starting process alone. Pages are known by what they are and not by where they lie: the
SHA-256 of the file's bytes, the page, and a key of the model, the options and this version. So a file that was moved or
comes twice is read once, and whoever goes back to other options finds their pages still there. Each page is committed by
itself. The write-ahead log with `synchronous = NORMAL` costs no disk flush a page: after a power cut the last pages may
be read again, none is lost or doubled. The lock is held as long as the journal is open, so two batches cannot write one
table.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from edge_digits.batch.schedule import Error, FileState
from edge_digits.errors import UsageError

FORMAT_VERSION: Final = 2
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, size INTEGER, mtime_ns INTEGER, content TEXT, error TEXT);
CREATE INDEX IF NOT EXISTS files_by_source ON files (source, number);
CREATE TABLE IF NOT EXISTS contents (settings INTEGER, content TEXT, pages INTEGER, PRIMARY KEY (settings, content)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (
    settings INTEGER, content TEXT, page INTEGER, reading TEXT, error TEXT, PRIMARY KEY (settings, content, page)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listed (place INTEGER PRIMARY KEY, source TEXT NOT NULL, number INTEGER);
"""
# files: a row a name and content, the newest of a name counts; content NULL and an error where it could not be opened.
# contents: how many pages a content has. pages: the reading or the error of each; a content is done when all are there.
# listed: the files of the table that was written last, in its order; number where one of several of a name is meant.
PASSING: Final = frozenset({"InputNotFoundError", "InputPermissionError", "InputIsFolderError", "InputNeedsExtraError", "UsageError"})
"""Errors that say nothing of the file itself: it is looked at anew in every run."""


class Journal:
    """What one batch has read. Use as a context. Raises UsageError where the file cannot be used.

    The settings are chosen by `use` before anything is noted or asked.
    """

    def __init__(self, path: Path, *, replace_damaged: bool = False) -> None:
        """Open or make the journal. replace_damaged : begin anew where there is something that is no journal."""
        self.path = path
        self._settings = 0
        try:
            self._base = _open(path)
        except sqlite3.DatabaseError as error:
            if not (replace_damaged and _is_damage(error)):
                raise _unusable(path, error) from error
            for end in ("", "-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            self._base = _open(path)
        try:
            self._check_format()
            with self._guarded():
                self._base.executescript("BEGIN;" + SCHEMA + "COMMIT;")
        except BaseException:
            self._base.close()
            raise

    def __enter__(self) -> Journal:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def use(self, settings: Mapping[str, Any]) -> None:
        """Choose the settings (JSON values) under which pages are noted and found from now on."""
        text = json.dumps(settings, sort_keys=True)
        key = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
        with self._guarded():
            self._base.execute("INSERT OR IGNORE INTO settings (key, text) VALUES (?, ?)", (key, text))
            (self._settings,) = self._base.execute("SELECT id FROM settings WHERE key = ?", (key,)).fetchone()

    def is_done(self, source: str, state: FileState, *, even_failed: bool = True) -> bool:
        """Whether a file in this state needs no reading. even_failed : also where it, or a page of it, has failed for good."""
        row = self._file(source)
        if row is None or (row["size"], row["mtime_ns"]) != (state.size, state.mtime_ns):
            return False
        if row["error"] is not None:
            return even_failed and state.size >= 0 and json.loads(row["error"])["type"] not in PASSING
        return self._is_complete(row["content"], even_failed=even_failed)

    def has_failed(self, source: str) -> bool:
        """Whether a file was noted, and it or one of its pages has failed."""
        row = self._file(source)
        if row is None or row["error"] is not None:
            return row is not None
        return any(error is not None for _, _, error in self._pages(row["content"], self._settings))

    def pages_done(self, content: str, *, even_failed: bool = True) -> set[int]:
        """Pages of a content that need no reading. even_failed : as in `is_done`."""
        with self._guarded():
            rows = self._base.execute(
                "SELECT page, error FROM pages WHERE settings = ? AND content = ?", (self._settings, content)
            ).fetchall()
        return {page for page, error in rows if error is None or (even_failed and json.loads(error)["type"] not in PASSING)}

    def add_file(self, source: str, state: FileState, content: str | None, error: Error | None = None) -> None:
        """Note what a name stands for. error : why it could not be opened."""
        text = None if error is None else json.dumps(_less_source(error, source), ensure_ascii=False)
        row = self._file(source)
        with self._guarded():
            if row is not None and row["content"] in (content, None):
                self._base.execute(
                    "UPDATE files SET size = ?, mtime_ns = ?, content = ?, error = ? WHERE number = ?",
                    (state.size, state.mtime_ns, content, text, row["number"]),
                )
                return
            self._base.execute(
                "INSERT INTO files (source, size, mtime_ns, content, error) VALUES (?, ?, ?, ?, ?)",
                (source, state.size, state.mtime_ns, content, text),
            )

    def add_content(self, content: str, pages: int) -> None:
        """Note how many pages a content has."""
        with self._guarded():
            self._base.execute("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", (self._settings, content, pages))

    def forget(self, content: str) -> None:
        """Drop a content's pages."""
        with self._guarded():
            self._base.execute("DELETE FROM pages WHERE settings = ? AND content = ?", (self._settings, content))

    def add_page(self, content: str, page: int, entry: Mapping[str, Any] | None, error: Error | None, source: str) -> None:
        """Note a page: its entry or its error. source : the name under which it was read."""
        told = None if error is None else json.dumps(_less_source(error, source), ensure_ascii=False)
        read = None if entry is None else json.dumps(entry, ensure_ascii=False)
        with self._guarded():
            self._base.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?)", (self._settings, content, page, read, told))

    def entries(self, source: str, number: int | None = None) -> Iterator[dict[str, Any]]:
        """A file's pages in order: readings as JSON objects, failures as {"source", "page", "error"}; none while a page is missing.

        number : which of the files of that name, and then read with whatever settings, if not with these; the newest by default.
        """
        row = self._file(source, number)
        if row is None:
            return
        if row["error"] is not None:
            yield {"source": source, "error": _with_source(row["error"], source)}
            return
        count, pages = self._complete(row["content"], others=number is not None)
        for page, reading, error in pages:
            if reading is not None:
                yield {**json.loads(reading), "source": source}
            else:
                yield {"source": source, **({"page": page} if count > 1 else {}), "error": _with_source(error, source)}

    def arrivals(self) -> list[tuple[str, int | None]]:
        """Source and number of every file ever noted, in the order in which they came."""
        with self._guarded():
            return self._base.execute("SELECT source, number FROM files ORDER BY number").fetchall()

    def list_files(self, files: Iterable[tuple[str, int | None]], made: Mapping[str, Any]) -> None:
        """Note what the table is about to hold: source and number of each file, in its order. made : how it is made, JSON values."""
        text = json.dumps({**made, "settings": self._settings})
        with self._guarded():
            self._base.execute("BEGIN")
            with self._base:  # All of it or, where the disk is full, nothing: what is noted afterwards commits itself again.
                self._base.execute("DELETE FROM listed")
                self._base.executemany("INSERT INTO listed (source, number) VALUES (?, ?)", files)
                self._base.execute("INSERT OR REPLACE INTO meta VALUES ('table', ?)", (text,))

    def use_listed(self) -> dict[str, Any] | None:
        """Choose the settings of the table that was written last; how it was made, None where none was."""
        with self._guarded():
            row = self._base.execute("SELECT value FROM meta WHERE key = 'table'").fetchone()
        if row is None:
            return None
        made: dict[str, Any] = json.loads(row[0])
        self._settings = made.pop("settings")
        return made

    def listed(self) -> list[tuple[str, int | None]]:
        """The files as `list_files` noted them."""
        with self._guarded():
            return self._base.execute("SELECT source, number FROM listed ORDER BY place").fetchall()

    def _file(self, source: str, number: int | None = None) -> dict[str, Any] | None:
        names = ("number", "size", "mtime_ns", "content", "error")
        which, values = ("source = ?", (source,)) if number is None else ("number = ?", (number,))
        with self._guarded():
            row = self._base.execute(
                f"SELECT {', '.join(names)} FROM files WHERE {which} ORDER BY number DESC LIMIT 1",  # noqa: S608 - nothing of a user's
                values,
            ).fetchone()
        return None if row is None else dict(zip(names, row, strict=True))

    def _is_complete(self, content: str, *, even_failed: bool) -> bool:
        with self._guarded():
            row = self._base.execute("SELECT pages FROM contents WHERE settings = ? AND content = ?", (self._settings, content)).fetchone()
        return row is not None and len(self.pages_done(content, even_failed=even_failed)) == row[0]

    def _complete(self, content: str, *, others: bool) -> tuple[int, list[tuple[int, str | None, str]]]:
        """Number of a content's pages, and the pages when none is missing. others : also as other settings found them, the last first."""
        with self._guarded():
            found = self._base.execute(
                "SELECT settings, pages FROM contents WHERE content = ? AND (settings = ? OR ?) ORDER BY settings = ? DESC, settings DESC",
                (content, self._settings, others, self._settings),
            ).fetchall()
        for settings, count in found:
            pages = self._pages(content, settings)
            if len(pages) == count:
                return count, pages
        return 0, []

    def _pages(self, content: str, settings: int) -> list[tuple[int, str | None, str]]:
        with self._guarded():
            return self._base.execute(
                "SELECT page, reading, error FROM pages WHERE settings = ? AND content = ? ORDER BY page", (settings, content)
            ).fetchall()

    def _check_format(self) -> None:
        with self._guarded():
            self._base.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            self._base.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(FORMAT_VERSION),))
            (found,) = self._base.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        if found != str(FORMAT_VERSION):
            newer = not found.isdecimal() or int(found) > FORMAT_VERSION
            raise UsageError(
                f"{self.path}: journal of {'a newer' if newer else 'an older'} edge_digits (format {found}, this one knows "
                f"{FORMAT_VERSION}); {'upgrade it' if newer else 'move the journal away'}, or give another --out"
            )

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
        base.executescript("BEGIN IMMEDIATE; COMMIT;")
        base.execute("SELECT * FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError:
        base.close()
        raise
    return base


def _less_source(error: Error, source: str) -> Error:
    """The error without the name under which the file was read: a file of the same content has another."""
    return {**error, "message": error["message"].removeprefix(source)}


def _with_source(text: str, source: str) -> Error:
    error: Error = json.loads(text)
    return {**error, "message": source + error["message"]} if error["message"].startswith(": ") else error


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return "not a database" in str(error) or "malformed" in str(error)


def _unusable(path: Path, error: sqlite3.DatabaseError) -> UsageError:
    text = str(error)
    if "locked" in text:
        return UsageError(f"{path}: another batch is writing this table; wait for it, or give another --out")
    if _is_damage(error):
        return UsageError(f"{path}: journal is damaged ({text}); --redo begins anew")
    if "full" in text:
        return UsageError(f"{path}: no space is left for the journal; make room and give the same command again, nothing is lost")
    return UsageError(f"{path}: journal cannot be written ({text}); check the folder's permissions and space")
