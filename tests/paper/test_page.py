"""The sheet is found where one lies, and nowhere else; pixels of the page map back to the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.page import LONG_SIDE_PX, find_page
from edge_digits.paper.sheet import find_sheet
from edge_digits.sources.frame import Frame
from tests.strokes import draw_page

CORNERS = np.array([[260, 140], [1010, 210], [960, 800], [180, 730]], np.float32)


def lay_on_desk(sheet: NDArray[np.uint8], desk: tuple[int, int, int] = (60, 50, 40)) -> NDArray[np.uint8]:
    """The sheet in perspective on a desk of this colour: uint8 (900, 1200, 3)."""
    height, width = sheet.shape
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    size = (1200, 900)
    warp = cv2.getPerspectiveTransform(flat, CORNERS)
    picture = np.full((size[1], size[0], 3), desk, np.uint8)
    inside = cv2.warpPerspective(np.full_like(sheet, 255), warp, size)
    picture[inside > 127] = cv2.cvtColor(cv2.warpPerspective(sheet, warp, size), cv2.COLOR_GRAY2BGR)[inside > 127]
    grain = np.random.default_rng(3).normal(0, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("desk", [(60, 50, 40), (160, 90, 30)], ids=["dark wood", "blue cloth"])
def test_a_sheet_on_a_desk_is_found(desk: tuple[int, int, int]) -> None:
    found = find_sheet(lay_on_desk(draw_page(["407", "1892"]), desk))
    assert found is not None
    assert np.abs(found.corners - CORNERS).max() < 40


@pytest.mark.parametrize("desk", [(60, 50, 40), (160, 90, 30)], ids=["dark wood", "blue cloth"])
def test_the_page_is_the_sheet_and_maps_back(desk: tuple[int, int, int]) -> None:
    page = find_page(Frame.from_array(lay_on_desk(draw_page(["407", "1892"]), desk)))
    assert page.sheet_found
    height, width = page.grey.shape
    middle = cv2.perspectiveTransform(np.array([[[width / 2, height / 2]]], np.float64), page.to_frame)[0, 0]
    assert np.abs(middle - CORNERS.mean(axis=0)).max() < 60
    assert float(np.median(page.grey)) > 180


def test_paper_from_edge_to_edge_is_the_page() -> None:
    picture = draw_page(["407"])
    page = find_page(Frame.from_array(picture))
    assert not page.sheet_found
    assert page.grey.shape == picture.shape
    assert not page.grey.flags.writeable


def test_a_vignette_is_no_sheet() -> None:
    y, x = np.mgrid[0:600, 0:800]
    light = 220 - 150 * (((x - 400) / 400) ** 2 + ((y - 300) / 300) ** 2) / 2
    assert find_sheet(light.astype(np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 3000, 3), (27, 31)])
def test_absurd_shapes_are_pages(shape: tuple[int, ...]) -> None:
    page = find_page(Frame.from_array(np.full(shape, 200, np.uint8)))
    assert page.grey.size > 0
    assert max(page.grey.shape) <= LONG_SIDE_PX


def test_large_pictures_are_shrunk_and_small_ones_enlarged() -> None:
    assert max(find_page(Frame.from_array(np.full((3000, 4000), 255, np.uint8))).grey.shape) == LONG_SIDE_PX
    assert find_page(Frame.from_array(np.full((40, 100), 255, np.uint8))).grey.shape == (120, 300)
