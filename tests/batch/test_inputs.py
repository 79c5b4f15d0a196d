"""Which files a batch takes, and in which order."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from edge_digits.batch.inputs import find_inputs, natural_key, plain
from edge_digits.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("page10.png", "page2.PNG", "notes.txt", ".hidden.png", "b/scan.tiff", "b/c/deep.pdf", ".trash/old.png", "A.jpg"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def names(found: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in found]


def test_a_folder_through_all_levels_in_natural_order(folder: Path) -> None:
    assert names(find_inputs([str(folder)]), folder) == ["A.jpg", "b/c/deep.pdf", "b/scan.tiff", "page2.PNG", "page10.png"]


def test_a_pattern_takes_the_place_of_extensions(folder: Path) -> None:
    assert names(find_inputs([str(folder)], "*e*.t*"), folder) == ["notes.txt"]
    assert names(find_inputs([str(folder)], "page*"), folder) == ["page2.PNG", "page10.png"]


def test_named_files_keep_their_place_and_come_once(folder: Path) -> None:
    chosen = [str(folder / "notes.txt"), str(folder / "missing.png"), str(folder), str(folder / "b" / ".." / "A.jpg")]
    assert names(find_inputs(chosen), folder)[:3] == ["notes.txt", "missing.png", "A.jpg"]
    assert len(find_inputs(chosen)) == 7


def test_the_folder_written_to_is_left_out(folder: Path) -> None:
    assert names(find_inputs([str(folder)], excluded=folder / "b"), folder) == ["A.jpg", "page2.PNG", "page10.png"]


def test_a_circle_of_links_is_not_walked(folder: Path) -> None:
    (folder / "b" / "round").symlink_to(folder, target_is_directory=True)
    assert len(find_inputs([str(folder)])) == 5


@pytest.mark.parametrize("pattern", [None, "*.gif"])
def test_nothing_to_read(tmp_path: Path, pattern: str | None) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"nothing to read in .*--pattern"):
        find_inputs([str(tmp_path), str(tmp_path / "missing.png")], pattern)


def test_a_folder_that_cannot_be_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(UsageError, match=r"b: folder cannot be listed \(Permission denied\)"):
        find_inputs([str(folder)])


def test_natural_order_bears_any_name() -> None:
    strange = ["", "1", "01", "a1b", "1a", "é2", "²", "a10", "a9", "-1", "a\n1", "A9"]
    ordered = sorted(map(Path, strange), key=lambda path: (natural_key(path), str(path)))
    assert ordered.index(Path("a9")) < ordered.index(Path("a10"))
    assert len(ordered) == len(strange)


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes are a thing of Linux")
def test_names_that_are_no_utf_8_become_readable() -> None:
    assert plain(os.fsdecode(b"caf\xe9.png")) == "caf\\udce9.png"
    assert plain("café.png") == "café.png"


def test_globs_are_opened_and_names_with_brackets_are_names(folder: Path) -> None:
    (folder / "scan[1].png").touch()
    assert names(find_inputs([str(folder / "page*")]), folder) == ["page2.PNG", "page10.png"]
    assert names(find_inputs([str(folder / "**" / "*.[tp]*f*")]), folder) == ["b/c/deep.pdf", "b/scan.tiff"]
    assert names(find_inputs([str(folder / "scan[1].png")]), folder) == ["scan[1].png"]
    assert names(find_inputs([str(folder / "b*")]), folder) == ["b/c/deep.pdf", "b/scan.tiff"]
    with pytest.raises(UsageError, match="nothing to read"):
        find_inputs([str(folder / "*.gif")])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_list_on_stdin(folder: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    listed = end.join([str(folder / "page10.png"), str(folder / "b"), str(folder / "page2.PNG"), ""])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed.encode())))
    assert names(find_inputs(["-"]), folder) == ["page10.png", "b/c/deep.pdf", "b/scan.tiff", "page2.PNG"]


def test_the_table_is_no_input_of_itself(folder: Path) -> None:
    assert names(find_inputs([str(folder)], table=folder / "b" / "c" / "deep.pdf"), folder) == [
        "A.jpg",
        "b/scan.tiff",
        "page2.PNG",
        "page10.png",
    ]
