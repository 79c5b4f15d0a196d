"""The samples folder: both layouts, what cannot be used, and that nothing stored is ever lost."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits import UsageError
from edge_digits.errors import InputNotFoundError
from edge_digits.personal.samples import count_samples, find_samples, read_samples, require_some, split_in_turn, store_sample
from tests.strokes import draw_digit


def crop(digit: int) -> np.ndarray:
    return cv2.copyMakeBorder(255 - draw_digit(digit, 60, 5), 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=255)


def test_what_is_stored_is_found_again(tmp_path: Path) -> None:
    for digit in (0, 7, 7):
        store_sample(tmp_path, "train", digit, crop(digit))
    store_sample(tmp_path, "test", 3, crop(3))
    assert [sample.label for sample in find_samples(tmp_path)] == [0, 7, 7]
    assert [sample.label for sample in find_samples(tmp_path, "test")] == [3]
    samples = read_samples(find_samples(tmp_path))
    assert samples.counts() == [1, 0, 0, 0, 0, 0, 0, 2, 0, 0]
    assert samples.skipped == []
    assert all(glyph.any() for glyph in samples.glyphs)


def test_the_source_crop_is_stored_as_it_was(tmp_path: Path) -> None:
    colour = np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)
    path = store_sample(tmp_path, "train", 4, colour)
    assert (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) == colour).all()


def test_storing_overwrites_nothing(tmp_path: Path) -> None:
    first = store_sample(tmp_path, "train", 1, crop(1))
    second = store_sample(tmp_path, "train", 1, crop(1))
    first.unlink()
    third = store_sample(tmp_path, "train", 1, crop(1))
    assert len({first, second, third}) == 3
    assert count_samples(tmp_path, 1) == 2


def test_a_folder_without_a_split_is_all_train(tmp_path: Path) -> None:
    (tmp_path / "6").mkdir()
    cv2.imwrite(str(tmp_path / "6" / "a.png"), crop(6))
    assert [sample.label for sample in find_samples(tmp_path)] == [6]
    assert find_samples(tmp_path, "test") == []


def test_pictures_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    store_sample(tmp_path, "train", 5, crop(5))
    blank = store_sample(tmp_path, "train", 5, np.full((30, 30), 240, np.uint8))
    text = blank.with_name("note.png")
    text.write_text("no picture", encoding="utf-8")
    samples = read_samples(find_samples(tmp_path))
    assert len(samples) == 1
    assert [str(blank) in samples.skipped[0] or str(blank) in samples.skipped[1], len(samples.skipped)] == [True, 2]
    assert any("no ink" in line for line in samples.skipped)
    assert any(str(text) in line for line in samples.skipped)


@pytest.mark.parametrize("make", [lambda path: path / "missing", lambda path: path])
def test_a_folder_without_digits_is_refused(tmp_path: Path, make: object) -> None:
    with pytest.raises(UsageError, match="folder"):
        find_samples(make(tmp_path))  # type: ignore[operator]


def test_no_usable_sample_is_an_error(tmp_path: Path) -> None:
    store_sample(tmp_path, "train", 5, np.full((20, 20), 90, np.uint8))
    with pytest.raises(InputNotFoundError, match="no ink"):
        require_some(read_samples(find_samples(tmp_path)), tmp_path)


def test_ten_train_five_test_in_turn() -> None:
    assert [split_in_turn(index) for index in range(30)] == (["train"] * 10 + ["test"] * 5) * 2


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("in the way", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        store_sample(tmp_path, "train", 1, crop(1))


def test_real_samples_of_every_writer_are_read(shared: Path) -> None:
    for writer, count in (("aiano", 99), ("kstock_ds10", 100), ("tgtony", 500)):
        samples = read_samples(find_samples(shared / "personal" / writer))
        assert (len(samples), samples.skipped) == (count, [])
