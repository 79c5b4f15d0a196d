"""Where a sheet's points lie in a picture: there and back, and the pixels with them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from export.pages.geometry import Curl, Pose, fit, tilted, warp, window_pose

SIZE = 800, 600
CURL = Curl((0.9, 0.436), (0.436, 0.9), ((9.0, 1 / 700, 0.4), (3.0, 1 / 300, 2.0)))


def tilted_pose(scale: float = 1.0, curl: Curl | None = None) -> Pose:
    width, height = round(1000 * scale), round(900 * scale)
    homography = fit(tilted(SIZE, 8, 20, -12, 1.5), SIZE, (50 * scale, 40 * scale, width - 100 * scale, height - 80 * scale))
    return Pose(homography, width, height, curl)


def paper(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    picture = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    for x, y, w, h in boxes:
        picture[y : y + h, x : x + w] = 0
    return picture


@pytest.mark.parametrize("curl", [None, CURL])
def test_there_and_back(curl: Curl | None) -> None:
    pose = tilted_pose(curl=curl)
    points = np.random.default_rng(0).uniform(0, SIZE, (200, 2))
    assert np.abs(pose.to_sheet(pose.to_picture(points)) - points).max() < 0.1
    if curl is not None:
        assert np.abs(curl.displace(points)).max() > 3


def test_a_window_of_the_same_size_changes_nothing() -> None:
    sheet = np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    corners = np.array([[0, 0], [SIZE[0], 0], [SIZE[0], SIZE[1]], [0, SIZE[1]]], np.float64) - 0.5
    pose = window_pose(corners, *SIZE)
    assert np.abs(warp(sheet, pose).astype(int) - sheet).max() <= 1
    assert pose.box_in_picture((10.0, 20.0, 30.0, 40.0)) == pytest.approx((10, 20, 30, 40), abs=1e-3)


@pytest.mark.parametrize("curl", [None, CURL])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.8])
def test_boxes_go_where_the_ink_goes(scale: float, curl: Curl | None) -> None:
    pose = tilted_pose(scale, curl)
    for box in ((60, 50, 40, 60), (400, 300, 30, 30), (700, 500, 70, 50)):
        ink = cv2.inRange(warp(paper(box), pose), (0, 0, 0), (127, 127, 127))
        x, y, w, h = cv2.boundingRect(ink)
        mapped = pose.box_in_picture(tuple(float(v) for v in box))  # type: ignore[arg-type]
        assert mapped == pytest.approx((x, y, w, h), abs=1.5 + scale)


def test_beyond_the_sheet_lies_nothing() -> None:
    pose = tilted_pose()
    seen = warp(np.full((SIZE[1], SIZE[0], 1), 255, np.uint8), pose, cv2.BORDER_CONSTANT).reshape(pose.height, pose.width)
    corners = pose.to_picture(np.array([[0, 0], [SIZE[0], 0], [SIZE[0], SIZE[1]], [0, SIZE[1]]], np.float64))
    area = cv2.contourArea(corners.astype(np.float32))
    assert seen[0, 0] == 0
    assert (seen > 127).sum() == pytest.approx(area, rel=0.01)


def test_fit_fills_the_place_and_stays_in_it() -> None:
    place = 30.0, 40.0, 500.0, 300.0
    homography = fit(tilted(SIZE, -25, 10, 30, 1.2), SIZE, place)
    corners = Pose(homography, 600, 400).to_picture(np.array([[0, 0], [SIZE[0], 0], [SIZE[0], SIZE[1]], [0, SIZE[1]]], np.float64))
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert (low > np.array(place[:2]) - 0.01).all()
    assert (high < np.array(place[:2]) + place[2:] + 0.01).all()
    assert np.isclose((high - low) / place[2:], 1).any()


def test_what_the_picture_does_not_show_may_be_blown_up_without_bounds() -> None:
    sheet = np.zeros((700, 900, 3), np.uint8)
    sheet[:, ::50] = 200
    steep = Pose(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, -1 / 352, 1]]), 300, 60)
    assert steep.scale_at((450, 350)) > 100
    seen = warp(sheet, steep)
    assert seen.shape == (60, 300, 3)
    assert 0 < seen[0, :, 0].mean() < 50
