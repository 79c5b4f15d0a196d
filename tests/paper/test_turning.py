"""A turned or levelled page maps back to the pixels of the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.ink import find_ink
from edge_digits.paper.page import Page, find_page
from edge_digits.paper.tilt import STEEPEST_DEG, find_tilt, level_page
from edge_digits.paper.turning import turn_page
from edge_digits.sources.frame import Frame
from tests.strokes import draw_page


def spotted(height: int = 300, width: int = 500) -> Page:
    """A white page with one dark spot of 12 x 8 pixels, its corner at (401, 50)."""
    grey = np.full((height, width), 240, np.uint8)
    grey[50:58, 401:413] = 10
    return Page(grey, np.eye(3), (width, height), False)


def spot_in_frame(page: Page) -> NDArray[np.float64]:
    """Left, top, right, bottom of the dark spot, in pixels of the picture."""
    rows, columns = np.nonzero(page.grey < 100)
    box = np.array([[[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]]], np.float64)
    corners = cv2.perspectiveTransform(box, page.to_frame)[0]
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


@pytest.mark.parametrize("quarters", range(-3, 8))
def test_a_turned_page_maps_back(quarters: int) -> None:
    page = spotted()
    turned = turn_page(page, quarters)
    assert (turned.grey == np.rot90(page.grey, quarters)).all()
    assert spot_in_frame(turned) == pytest.approx([401, 50, 413, 58])
    assert turned.frame_size == page.frame_size


def test_turns_add_up() -> None:
    page = spotted()
    back = turn_page(turn_page(turn_page(page, 1), 2), 1)
    assert (back.grey == page.grey).all()
    assert back.to_frame == pytest.approx(page.to_frame)


@pytest.mark.parametrize("tilt_deg", [-15.0, -4.5, 8.0, 20.0])
def test_a_levelled_page_maps_back_and_loses_nothing(tilt_deg: float) -> None:
    level = level_page(spotted(), tilt_deg)
    middle = spot_in_frame(level).reshape(2, 2).mean(axis=0)
    assert middle == pytest.approx([407, 54], abs=2)
    corners = cv2.perspectiveTransform(np.array([[[0, 0], [500, 0], [500, 300], [0, 300]]], np.float64), np.linalg.inv(level.to_frame))[0]
    assert (corners > -1).all()
    assert (corners < np.array(level.grey.shape[::-1]) + 1).all()


def ruled(tilt_deg: float) -> NDArray[np.uint8]:
    """Numbers on ruled paper, the whole turned clockwise by so many degrees."""
    picture = draw_page(["407", "1892", "35"], width=1200, height=900)
    for y in range(90, 900, 90):
        cv2.line(picture, (0, y), (1199, y), 90, 3)
    turn = cv2.getRotationMatrix2D((600, 450), -tilt_deg, 1.0)
    return np.asarray(cv2.warpAffine(picture, turn, (1200, 900), borderMode=cv2.BORDER_CONSTANT, borderValue=230), np.uint8)


@pytest.mark.parametrize("tilt_deg", [-15.0, -7.0, 8.0, 12.0])
def test_the_slope_of_rules_is_told(tilt_deg: float) -> None:
    found = find_tilt(find_ink(find_page(Frame.from_array(ruled(tilt_deg)))))
    assert found == pytest.approx(tilt_deg, abs=1.0)
    assert abs(found) <= STEEPEST_DEG


@pytest.mark.parametrize(
    "picture", [ruled(0.0), draw_page(["407", "1892"]), np.full((400, 600), 230, np.uint8)], ids=["level", "plain", "blank"]
)
def test_a_level_page_stays_as_it_is(picture: NDArray[np.uint8]) -> None:
    assert find_tilt(find_ink(find_page(Frame.from_array(picture)))) == 0.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (3, 3000)])
def test_absurd_shapes_have_no_slope(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert abs(find_tilt(find_ink(find_page(Frame.from_array(noise))))) <= STEEPEST_DEG
