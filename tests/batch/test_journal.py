"""The journal: pages are known by content, page and settings; damage, rivals and other versions are told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge_digits.batch.journal import Journal
from edge_digits.batch.schedule import FileState
from edge_digits.errors import UsageError

PAGE = {"source": "a", "page": 1, "lines": []}
STATE = FileState(10, 20)
ERROR = {"type": "InputDecodeError", "message": "a: PDF page 2 is damaged; get the file again"}
SETTINGS = {"model": "x", "dpi": 200}


def opened(path: Path, **settings: object) -> Journal:
    journal = Journal(path)
    journal.use({**SETTINGS, **settings})
    return journal


def note(journal: Journal, source: str, content: str, pages: int = 1, *, upto: int | None = None) -> None:
    """A file with so many pages, of which the first `upto` were read."""
    journal.add_content(content, pages)
    journal.add_file(source, STATE, content)
    for page in range(1, (pages if upto is None else upto) + 1):
        journal.add_page(content, page, {**PAGE, "page": page}, None, source)


def test_a_file_is_done_when_its_last_page_is(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        note(journal, "a", "A", 3, upto=2)
        assert not journal.is_done("a", STATE)
        assert list(journal.entries("a")) == []
    with opened(tmp_path / "j") as journal:
        assert journal.pages_done("A") == {1, 2}
        journal.add_page("A", 3, {**PAGE, "page": 3}, None, "a")
        assert journal.is_done("a", STATE)
        assert [entry["page"] for entry in journal.entries("a")] == [1, 2, 3]
        assert not journal.is_done("a", FileState(10, 21))
        assert not journal.is_done("b", STATE)


def test_equal_contents_have_one_reading_and_names_of_their_own(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        note(journal, "a", "A", 2, upto=1)
        journal.add_page("A", 2, None, ERROR, "a")
        journal.add_file("b", STATE, "A")
        assert journal.is_done("b", STATE)
        assert [entry["source"] for entry in journal.entries("b")] == ["b", "b"]
        failed = list(journal.entries("b"))[1]
        assert failed == {"source": "b", "page": 2, "error": {**ERROR, "message": ERROR["message"].replace("a:", "b:", 1)}}
        assert list(journal.entries("a"))[1]["error"] == ERROR


def test_what_failed_is_done_unless_it_is_asked_for(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        note(journal, "a", "A", 2, upto=1)
        journal.add_page("A", 2, None, ERROR, "a")
        assert journal.is_done("a", STATE)
        assert not journal.is_done("a", STATE, even_failed=False)
        assert journal.has_failed("a")
        assert journal.pages_done("A", even_failed=False) == {1}
        journal.add_page("A", 2, {**PAGE, "page": 2}, None, "a")
        assert not journal.has_failed("a")


@pytest.mark.parametrize(("kind", "done"), [("InputDecodeError", True), ("InputNotFoundError", False), ("InputNeedsExtraError", False)])
def test_what_may_have_passed_is_looked_at_anew(tmp_path: Path, kind: str, done: bool) -> None:
    with opened(tmp_path / "j") as journal:
        journal.add_file("a", STATE, None, {"type": kind, "message": "a: cannot be had"})
        assert journal.is_done("a", STATE) is done
        assert list(journal.entries("a")) == [{"source": "a", "error": {"type": kind, "message": "a: cannot be had"}}]
        journal.add_file("a", FileState(), None, {"type": kind, "message": "a: cannot be had"})
        assert not journal.is_done("a", FileState())


def test_settings_keep_their_pages_apart(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        note(journal, "a", "A")
    with opened(tmp_path / "j", dpi=300) as journal:
        assert not journal.is_done("a", STATE)
        assert list(journal.entries("a")) == []
        assert [entry["page"] for entry in journal.entries(*journal.arrivals()[0])] == [1]
    with opened(tmp_path / "j") as journal:
        assert journal.is_done("a", STATE)


def test_a_name_that_comes_again_with_another_content(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        note(journal, "a", "A", 2)
        note(journal, "b", "B")
        note(journal, "a", "C", 1)
        assert [source for source, _ in journal.arrivals()] == ["a", "b", "a"]
        assert [len(list(journal.entries(source, number))) for source, number in journal.arrivals()] == [2, 1, 1]
        assert len(list(journal.entries("a"))) == 1


def test_the_files_of_the_table_are_listed_with_their_settings(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        assert journal.use_listed() is None
        note(journal, "a", "A")
        journal.list_files([("b", None), ("a", 1)], {"format": "csv"})
    with opened(tmp_path / "j", dpi=300) as journal:
        assert list(journal.entries("a")) == []
        assert journal.use_listed() == {"format": "csv"}
        assert journal.listed() == [("b", None), ("a", 1)]
        assert len(list(journal.entries("a"))) == 1


def test_no_space_for_the_list_leaves_the_old_one(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        journal.list_files([("a", None)], {})
        (pages,) = journal._base.execute("PRAGMA page_count").fetchone()
        journal._base.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(UsageError, match="no space is left"):
            journal.list_files([(f"file {index}", None) for index in range(5000)], {})
        assert journal.listed() == [("a", None)]
        journal._base.execute("PRAGMA max_page_count = 100000")
        note(journal, "a", "A")
    with opened(tmp_path / "j") as journal:
        assert journal.is_done("a", STATE)


def test_forgotten_pages_are_read_again(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        note(journal, "a", "A")
        journal.forget("A")
        assert not journal.is_done("a", STATE)


def test_two_batches_cannot_write_one_table(tmp_path: Path) -> None:
    with opened(tmp_path / "j"):
        with pytest.raises(UsageError, match="another batch is writing"):
            Journal(tmp_path / "j")
        with pytest.raises(UsageError, match="another batch is writing"):
            Journal(tmp_path / "j", replace_damaged=True)
    with opened(tmp_path / "j") as journal:
        assert journal.arrivals() == []


@pytest.mark.parametrize("content", [b"no journal at all, but a long text" * 99, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"journal is damaged.*--redo"):
        Journal(path)
    with Journal(path, replace_damaged=True) as journal:
        journal.use(SETTINGS)
        note(journal, "a", "A")
        assert journal.is_done("a", STATE)


@pytest.mark.parametrize(("found", "says"), [("99", "a newer.*upgrade it"), ("1", "an older.*move the journal away"), ("3.1", "a newer")])
@pytest.mark.parametrize("replace", [False, True])
def test_a_journal_of_another_version_is_left_as_it_is(tmp_path: Path, found: str, says: str, replace: bool) -> None:
    path = tmp_path / "j"
    opened(path).__exit__()
    with sqlite3.connect(path) as base:
        base.execute("UPDATE meta SET value = ? WHERE key = 'format'", (found,))
    base.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match=says):
        Journal(path, replace_damaged=replace)
    assert path.read_bytes() == before


def test_no_space_for_the_journal(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as journal:
        note(journal, "a", "A")
        (pages,) = journal._base.execute("PRAGMA page_count").fetchone()
        journal._base.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(UsageError, match=r"no space is left for the journal.*nothing is lost"):
            note(journal, "b", "B", 500)
    with opened(tmp_path / "j") as journal:
        assert journal.is_done("a", STATE)
        assert not journal.is_done("b", STATE)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        Journal(tmp_path / "no" / "j")
