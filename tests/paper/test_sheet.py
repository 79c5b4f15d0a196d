"""The sheet's corners are found on photographs of desks, and what only looks like a sheet is left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.page import find_page
from edge_digits.paper.sheet import find_sheet
from edge_digits.sources.frame import Frame
from tests.strokes import draw_page

SCENES: dict[str, Any] = json.loads((Path(__file__).parent / "scene_corners.json").read_text())
LINES = ["407", "1892", "35"]


def shared_area(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Shared over joint area of two quadrangles."""
    first, second = (cv2.convexHull(corners.astype(np.float32)) for corners in (a, b))
    shared = cv2.intersectConvexConvex(first, second)[0]
    return float(shared / (cv2.contourArea(first) + cv2.contourArea(second) - shared))


def covered(truth: NDArray[Any], found: NDArray[Any]) -> float:
    """Share of the true sheet inside the found one."""
    true = truth.astype(np.float32)
    return float(cv2.intersectConvexConvex(cv2.convexHull(true), cv2.convexHull(found))[0] / cv2.contourArea(true))


def save_failure(name: str, picture: NDArray[np.uint8], corners: NDArray[Any], found: NDArray[Any] | None, folder: Path) -> Path:
    """The picture with the true corners green and the found ones red."""
    drawn = picture.copy()
    cv2.polylines(drawn, [np.rint(corners).astype(np.int32)], True, (40, 180, 40), 4)
    if found is not None:
        cv2.polylines(drawn, [np.rint(found).astype(np.int32)], True, (40, 40, 220), 4)
    path = folder / f"{Path(name).stem}-corners.png"
    cv2.imwrite(str(path), drawn)
    return path


@pytest.mark.parametrize("name", sorted(SCENES["found"]))
def test_corners_on_photographs(name: str, shared: Path, tmp_path: Path) -> None:
    picture = np.asarray(cv2.imread(str(shared / "data" / "scenes" / name)), np.uint8)
    corners = np.array(SCENES["found"][name])
    sheet = find_sheet(picture)
    found = None if sheet is None else sheet.corners
    right = found is not None and shared_area(corners, found) > 0.85 and covered(corners, found) > 0.97
    assert right, f"corners are elsewhere; see {save_failure(name, picture, corners, found, tmp_path)}"


@pytest.mark.parametrize("name", SCENES["whole"])
def test_what_is_no_single_sheet_on_a_desk_stays_whole(name: str, shared: Path) -> None:
    assert find_sheet(np.asarray(cv2.imread(str(shared / "data" / "scenes" / name)), np.uint8)) is None


def on_desk(sheet: NDArray[np.uint8], desk: tuple[int, int, int], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The sheet on a grained desk of this colour, 900 x 1200."""
    height, width = sheet.shape
    warp = cv2.getPerspectiveTransform(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32), corners)
    lies = cv2.warpPerspective(np.full_like(sheet, 255), warp, (1200, 900)) > 127
    picture = np.full((900, 1200, 3), desk, np.float32)
    picture[lies] = cv2.warpPerspective(sheet, warp, (1200, 900))[lies][:, None]
    return np.clip(picture + np.random.default_rng(3).normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


INSIDE = np.array([[260, 140], [1010, 210], [960, 800], [180, 730]], np.float32)
CUT_OFF = np.array([[260, -90], [1010, -60], [960, 800], [180, 730]], np.float32)


@pytest.mark.parametrize("desk", [(200, 205, 208), (150, 185, 205), (60, 50, 40)], ids=["light grey", "pale wood", "dark"])
def test_desks_of_any_light(desk: tuple[int, int, int]) -> None:
    found = find_sheet(on_desk(draw_page(LINES), desk, INSIDE))
    assert found is not None
    assert shared_area(INSIDE, found.corners) > 0.85


def test_a_sheet_that_leaves_the_picture() -> None:
    found = find_sheet(on_desk(draw_page(LINES), (60, 50, 40), CUT_OFF))
    assert found is not None
    visible = np.array([[250, 0], [1005, 0], [960, 800], [180, 730]], np.float32)
    assert covered(visible, found.corners) > 0.97


def test_two_sheets_are_no_one_sheet() -> None:
    picture = on_desk(draw_page(LINES), (60, 50, 40), np.array([[60, 100], [560, 100], [560, 780], [60, 780]], np.float32))
    other = on_desk(draw_page(LINES), (60, 50, 40), np.array([[640, 100], [1140, 100], [1140, 780], [640, 780]], np.float32))
    picture[:, 600:] = other[:, 600:]
    assert find_sheet(picture) is None


@pytest.mark.parametrize("soft_px", [12.0, 40.0])
def test_the_edge_of_a_shadow_is_no_edge_of_a_sheet(soft_px: float) -> None:
    shade = np.ones((700, 1000), np.float32)
    shade[:, 550:] = 0.35
    picture = draw_page(LINES) * cv2.GaussianBlur(shade, (0, 0), soft_px)
    assert find_sheet(picture.astype(np.uint8)) is None


def test_a_panel_printed_on_a_page_is_no_sheet() -> None:
    picture = draw_page(["407 1892 35", "6013 27 984", "35 1892 407"], width=1400, height=1000, digit_px=60)
    panel = picture[380:640].astype(np.float32) * 0.8
    picture[380:640] = panel.astype(np.uint8)
    assert find_sheet(picture) is None


def test_the_desk_around_a_torn_sheet_is_painted_over() -> None:
    torn = draw_page(LINES)
    picture = on_desk(torn, (60, 50, 40), INSIDE)
    notch = np.array([[600, 100], [700, 100], [650, 215]], np.int32)
    cv2.fillPoly(picture, [notch], (60, 50, 40))
    page = find_page(Frame.from_array(picture))
    assert page.sheet_found
    assert (page.grey < 100).mean() < 0.06, "only writing is dark on the page"
