"""What goes wrong around a batch: each a row and an exit code, or one clear line before any work; nothing is lost."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_digits.batch.opening import OpenedFile
from edge_digits.batch.schedule import Task
from edge_digits.batch.tables import write_table
from edge_digits.errors import ExitCode, UsageError
from edge_digits.options import Options
from edge_digits.sources.images import open_pages
from tests.command_line import Run
from tests.document_files import pdf
from tests.doubles.desk import PATIENCE_S, Desk
from tests.picture_files import encode
from tests.strokes import draw_page

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux's own files")


def test_a_corrupt_page_within_a_good_pdf(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    sheets = [draw_page([text], width=600, height=220) for text in ("407", "18", "35")]
    data = pdf(sheets, size_pt=(216, 79.2))
    broken = data.replace(b"6 0 obj\n<< /Type /Page ", b"6 0 obj\n<< /Type /Pxxx ")
    assert broken != data
    (tmp_path / "scan.pdf").write_bytes(broken)
    outcome = run("batch", tmp_path / "scan.pdf", "--out", tmp_path / "t.jsonl", "--workers", 1)
    assert outcome.code == ExitCode.SOME_INPUTS_FAILED
    entries = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["page"] for entry in entries] == [1, 2, 3]
    assert [entry["lines"][0]["text"] for entry in entries[::2]] == ["407", "35"]
    assert entries[1]["error"] == {
        "type": "InputDecodeError",
        "message": f"{tmp_path / 'scan.pdf'}: PDF page 2 is damaged; get the file again",
    }


def test_nothing_text_and_what_has_gone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "big.tif").write_bytes(b"forty-two words and no picture\n" * (100 << 15))
    (tmp_path / "sheet.png").write_bytes(encode("PNG", draw_page(["35"], width=600, height=220)))
    (tmp_path / "folder.pdf").mkdir()
    names = [tmp_path / name for name in ("gone.jpg", "empty.png", "big.tif", "sheet.png")]
    outcome = run("batch", *names, "--out", tmp_path / "t.jsonl", "--workers", 1)
    assert outcome.code == ExitCode.SOME_INPUTS_FAILED
    entries = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    errors = [entry["error"]["type"] for entry in entries if "error" in entry]
    assert errors == ["InputNotFoundError", "InputDecodeError", "InputDecodeError"]
    assert "0 bytes" in entries[1]["error"]["message"]
    assert "not a picture" in entries[2]["error"]["message"]
    assert entries[3]["lines"][0]["text"] == "35"


@linux
def test_text_of_any_size_is_not_taken_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    with path.open("wb") as file:
        file.write(b"words")
        file.truncate(1 << 28)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opened = OpenedFile(Task(1, str(path)))
    with pytest.raises(ValueError, match="not a picture"):
        open_pages(opened.contents, Options().source, str(path))
    opened.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_file_that_is_written_to_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf([np.full((40, 60), 200, np.uint8)]))
    opened = OpenedFile(Task(1, str(path)))
    opened.check_unchanged()
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match="was written to while it was being read"):
        opened.check_unchanged()
    with pytest.raises(ValueError, match="was written to"):
        OpenedFile(Task(1, str(path)), (opened.digest, opened.state))
    opened.close()


def test_a_file_that_is_removed_while_it_waits(tmp_path: Path) -> None:
    desk, go = Desk(tmp_path), tmp_path / "go"
    desk.put(a=f"1\nwait {go}", b=f"2\nwait {go}", c="3")
    process = desk.start()
    desk.until(lambda: {"a:2", "b:2"} <= set(desk.read()))
    (desk.folder / "c.png").unlink()
    go.touch()
    assert process.wait(PATIENCE_S) == ExitCode.SOME_INPUTS_FAILED
    assert desk.rows()[-1]["error"] == f"InputNotFoundError: {desk.folder / 'c.png'}: no such file; check the path"
    desk.put(c="3")
    assert desk.batch()[0] == ExitCode.OK
    assert desk.read() == ["c"]


def test_two_batches_on_one_table(tmp_path: Path) -> None:
    desk, go = Desk(tmp_path), tmp_path / "go"
    desk.put(a=f"1\nwait {go}")
    first = desk.start()
    desk.until(lambda: "a:2" in desk.read())
    code, told = desk.batch()
    assert code == ExitCode.USAGE
    assert "another batch is writing this table" in told
    go.touch()
    assert first.wait(PATIENCE_S) == ExitCode.OK


@linux
def test_no_space_for_the_table(tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    out.write_text("as it was", encoding="utf-8")
    (tmp_path / ".t.csv.part").symlink_to("/dev/full")
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device\)"):
        write_table(out, "csv", [{"source": "a", "error": {"type": "InputError", "message": "x" * 99}}])
    assert out.read_text(encoding="utf-8") == "as it was"


@linux
def test_a_folder_that_cannot_be_written_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    outcome = run("batch", tmp_path, "--out", "/proc/t.csv")
    assert outcome.code == ExitCode.USAGE
    (line,) = outcome.complaints
    assert "journal cannot be written" in line


@pytest.mark.parametrize("lock", [".~lock.t.csv#", "~$t.csv"])
def test_a_table_that_is_open_in_another_program(run: Run, tmp_path: Path, lock: str) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / lock).touch()
    outcome = run("batch", tmp_path, "--out", tmp_path / "t.csv")
    assert outcome.code == ExitCode.USAGE
    assert "is open in another program" in outcome.err
    assert not (tmp_path / "t.csv").exists()


def test_a_table_that_another_program_holds_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UsageError, match=r"used by another process.*same command again"):
        write_table(tmp_path / "t.csv", "csv", [])
    assert list(tmp_path.iterdir()) == []
