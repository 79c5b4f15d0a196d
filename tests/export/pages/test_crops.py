"""Parts of pages: every pixel has its meaning, shards come back as they were saved, the command goes on."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_digits.errors import ExitCode, UsageError
from export.pages import crops, page_source
from export.pages.crops import CROPS_A_PAGE, NO_DIGIT, OPEN, SIDE_PX, joined, load_crops, no_crops, page_crops
from export.pages.sheet import Clutter
from export.pages.view import Photograph
from tests.export.pages.test_proposals import photo_of


def with_frame(photo: Photograph) -> Photograph:
    """The same with a frame of printed lines through the feet of its digits; the pen's own strokes known."""
    written = np.where(photo.picture < 200, 255, 0).astype(np.uint8)
    picture = photo.picture.copy()
    picture[195:198, 60:580] = 40
    picture[100:103, 60:580] = 40
    return replace(photo, picture=picture, written=written)


def test_ink_of_digits_is_told_from_a_frame_that_it_touches() -> None:
    found = page_crops(with_frame(photo_of()), 0, seed=1)
    assert found.pictures.shape == (CROPS_A_PAGE, SIDE_PX, SIDE_PX)
    inked, digit = found.pictures > 90, found.strokes == 1
    assert digit.sum() > 100
    assert (inked & (found.strokes == 0)).sum() > 100
    assert inked[digit].mean() > 0.8
    along = digit.sum(axis=2).max()
    assert along < 0.8 * SIDE_PX, "the frame's lines run from edge to edge"


def test_the_middle_of_each_digit_is_named_with_its_size() -> None:
    photo = photo_of("2357")
    found = page_crops(photo, 0, seed=1)
    assert {2, 3, 5, 7, NO_DIGIT} >= set(found.cells[found.cells != OPEN].tolist()) > {NO_DIGIT}
    is_digit = found.cells < NO_DIGIT
    heights, widths = found.sizes[:, 0][is_digit], found.sizes[:, 1][is_digit]
    assert heights.min() > 8
    assert (heights > widths).all()
    assert not found.sizes[:, :, :, :].swapaxes(0, 1)[:, ~is_digit].any()


def test_what_nobody_could_name_is_left_open() -> None:
    photo = photo_of("2357")
    unclear = replace(photo, digits=photo.digits[:2], clutter=tuple(Clutter("faint digit", d.box) for d in photo.digits[2:]))
    found = page_crops(unclear, 0, seed=1)
    assert not {5, 7} & set(found.cells.tolist() if found.cells.ndim == 1 else found.cells.ravel().tolist())
    assert (found.strokes == OPEN).any()


def test_pages_that_give_nothing() -> None:
    blank = replace(photo_of(""), picture=np.full((300, 400), 240, np.uint8))
    for photo in (blank, replace(photo_of(), rotate=90)):
        found = page_crops(photo, 0, seed=1)
        for name in type(found).__slots__:
            assert getattr(found, name).shape[1:] == getattr(no_crops(), name).shape[1:]
            assert len(getattr(found, name)) == 0


def test_the_same_page_gives_the_same_crops() -> None:
    first, again, other = (page_crops(photo_of(), 0, seed) for seed in (1, 1, 2))
    assert first.pictures.tobytes() == again.pictures.tobytes() != other.pictures.tobytes()


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_source, "get_context", lambda _: SimpleNamespace(Pool=ThreadPool))
    monkeypatch.setattr(crops, "PAGES_A_SHARD", 2)


def call(data: Path, out: Path, *more: str, count: int = 2) -> ExitCode:
    return crops.main(["--data", str(data), "--out", str(out), "--count", str(count), "--jobs", "1", "--seed", "3", *more])


def test_generated_pages_become_shards(drawn_data: Path, tmp_path: Path, in_this_process: None, capsys: Any) -> None:
    out = tmp_path / "out"
    assert call(drawn_data, out) == ExitCode.OK, capsys.readouterr().err
    assert capsys.readouterr().out == ""
    first = load_crops(out)
    assert len(first.pictures) == len(first.cells) > 0
    assert call(drawn_data, out, count=3) == ExitCode.OK
    assert sorted(path.name for path in out.iterdir()) == ["0000.npz", "0001.npz"]
    assert load_crops(out).pictures[: len(first.pictures)].tobytes() == first.pictures.tobytes()
    assert len(joined([first, first]).sizes) == 2 * len(first.sizes)


def test_mistakes_are_one_line(drawn_data: Path, tmp_path: Path, in_this_process: None, capsys: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    for data, out, code, said in (
        (tmp_path / "nowhere", tmp_path / "out", ExitCode.SOME_INPUTS_FAILED, "no such file"),
        (drawn_data, tmp_path / "file", ExitCode.USAGE, "cannot be a folder"),
    ):
        assert call(data, out) == code
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("export.pages.crops: ")
        assert said in error
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "0000.npz").write_bytes(b"no shard")
    for folder, message in ((tmp_path / "bad", "no shard of crops"), (tmp_path / "none", "no shards; make them with")):
        with pytest.raises(UsageError, match=message):
            load_crops(folder)
