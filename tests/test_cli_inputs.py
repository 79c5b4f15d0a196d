"""Inputs that cannot be read: each is told in one line and in the output, the others are read, the exit code says so."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge_digits.errors import ExitCode
from tests.command_line import LINES, TEXT, Outcome, Run
from tests.picture_files import encode, giant_header, giant_png


def truncated(good: Path) -> bytes:
    """The first half of a JPEG file."""
    whole = encode("JPEG", cv2.imread(str(good)))
    return whole[: len(whole) // 2]


BAD = {
    "empty.png": (lambda _: b"", "InputDecodeError", "0 bytes"),
    "text.jpg": (lambda _: b"not a picture, but 42 words of text\n" * 9, "InputDecodeError", "not a picture"),
    "truncated.jpg": (truncated, "InputDecodeError", "cut off"),
    "header.jpg": (lambda _: b"\xff\xd8\xff\xe0", "InputDecodeError", "header"),
    "giant.png": (lambda _: giant_header("PNG", 20000, 20000), "InputTooLargeError", "20000x20000 is 400 megapixels"),
    "giant.jpg": (lambda _: giant_header("JPEG", 20000, 20000), "InputTooLargeError", "20000x20000 is 400 megapixels"),
    "damaged.pdf": (lambda _: b"%PDF-1.7\n" + b"no objects\n" * 20, "InputDecodeError", "PDF"),
}


def refused(outcome: Outcome, bad: Path, kind: str, says: str) -> None:
    """The bad input is told as JSON and in one line, and the good one after it is read."""
    first, second = outcome.pages
    assert outcome.code == ExitCode.SOME_INPUTS_FAILED
    assert first["source"] == str(bad)
    assert first["error"]["type"] == kind
    assert says in first["error"]["message"]
    assert outcome.complaints == [first["error"]["message"]]
    assert outcome.complaints[0].startswith(f"{bad}: ")
    assert "; " in outcome.complaints[0]
    assert [line["text"] for line in second["lines"]] == LINES


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file(run: Run, good: Path, tmp_path: Path, name: str) -> None:
    if name.endswith(".pdf"):
        pytest.importorskip("pypdfium2")
    make, kind, says = BAD[name]
    bad = tmp_path / name
    bad.write_bytes(make(good))
    refused(run("read", bad, good, "--format", "json"), bad, kind, says)


def test_a_missing_file(run: Run, good: Path, tmp_path: Path) -> None:
    bad = tmp_path / "missing.jpg"
    refused(run("read", bad, good, "--format", "json"), bad, "InputNotFoundError", "no such file")


def test_a_folder_where_a_file_is_meant(run: Run, good: Path, tmp_path: Path) -> None:
    refused(run("read", tmp_path, good, "--format", "json"), tmp_path, "InputIsFolderError", "edge-digits batch")


def test_a_file_without_permission(run: Run, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "locked.png"
    shutil.copy(good, bad)
    bad.chmod(0)
    if os.access(bad, os.R_OK):  # a superuser may read it all the same: refuse in the system's place
        allowed = Path.open

        def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
            if self == bad:
                raise PermissionError(errno.EACCES, "Permission denied", str(self))
            return allowed(self, *arguments, **options)

        monkeypatch.setattr(Path, "open", refuse)
    refused(run("read", bad, good, "--format", "json"), bad, "InputPermissionError", "no permission")


def test_a_pdf_without_its_extra(run: Run, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "scan.pdf"
    bad.write_bytes(b"%PDF-1.4\n%%EOF\n")
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    refused(run("read", bad, good, "--format", "json"), bad, "InputNeedsExtraError", 'pip install "edge-digits[documents]"')


def test_text_output_leaves_errors_to_stderr(run: Run, good: Path, tmp_path: Path) -> None:
    outcome = run("read", tmp_path / "missing.jpg", good)
    assert (outcome.code, outcome.out) == (1, f"{good}:\n{TEXT}")
    assert len(outcome.complaints) == 1


def test_all_inputs_bad(run: Run, tmp_path: Path) -> None:
    outcome = run("read", tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert (outcome.code, outcome.out, len(outcome.complaints)) == (1, "", 2)


def test_the_pixel_limit_is_an_option(run: Run, good: Path, tmp_path: Path) -> None:
    assert run("read", good, "--max-megapixels", "0.5").code == ExitCode.SOME_INPUTS_FAILED
    large = tmp_path / "large.png"
    large.write_bytes(giant_png(10400, 10000))
    assert run("read", large).code == ExitCode.SOME_INPUTS_FAILED
    assert run("read", large, "--max-megapixels", "105") == Outcome(0, "", "")
