"""The command line as scripts see it: exit codes, and data alone on stdout."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits import cli
from edge_digits.errors import ExitCode
from tests.command_line import LINES, TEXT, Outcome, Run, program
from tests.picture_files import encode


def test_text(run: Run, good: Path) -> None:
    assert run("read", good) == Outcome(0, TEXT, "")


def test_several_files_are_told_apart(run: Run, good: Path) -> None:
    assert run("read", good, good).out == f"{good}:\n{TEXT}{good}:\n{TEXT}"


def test_json(run: Run, good: Path) -> None:
    outcome = run("read", good, "--format", "json")
    (page,) = outcome.pages
    assert (outcome.code, outcome.err) == (0, "")
    assert list(page) == ["source", "page", "width", "height", "lines", "model", "provider", "elapsed_ms"]
    assert (page["source"], page["page"], page["width"], page["height"]) == (str(good), 1, 1000, 700)
    assert [line["text"] for line in page["lines"]] == LINES
    assert [number["value"] for line in page["lines"] for number in line["numbers"]] == ["407", "1892", "35"]
    assert set(page["model"]) >= {"name", "sha256"}
    assert page["provider"].endswith("ExecutionProvider")
    assert all(ms >= 0 for ms in page["elapsed_ms"].values())
    for digit in (digit for line in page["lines"] for number in line["numbers"] for digit in number["digits"]):
        x, y, width, height = digit["box"]
        assert 0 <= x < x + width <= 1000
        assert 0 <= y < y + height <= 700
        assert 0.5 < digit["confidence"] <= 1.0


def test_csv(run: Run, good: Path, tmp_path: Path) -> None:
    outcome = run("read", good, tmp_path / "missing.png", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert [(row["source"], row["line"], row["number"], row["value"]) for row in rows[:3]] == [
        (str(good), "1", "1", "407"),
        (str(good), "1", "2", "1892"),
        (str(good), "2", "1", "35"),
    ]
    assert rows[3]["source"] == str(tmp_path / "missing.png")
    assert "InputNotFoundError" in rows[3]["error"]
    assert len(rows) == 4
    assert outcome.code == ExitCode.SOME_INPUTS_FAILED


def test_annotated_pictures_have_the_size_of_the_source(run: Run, good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert run("read", good, "--annotate", folder) == Outcome(0, TEXT, "")
    (picture,) = folder.iterdir()
    drawn = cv2.imread(str(picture))
    assert drawn.shape == (700, 1000, 3)
    assert (drawn != cv2.imread(str(good))).any()


def test_annotated_pictures_of_one_name_do_not_overwrite_each_other(run: Run, good: Path, tmp_path: Path) -> None:
    sources = [tmp_path / folder / good.name for folder in ("a", "b")]
    for source in sources:
        source.parent.mkdir()
        shutil.copy(good, source)
    run("read", *sources, "--annotate", tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_folder_that_cannot_be_made(run: Run, good: Path) -> None:
    outcome = run("read", good, "--annotate", good / "below a file")
    assert (outcome.code, outcome.out) == (ExitCode.USAGE, "")
    assert "--annotate" in outcome.complaints[0]


def test_a_threshold_nothing_reaches_makes_every_digit_unsure(run: Run, good: Path) -> None:
    (page,) = run("read", good, "--min-confidence", "1", "--format", "json").pages
    digits = [digit for line in page["lines"] for number in line["numbers"] for digit in number["digits"]]
    unsure = [digit for digit in digits if digit["digit"] is None]
    assert len(unsure) > len(digits) / 2
    assert all(digit["candidates"] for digit in unsure)
    assert "?" in page["lines"][0]["text"]


@pytest.mark.parametrize("shade", [0, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (40, 40), (900, 1200)])
def test_a_page_without_digits_is_read_as_such(run: Run, tmp_path: Path, shade: int, shape: tuple[int, int]) -> None:
    path = tmp_path / "blank.png"
    path.write_bytes(encode("PNG", np.full(shape, shade, np.uint8)))
    assert run("read", path) == Outcome(0, "", "")


# Usage


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--provider", "tpu"),
        ("--precision", "int4"),
        ("--min-confidence", "1.5"),
        ("--min-confidence", "nan"),
        ("--max-megapixels", "0"),
        ("--max-megapixels", "-3"),
        ("--dpi", "7"),
        ("--threads", "-1"),
    ],
)
def test_a_value_out_of_range(run: Run, good: Path, option: str, value: str) -> None:
    outcome = run("read", good, f"{option}={value}")
    assert (outcome.code, outcome.out) == (ExitCode.USAGE, "")
    (line,) = outcome.complaints
    assert option.removeprefix("--") in line
    assert value in line


@pytest.mark.parametrize("arguments", [["raed", "a.jpg"], ["read"], ["read", "a.jpg", "--format", "xml"], ["read", "a.jpg", "--nonsense"]])
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (ExitCode.USAGE, "")
    assert "Traceback" not in outcome.err
    assert outcome.err.startswith("usage: edge-digits")


def test_an_unknown_command_is_named_with_those_there_are(run: Run) -> None:
    last = run("raed").err.splitlines()[-1]
    assert "raed" in last
    assert all(name in last for name in cli.COMMANDS)


def test_help_and_version_are_data(run: Run) -> None:
    outcome = run("--version")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("edge-digits ")
    assert "read pictures" in run("--help").out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_its_help(run: Run, name: str) -> None:
    outcome = run(name, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: edge-digits {name}")


def test_interrupted(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edge_digits.reader.Reader.read_frame", interrupt)
    outcome = run("read", good)
    assert (outcome.code, outcome.complaints) == (ExitCode.INTERRUPTED, ["interrupted"])


# As a program


def test_the_program_keeps_stdout_for_data(good: Path, tmp_path: Path) -> None:
    # With a file that makes OpenCV's decoders talk: a JPEG whose pixels are damaged, not cut off.
    hurt = bytearray(encode("JPEG", cv2.imread(str(good))))
    hurt[len(hurt) // 2 : len(hurt) // 2 + 40] = b"\x5a" * 40
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(hurt)
    done = program("read", good, damaged, tmp_path / "missing.jpg", "--format", "json")
    pages = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == ExitCode.SOME_INPUTS_FAILED
    assert [page["source"] for page in pages] == [str(good), str(damaged), str(tmp_path / "missing.jpg")]
    assert b"Traceback" not in done.stderr
    assert done.stderr.decode().splitlines()[-1] == f"edge-digits: {pages[2]['error']['message']}"


def test_the_program_reads_from_a_pipe(good: Path) -> None:
    done = program("read", "-", input=good.read_bytes())
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, TEXT, b"")


def test_the_program_ends_quietly_when_nobody_listens(good: Path) -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-m", "edge_digits", "read", *([str(good)] * 3), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode in (0, 141)
