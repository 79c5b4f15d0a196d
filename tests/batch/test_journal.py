"""The journal: a file is done when it was finished, and not before; damage and rivals are told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge_digits.batch.journal import FileState, Journal
from edge_digits.errors import UsageError

PAGE = {"source": "a", "page": 1, "lines": []}
STATE = FileState(10, 20)
ERROR = {"type": "InputError", "message": "a: bad"}


def test_what_is_finished_is_kept_and_what_is_not_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        for page in (2, 1):
            journal.add_page("a", page, {**PAGE, "page": page})
        journal.finish("a", STATE, None)
        journal.add_page("b", 1, PAGE)
    with Journal(path) as journal:
        assert journal.state("a") == STATE
        assert [entry["page"] for entry in journal.entries("a")] == [1, 2]
        assert journal.state("b") is None
        assert list(journal.entries("b")) == []


def test_a_failed_file_is_in_the_table_and_to_be_read_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.add_page("a", 1, PAGE)
        journal.finish("a", STATE, ERROR)
        assert list(journal.entries("a")) == [PAGE, {"source": "a", "error": ERROR}]
        assert journal.state("a") is None
        journal.forget("a")
        assert list(journal.entries("a")) == []


def test_other_settings_are_refused_and_told(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.check_settings({"model": "x", "dpi": 200})
        journal.finish("a", STATE, None)
    with Journal(path) as journal, pytest.raises(UsageError, match=r"another dpi \(200, now 300\).*--overwrite"):
        journal.check_settings({"model": "x", "dpi": 300})
    with Journal(path, fresh=True) as journal:
        journal.check_settings({"model": "y", "dpi": 300})


def test_settings_of_a_run_that_read_nothing_bind_nobody(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for dpi in (200, 300):
        with Journal(path) as journal:
            journal.check_settings({"model": "x", "dpi": dpi})


def test_two_batches_cannot_write_one_table(tmp_path: Path) -> None:
    with Journal(tmp_path / "j"):
        with pytest.raises(UsageError, match="another batch is writing"):
            Journal(tmp_path / "j")
        with pytest.raises(UsageError, match="another batch is writing"):
            Journal(tmp_path / "j", fresh=True)
    with Journal(tmp_path / "j") as journal:
        assert journal.state("a") is None


@pytest.mark.parametrize("content", [b"no journal at all, but a long text" * 99, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"journal is damaged.*--overwrite"):
        Journal(path)
    with Journal(path, fresh=True) as journal:
        journal.finish("a", STATE, None)
        assert journal.state("a") == STATE


def test_a_journal_of_another_format(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path).__exit__()
    base = sqlite3.connect(path)
    base.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    base.commit()
    base.close()
    with pytest.raises(UsageError, match=r"another format \(99, now 1\)"):
        Journal(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        Journal(tmp_path / "no" / "j")


def test_the_state_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert FileState.of(path).size == -1
    path.write_bytes(b"12345")
    assert FileState.of(path) == FileState(5, path.stat().st_mtime_ns)
