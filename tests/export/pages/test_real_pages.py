"""Cheque fields and pages of text, seen at other sizes: boxes follow the ink, halves do not mix, bad folders are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export.data.folder import DataError
from export.pages.real_pages import KEPT_ASIDE_ONE_IN, SIZES, RealPages, load_real_pages, make_real_page
from tests.export.tiny_folders import write_cheques, write_text_pages


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_cheques(folder)
    write_text_pages(folder)
    return folder


@pytest.fixture(scope="module")
def pages(data: Path) -> RealPages:
    return load_real_pages(data, "train")


def test_a_tenth_is_kept_aside(data: Path, pages: RealPages) -> None:
    aside = load_real_pages(data, "validation")
    assert (len(pages.fields), len(pages.texts)) == (10, 10)
    assert (len(aside.fields), len(aside.texts)) == (12 - 10, -(-12 // KEPT_ASIDE_ONE_IN))
    assert {field.name for field in pages.fields}.isdisjoint(field.name for field in aside.fields)
    assert not any(np.array_equal(text, other) for text in pages.texts for other in aside.texts)


def test_boxes_of_a_field_hold_its_ink_at_any_size(pages: RealPages) -> None:
    sizes = set()
    for index in range(12):
        photo = make_real_page(pages, 3, index, 0.0)
        assert (photo.kind, photo.setting, photo.lines, photo.rotate) == ("cheque", "crop", ("375",), 0)
        assert [digit.digit for digit in photo.digits] == [3, 7, 5]
        assert photo.picture.dtype == np.uint8
        sizes.add(photo.picture.shape)
        assert SIZES[0] * 60 - 1 <= photo.picture.shape[0] <= SIZES[1] * 60 + 1
        dark = photo.picture < 150
        inside = np.zeros_like(dark)
        for digit in photo.digits:
            x, y, w, h = digit.box
            window = np.s_[max(0, int(y) - 2) : int(y + h) + 3, max(0, int(x) - 2) : int(x + w) + 3]
            assert dark[window].any()
            inside[window] = True
        assert (dark & ~inside).sum() <= 0.02 * dark.sum()
    assert len(sizes) > 6


def test_parts_of_text_hold_no_digits(pages: RealPages) -> None:
    photos = [make_real_page(pages, 3, index, 1.0) for index in range(8)]
    assert all((photo.kind, photo.digits, photo.lines) == ("text", (), ()) for photo in photos)
    assert len({photo.picture.shape for photo in photos}) > 4


def test_a_picture_depends_on_seed_and_index_alone(pages: RealPages) -> None:
    first, again, other, seed = (make_real_page(pages, *which) for which in ((3, 1), (3, 1), (3, 2), (4, 1)))
    assert np.array_equal(first.picture, again.picture)
    assert replace(first, picture=again.picture) == again
    assert not np.array_equal(first.picture, other.picture)
    assert not np.array_equal(first.picture, seed.picture)
    kinds = {make_real_page(pages, 3, index).kind for index in range(20)}
    assert kinds == {"cheque", "text"}


def test_without_text_there_are_fields_alone(tmp_path: Path) -> None:
    write_cheques(tmp_path, 3)
    pages = load_real_pages(tmp_path, "train")
    assert pages.texts == ()
    assert make_real_page(pages, 1, 0, 1.0).kind == "cheque"


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_real_pages(tmp_path, "train")
    archive = write_cheques(tmp_path, 1)
    with pytest.raises(DataError, match="too few cheque fields"):
        load_real_pages(tmp_path, "train")
    assert len(load_real_pages(tmp_path, "validation").fields) == 1
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        load_real_pages(tmp_path, "validation")
    archive.write_bytes(whole)
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "donut_1.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"donut_1\.jpg: is no picture"):
        load_real_pages(tmp_path, "validation")


def test_the_real_sets(shared: Path) -> None:
    aside = load_real_pages(shared / "data", "validation")
    assert len(aside.fields) > 20
    photo = make_real_page(aside, 1, 0, 0.0)
    assert "".join(str(digit.digit) for digit in photo.digits) == photo.lines[0]
