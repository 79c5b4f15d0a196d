"""Pictures of sheets: boxes hold the ink, the same seed gives the same picture, and nothing hides a digit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.pages.framing import LONGEST_PX
from export.pages.scenes import Surroundings
from export.pages.sheet import SHEET_KINDS
from export.pages.view import SETTINGS, Photograph, load_sources, make_page, photograph, turned
from tests.export.pages.sheets_by_hand import NO_SOURCES, discs

PAGES = 40


def grey(photo: Photograph) -> np.ndarray:
    return photo.picture if photo.picture.ndim == 2 else cv2.cvtColor(photo.picture, cv2.COLOR_BGR2GRAY)


@pytest.fixture(scope="module")
def photos() -> list[Photograph]:
    return [photograph(np.random.default_rng((5, index)), discs(), NO_SOURCES) for index in range(PAGES)]


def test_every_setting_occurs(photos: list[Photograph]) -> None:
    assert {photo.setting for photo in photos} == set(SETTINGS)
    assert {photo.picture.ndim for photo in photos} == {2, 3}


def test_the_middle_of_each_box_is_ink_and_its_corners_are_paper(photos: list[Photograph]) -> None:
    for photo in photos:
        picture = cv2.blur(grey(photo), (3, 3)).astype(float)
        assert max(picture.shape) <= LONGEST_PX
        for digit in photo.digits:
            x, y, w, h = digit.box
            assert min(x, y) >= 0
            assert x + w <= picture.shape[1] + 1e-6
            assert y + h <= picture.shape[0] + 1e-6
            middle = picture[int(y + h / 2), int(x + w / 2)]
            rim = [picture[int(y + h * j), int(x + w * i)] for i in (0.02, 0.97) for j in (0.02, 0.97)]
            # A disc that the picture's edge cuts may have ink in two corners of what is left of its box.
            assert sorted(rim)[2] > middle + 3, (photo.setting, digit)


def test_truth_tells_what_was_written(photos: list[Photograph]) -> None:
    written = "".join(str(digit.digit) for digit in discs().digits)
    whole = 0
    for photo in photos:
        shown = "".join(str(digit.digit) for digit in photo.digits)
        assert shown == "".join(character for line in photo.lines for character in line if character.isdigit())
        whole += shown == written
        if photo.setting in ("scan", "desk"):
            assert shown == written or "faint digit" in {each.kind for each in photo.clutter} or photo.setting == "desk"
    assert whole > PAGES / 2


def test_the_same_generator_state_gives_the_same_picture() -> None:
    for index in range(8):
        first, second = (photograph(np.random.default_rng(index), discs(), NO_SOURCES) for _ in range(2))
        assert (first.picture == second.picture).all()
        assert replace(first, picture=second.picture) == second


@pytest.mark.parametrize("kind", SHEET_KINDS)
def test_every_kind_of_sheet_can_be_photographed(kind: str) -> None:
    for index in range(3):
        photo = photograph(np.random.default_rng(index), discs((), kind), NO_SOURCES)
        assert photo.digits == ()
        assert photo.lines == ()
        assert photo.kind == kind


def test_photographs_of_desks_and_crumpled_paper_are_used() -> None:
    red = np.full((300, 300, 3), (0, 0, 255), np.uint8)
    creases = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    sources = replace(NO_SOURCES, surroundings=Surroundings((red,), (creases,)))
    settings = [photograph(np.random.default_rng((9, index)), discs(), sources) for index in range(30)]
    on_desk = [photo.picture for photo in settings if photo.setting == "desk" and photo.picture.ndim == 3]
    reddest = [np.percentile(picture[:, :, 2].astype(int) - picture[:, :, 1], 90) for picture in on_desk]
    assert sum(red > 60 for red in reddest) >= 2


def test_a_picture_taken_sideways_is_told() -> None:
    photo = photograph(np.random.default_rng(3), discs(), NO_SOURCES)
    assert photo.rotate == 0
    for turns in (1, 2, 3):
        sideways = turned(photo, turns)
        assert sideways.rotate == 90 * turns
        assert (np.rot90(sideways.picture, turns) == photo.picture).all()
        for upright, lying in zip(photo.digits, sideways.digits, strict=True):
            x, y, w, h = (round(v) for v in upright.box)
            i, j, k, m = (round(v) for v in lying.box)
            assert abs(int(grey(photo)[y : y + h, x : x + w].sum()) - int(grey(sideways)[j : j + m, i : i + k].sum())) <= 255 * (w + h)
    assert turned(turned(photo, 1), 3).digits == turned(turned(photo, 2), 2).digits
    assert turned(turned(photo, 1), 3).rotate == 0


def test_a_page_depends_on_seed_and_index_alone(drawn_data: Path) -> None:
    sources = load_sources(drawn_data, None, "train")
    pages = [make_page(sources, 4, index) for index in (0, 1, 2)]
    again = [make_page(sources, 4, index) for index in (2, 0, 1)]
    for page, twin in zip(pages, (again[1], again[2], again[0]), strict=True):
        assert np.array_equal(page.picture, twin.picture)
        assert replace(page, picture=twin.picture) == twin
    assert not np.array_equal(pages[0].picture, pages[1].picture)
    assert not np.array_equal(pages[0].picture, make_page(sources, 5, 0).picture)
