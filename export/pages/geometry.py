"""Where each point of a sheet lies in the picture that a camera takes of it: a curl of the paper, then a perspective.

Points are (x, y) in pixels, whole numbers in the middle of a pixel, as OpenCV's warps have them; boxes are x, y, w, h with edges
between pixels, so that a box of one pixel is (x, y, 1, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.sheet import Box

GRID_PX: Final = 16
"""Distance of the points of the picture for which the place on the sheet is computed; between them it is interpolated."""

CURL_ROUNDS: Final = 4
"""Fixed-point rounds that invert a curl: its slope stays below 0.3, so that the rest is below 1 % of its height."""

Points = NDArray[np.float64]
"""(..., 2), x and y."""


@dataclass(frozen=True, slots=True)
class Curl:
    """How paper that does not lie flat shifts what is written on it.

    along, shift : unit vectors, the direction in which the paper rises and falls and the one in which the camera sees points move.
    waves : (height in pixels, cycles a pixel, phase in radians) of each wave.
    """

    along: tuple[float, float]
    shift: tuple[float, float]
    waves: tuple[tuple[float, float, float], ...]

    def displace(self, points: Points) -> Points:
        """How far each point moves, in pixels of the sheet."""
        place = points @ np.array(self.along)
        height = sum((h * np.sin(2 * np.pi * f * place + p) for h, f, p in self.waves), np.zeros_like(place))
        return height[..., None] * np.array(self.shift)

    def slope(self, points: Points) -> NDArray[np.float64]:
        """Rise of the paper at each point, without unit; what turns towards the light is brighter."""
        place = points @ np.array(self.along)
        return sum((2 * np.pi * f * h * np.cos(2 * np.pi * f * place + p) for h, f, p in self.waves), np.zeros_like(place))


@dataclass(frozen=True, slots=True)
class Pose:
    """A sheet before a camera.

    homography : (3, 3), pixels of the sheet, curl applied, to pixels of the picture. width, height : of the picture, pixels.
    """

    homography: NDArray[np.float64]
    width: int
    height: int
    curl: Curl | None = None

    def to_picture(self, points: Points) -> Points:
        """Where points of the sheet lie in the picture, (..., 2)."""
        moved = points if self.curl is None else points + self.curl.displace(points)
        return _project(self.homography, moved)

    def to_sheet(self, points: Points) -> Points:
        """Which points of the sheet lie at these places of the picture, (..., 2)."""
        moved = _project(np.linalg.inv(self.homography), points)
        place = moved
        if self.curl is not None:
            for _ in range(CURL_ROUNDS):
                place = moved - self.curl.displace(place)
        return place

    def box_in_picture(self, box: Box) -> Box:
        """The box around the corners and the middles of the sides of a box of the sheet."""
        return self.boxes_in_picture([box])[0]

    def boxes_in_picture(self, boxes: Sequence[Box]) -> list[Box]:
        """The same of many boxes."""
        if not boxes:
            return []
        x, y, w, h = np.array(boxes, np.float64).T
        around = [np.stack([x + w * i / 2, y + h * j / 2], axis=1) for i in range(3) for j in range(3)]
        seen = self.to_picture(np.stack(around, axis=1) - 0.5) + 0.5
        low, high = seen.min(axis=1), seen.max(axis=1)
        return [(left, top, width, height) for left, top, width, height in np.hstack([low, high - low]).tolist()]

    def scale_at(self, point: tuple[float, float]) -> float:
        """Pixels of the picture that a pixel of the sheet takes there, the square root of its area."""
        corners = np.array([point, (point[0] + 1, point[1]), (point[0], point[1] + 1)], np.float64)
        origin, right, down = _project(self.homography, corners)
        (a, b), (c, d) = right - origin, down - origin
        return float(abs(a * d - b * c) ** 0.5)

    def grid(self) -> NDArray[np.float64]:
        """Places on the sheet of the points (16 i + 7.5, 16 j + 7.5) of the picture, from i = j = -1 to beyond its end, (m, n, 2)."""
        columns = np.arange(-1, -(-self.width // GRID_PX) + 1) * GRID_PX + (GRID_PX - 1) / 2
        rows = np.arange(-1, -(-self.height // GRID_PX) + 1) * GRID_PX + (GRID_PX - 1) / 2
        xs, ys = np.meshgrid(columns, rows)
        return self.to_sheet(np.stack([xs, ys], axis=-1))


def warp(sheet: NDArray[np.uint8], pose: Pose, border: int = cv2.BORDER_REPLICATE) -> NDArray[np.uint8]:
    """The sheet, uint8 (h, w, channels), as the camera sees it, uint8 (pose.height, pose.width, channels).

    border : OpenCV's word for what lies beyond the sheet; BORDER_CONSTANT gives 0.
    """
    grid = pose.grid()
    # In the middle of the picture: a part of the sheet that it does not show may be blown up without bounds.
    x, y = pose.to_sheet(np.array([(pose.width - 1) / 2, (pose.height - 1) / 2]))
    scale = pose.scale_at((float(x), float(y)))
    if not 0.8 <= scale <= 1.3:
        # Sampling alone would leave out pixels of a large sheet, and show those of a small one.
        sheet, grid = _resized(sheet, grid, max(scale, 0.05))
    fine = cv2.resize(grid.astype(np.float32), None, fx=GRID_PX, fy=GRID_PX, interpolation=cv2.INTER_LINEAR)
    places = fine[GRID_PX : GRID_PX + pose.height, GRID_PX : GRID_PX + pose.width]
    return cv2.remap(sheet, places, None, cv2.INTER_LINEAR, borderMode=border)  # type: ignore[return-value]


def _resized(sheet: NDArray[np.uint8], grid: NDArray[np.float64], scale: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a sheet that the places of a grid lie on, resized, and the places there."""
    h, w = sheet.shape[:2]
    low = np.clip(np.floor(grid.min(axis=(0, 1))) - 4, 0, (w - 1, h - 1)).astype(int)
    high = np.clip(np.ceil(grid.max(axis=(0, 1))) + 4, low + 1, (w, h)).astype(int)
    part = sheet[low[1] : high[1], low[0] : high[0]]
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    resized = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    there = (grid - low + 0.5) * (size[0] / part.shape[1], size[1] / part.shape[0]) - 0.5
    return resized, there  # type: ignore[return-value]


def window_pose(corners: Points, width: int, height: int, curl: Curl | None = None) -> Pose:
    """The pose in which four points of the sheet, clockwise from the top left one, become the corners of the picture."""
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    homography = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return Pose(np.asarray(homography, np.float64), width, height, curl)


def tilted(size: tuple[int, int], roll_deg: float, pitch_deg: float, yaw_deg: float, focal: float) -> NDArray[np.float64]:
    """Homography of a sheet of (width, height) pixels seen by a tilted camera, up to scale and place; (3, 3).

    roll_deg : turn within the picture, clockwise. pitch_deg, yaw_deg : the sheet's top, or left side, leans away.
    focal : focal length as a share of the sheet's long side, at a distance at which the sheet keeps its size.
    """
    w, h = size
    roll, pitch, yaw = np.deg2rad([roll_deg, pitch_deg, yaw_deg])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    turn = about_x @ about_y @ about_z
    far = focal * max(w, h)
    to_middle = np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1.0]])
    plane = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, far]])
    return np.diag([far, far, 1.0]) @ plane @ to_middle


def fit(homography: NDArray[np.float64], size: tuple[int, int], place: Box) -> NDArray[np.float64]:
    """The homography scaled and moved so that the sheet of (width, height) pixels fills a box of the picture as far as it can."""
    w, h = size
    corners = _project(homography, np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64))
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = min(place[2] / (high[0] - low[0]), place[3] / (high[1] - low[1]))
    middle = (low + high) / 2
    move = np.array(
        [[scale, 0, place[0] + place[2] / 2 - scale * middle[0]], [0, scale, place[1] + place[3] / 2 - scale * middle[1]], [0, 0, 1]]
    )
    return move @ homography


def _project(homography: NDArray[np.float64], points: Points) -> Points:
    flat = points.reshape(-1, 2) @ homography[:, :2].T + homography[:, 2]
    return (flat[:, :2] / flat[:, 2:]).reshape(points.shape)
