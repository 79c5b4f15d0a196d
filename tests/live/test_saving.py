"""What is kept of settled pages and numbers, and what happens when it cannot be."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.errors import UsageError
from edge_digits.live import saving
from edge_digits.live.saving import Keeper, crop_of, make_folder
from edge_digits.sources.frame import Frame
from tests.doubles.pages import draw_page, number, reading

FRAME = Frame.from_array(draw_page({(80, 80): "4072"}, (240, 480), 60), "film")
PAGE = reading([number("4072", (80, 80, 200, 60))])


def test_a_page_is_three_files(tmp_path: Path) -> None:
    path = Keeper(tmp_path / "new").keep_page(FRAME, PAGE, {"event": "page"})
    assert path is not None
    assert np.array_equal(cv2.imread(str(path)), FRAME.picture)
    assert json.loads(path.with_suffix(".json").read_text()) == {"event": "page"}
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(
        [path.name, f"{path.stem}-read.png", f"{path.stem}.json"],
    )


def test_the_same_moment_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "_time_of_day", lambda: "now")
    keeper = Keeper(tmp_path)
    first = keeper.keep_page(FRAME, PAGE, {"event": "first"})
    second = keeper.keep_page(FRAME, PAGE, {"event": "second"})
    assert first is not None
    assert second is not None
    assert json.loads(first.with_suffix(".json").read_text()) == {"event": "first"}
    assert json.loads(second.with_suffix(".json").read_text()) == {"event": "second"}


@pytest.mark.parametrize("box", [(80, 80, 200, 60), (0, 0, 480, 240), (470, 230, 10, 10), (900, 900, 5, 5)])
def test_a_crop_is_paper_and_number_within_the_frame(box: tuple[int, int, int, int]) -> None:
    crop = crop_of(FRAME, box)
    assert crop.size
    assert crop.shape[0] <= 240
    assert crop.shape[1] <= 480


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Writing fails as on a full disk while the answer holds True."""
    full = [True]
    plain = saving.os.fsync

    def sync(handle: int) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(handle)

    monkeypatch.setattr(saving.os, "fsync", sync)
    return full


def test_a_full_disk_is_told_once_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = fill_disk(monkeypatch)
    keeper = Keeper(tmp_path)
    for _ in range(5):
        assert keeper.keep_page(FRAME, PAGE, {}) is None
        assert keeper.keep_crop(FRAME, (80, 80, 200, 60), 1) is None
    assert list(tmp_path.iterdir()) == []
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "No space left on device" in told
    full[0] = False
    assert keeper.keep_page(FRAME, PAGE, {}) is not None
    assert "saving goes on, 10 times it could not" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["file/below", "file"])
def test_a_folder_that_cannot_be_is_refused_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--save"):
        make_folder(tmp_path / name)


def test_the_folder_of_another_option_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--samples"):
        make_folder(tmp_path / "file", "--samples")


def test_nothing_else_than_a_lack_of_room_is_hidden(tmp_path: Path) -> None:
    broken: Any = None
    with pytest.raises(AttributeError):
        Keeper(tmp_path).keep_page(broken, PAGE, {})
