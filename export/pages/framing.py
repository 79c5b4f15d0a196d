"""Chooses how a sheet lies before the camera: which part of it fills the picture, how it is turned, tilted and curled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from export.pages.geometry import Curl, Pose, fit, tilted, window_pose
from export.pages.sheet import Box, Sheet

SHORTEST_PX: Final = 500
LONGEST_PX: Final = 2400
"""Long side of a picture; what people cut out of one, a line or two, may be smaller."""

SHORTEST_CROP_PX: Final = 150

SMALLEST_DIGIT_PX: Final = (11.0, 26.0)
"""Height that the smallest digits of a picture have at least, where its size allows it: drawn for each picture from this range."""

BEYOND: Final = 0.04
"""A picture of paper alone reaches so far beyond the generated sheet, whose rim goes on there; in shares of its sides."""

MOST_ENLARGED: Final = 2.0
"""Pixels of the picture to one of the sheet, at most."""


_ROLL_DEG: Final = {"scan": 0.6, "page": 2.5, "crop": 1.8}
"""Standard deviation of how far a picture is turned."""


@dataclass(frozen=True, slots=True)
class View:
    """A pose and whether it shows the edges of the sheet."""

    pose: Pose
    edges: bool


def frame_window(rng: np.random.Generator, sheet: Sheet, setting: str) -> View:
    """The paper fills the picture: all of the sheet, most of it, or a few of its lines."""
    h, w = sheet.picture.shape[:2]
    roll = float(np.deg2rad(rng.normal(0, _ROLL_DEG[setting])))
    left, top, right, bottom = _frame(rng, sheet, setting, abs(roll))
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    middle, shape = corners.mean(axis=0), corners[2] - corners[0]
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    corners = (corners - middle) @ turn + middle
    if setting != "scan":
        corners += rng.normal(0, 0.01 if rng.random() < 0.75 else 0.035, (4, 2)) * shape
    corners = np.clip(corners, np.array((w, h)) * -BEYOND, np.array((w, h)) * (1 + BEYOND))
    size = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    scale = _scale(rng, sheet, max(size), 1.0, small=setting == "crop")
    curl = _curl(rng, sheet, 0.012) if setting != "scan" and rng.random() < 0.4 else None
    pose = window_pose(corners, max(24, round(size[0] * scale)), max(24, round(size[1] * scale)), curl)
    return View(pose, edges=False)


def frame_on_desk(rng: np.random.Generator, sheet: Sheet, *, held: bool = False) -> View:
    """The sheet lies on something, seen from above or from the side; most of it, or all, is in the picture."""
    h, w = sheet.picture.shape[:2]
    strong = rng.random() < 0.3
    roll = rng.normal(0, 12 if strong else 3)
    pitch, yaw = rng.normal(0, 16 if strong else 6, 2)
    plane = tilted((w, h), float(roll), float(np.clip(pitch, -38, 38)), float(np.clip(yaw, -38, 38)), float(rng.uniform(1.0, 2.2)))
    # People turn the camera the way the sheet lies, mostly.
    shapes = [3 / 4, 9 / 16, 1.0, w / h] if h > w else [4 / 3, 16 / 9, 1.0, w / h]
    aspect = rng.choice(shapes if rng.random() < 0.85 else [4 / 3, 3 / 4])
    width, height = (1.0, 1 / aspect) if aspect > 1 else (aspect, 1.0)
    share = rng.uniform(0.6, 1.0) if not held else rng.uniform(0.75, 1.1)
    free = np.array([width, height]) * (1 - share)
    at = free * rng.uniform(0.2, 0.8, 2)
    homography = fit(plane, (w, h), (float(at[0]), float(at[1]), width * share, height * share))
    now = Pose(homography, 1, 1).scale_at((w / 2, h / 2))
    scale = _scale(rng, sheet, 1.0, now)
    homography = np.diag([scale, scale, 1.0]) @ homography
    curl = _curl(rng, sheet, 0.02) if rng.random() < 0.6 else None
    return View(Pose(homography, max(24, round(width * scale)), max(24, round(height * scale)), curl), edges=True)


def _few_lines(rng: np.random.Generator, sheet: Sheet) -> Box:
    """Box around one to three neighbouring lines of digits."""
    lines = sorted({digit.line for digit in sheet.digits})
    first = int(rng.integers(len(lines)))
    chosen = set(lines[first : first + int(rng.choice([1, 1, 1, 2, 3]))])
    boxes = np.array([digit.box for digit in sheet.digits if digit.line in chosen])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def _frame(rng: np.random.Generator, sheet: Sheet, setting: str, roll: float) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of what is photographed. roll : by how many radians the picture is turned."""
    h, w = sheet.picture.shape[:2]
    if setting == "scan":
        return 0.0, 0.0, float(w), float(h)
    # Turning cuts off the more the longer a line is; people leave room for it.
    if setting == "crop" and sheet.digits:
        x, y, bw, bh = _few_lines(rng, sheet)
        tall = float(np.median([digit.box[3] for digit in sheet.digits]))
        left, right = rng.uniform(0.1, 1.6, 2) * tall + roll * bh / 2
        up, down = rng.uniform(0.08, 0.8, 2) * tall + (roll + 0.01) * bw / 2
    else:
        x, y, bw, bh = _content(sheet, digits_only=bool(rng.random() < 0.5))
        around = (0.04 + roll / 2) * max(bw, bh)
        wide = rng.choice([1.0, 1.5, 4.0])
        left, right = rng.uniform(0.0, 1.0, 2) ** wide * (max(x, 0), max(w - x - bw, 0)) + around
        up, down = rng.uniform(0.0, 1.0, 2) ** wide * (max(y, 0), max(h - y - bh, 0)) + around
    return float(x - left), float(y - up), float(x + bw + right), float(y + bh + down)


def _content(sheet: Sheet, *, digits_only: bool) -> Box:
    """Box around all digits and clutter, or around the digits; the whole sheet where there is nothing."""
    shown = sheet.digits if digits_only and sheet.digits else (*sheet.digits, *sheet.clutter)
    boxes = np.array([each.box for each in shown], np.float64).reshape(-1, 4)
    h, w = sheet.picture.shape[:2]
    if not len(boxes):
        return 0.0, 0.0, float(w), float(h)
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def _scale(rng: np.random.Generator, sheet: Sheet, long_px: float, now: float, small: bool = False) -> float:
    """Factor that brings a view whose long side is long_px, at `now` pixels to one of the sheet, to a size people's pictures have."""
    wanted = np.exp(rng.uniform(np.log(SHORTEST_CROP_PX if small else SHORTEST_PX), np.log(LONGEST_PX)))
    heights = [digit.box[3] for digit in sheet.digits]
    readable = np.exp(rng.uniform(*np.log(SMALLEST_DIGIT_PX)))
    least = readable / max(1.0, float(np.percentile(heights, 10)) * now) if heights else 0.0
    scale = max(min(wanted / long_px, MOST_ENLARGED / now), least)
    return float(min(scale, LONGEST_PX / long_px))


def _curl(rng: np.random.Generator, sheet: Sheet, most: float) -> Curl | None:
    """most : height of the waves as a share of the sheet's long side."""
    h, w = sheet.picture.shape[:2]
    long = max(h, w)
    angle = rng.uniform(0, np.pi) if rng.random() < 0.3 else rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.1)
    along = float(np.cos(angle)), float(np.sin(angle))
    shift = (along[1], along[0]) if rng.random() < 0.7 else along
    waves = []
    for _ in range(int(rng.integers(1, 3))):
        cycles = rng.uniform(0.2, 1.2)
        waves.append(
            (
                float(long * min(rng.uniform(0.1, 1) * most, 0.25 / (2 * np.pi * cycles) / 2)),
                float(cycles / long),
                float(rng.uniform(0, 2 * np.pi)),
            )
        )
    return Curl(along, shift, tuple(waves))
