"""python -m export.pages: the same pages by any number of processes, in one go or in several."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_digits.bench.truth import load_truth
from edge_digits.errors import ExitCode
from export.pages.__main__ import main
from tests.export.pages.sheets_by_hand import read_picture


def call(data: Path, out: Path, *more: str, count: int = 3, seed: int = 8, jobs: int = 1) -> ExitCode:
    return main(["--data", str(data), "--out", str(out), "--count", str(count), "--seed", str(seed), "--jobs", str(jobs), *more])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pages_and_their_truth(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    assert call(drawn_data, out) == ExitCode.OK, capsys.readouterr().err
    assert capsys.readouterr().out == ""
    pages = [json.loads(line) for line in (out / "pages.jsonl").read_text().splitlines()]
    truth = load_truth(out / "truth.json")
    assert [page["source"] for page in pages] == [f"pages/{index:06d}.jpg" for index in range(3)]
    assert [f"pages/{entry.name}" for entry in truth] == [page["source"] for page in pages]
    for page, entry in zip(pages, truth, strict=True):
        assert read_picture(out / page["source"]).shape[:2] == (page["height"], page["width"])
        assert [line["text"].replace(" ", "") for line in page["lines"]] == [line.replace(" ", "") for line in entry.lines]
    assert read_picture(out / "contact.jpg").shape == read_picture(out / "contact_truth.jpg").shape
    assert not list(out.rglob(".*"))


def test_pages_of_one_kind(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    assert call(drawn_data, out, "--only", "text") == ExitCode.OK
    assert {json.loads(line)["kind"] for line in (out / "pages.jsonl").read_text().splitlines()} == {"text"}
    capsys.readouterr()
    assert call(drawn_data, out) == ExitCode.USAGE
    assert "--only text, not None" in capsys.readouterr().err


def test_an_interrupted_run_goes_on(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert call(drawn_data, whole) == ExitCode.OK
    assert call(drawn_data, parts, count=2) == ExitCode.OK
    (parts / "pages" / "000000.jpg").unlink()
    lines = (parts / "pages.jsonl").read_text()
    (parts / "pages.jsonl").write_text(lines + '{"source": "pages/0000')
    kept = (parts / "pages" / "000001.jpg").stat().st_mtime_ns
    capsys.readouterr()
    assert call(drawn_data, parts) == ExitCode.OK
    assert "3 pages, 2 of them new" in capsys.readouterr().err
    assert (parts / "pages" / "000001.jpg").stat().st_mtime_ns == kept
    assert contents(parts) == contents(whole)


def test_processes_make_no_difference(shared: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "mnist").symlink_to(shared / "data" / "mnist")
    assert call(data, tmp_path / "one", count=5) == ExitCode.OK
    # As a program: what its processes import must be found there too.
    options = ["--data", str(data), "--out", str(tmp_path / "two"), "--count", "5", "--seed", "8", "--jobs", "2"]
    subprocess.run([sys.executable, "-m", "export.pages", *options], check=True, capture_output=True, cwd=Path(__file__).parents[3])
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"seed": 9}, "were made with --seed 8, not 9"), ({"count": 1}, "holds 2 pages and --count is 1")],
)
def test_other_pages_do_not_mix(drawn_data: Path, tmp_path: Path, capsys: Any, changed: dict[str, int], said: str) -> None:
    assert call(drawn_data, tmp_path / "out", count=2) == ExitCode.OK
    before = contents(tmp_path / "out")
    capsys.readouterr()
    assert call(drawn_data, tmp_path / "out", **({"count": 2} | changed)) == ExitCode.USAGE
    assert said in capsys.readouterr().err
    assert call(drawn_data, tmp_path / "out", "--split", "validation", count=2) == ExitCode.USAGE
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("option", "value"), [("--count", "0"), ("--count", "many"), ("--jobs", "0"), ("--seed", "-1"), ("--split", "test")]
)
def test_absurd_options(tmp_path: Path, capsys: Any, option: str, value: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--count", "1", option, value])
    assert stop.value.code == ExitCode.USAGE
    assert value in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_without_digits_is_one_line(tmp_path: Path, capsys: Any, jobs: int) -> None:
    assert call(tmp_path / "nothing", tmp_path / "out", jobs=jobs) == ExitCode.SOME_INPUTS_FAILED
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert "no such file" in error.splitlines()[-1]


def test_folders_that_cannot_be_used(drawn_data: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    assert call(drawn_data, tmp_path / "file") == ExitCode.USAGE
    foreign = tmp_path / "foreign" / "pages"
    foreign.mkdir(parents=True)
    (foreign / "holiday.jpg").write_bytes(b"mine")
    assert call(drawn_data, tmp_path / "foreign") == ExitCode.USAGE
    assert "holds pages that this command did not make" in capsys.readouterr().err.splitlines()[-1]
    assert contents(tmp_path / "foreign") == {"pages/holiday.jpg": b"mine"}
