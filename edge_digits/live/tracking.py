"""Follows a page from frame to frame, so that its numbers are read again only when there is something new to read.

Reading a page takes as long as two frames or more; following it takes a few milliseconds. Corners of the writing are
followed by optical flow (Lucas and Kanade 1981, pyramids as of Bouguet 2001) and give the affine motion of the sheet
(RANSAC, Fischler and Bolles 1981); what changed besides is seen in a coarse picture, laid over that of the frame that was
read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.reading import Box
from edge_digits.sources.frame import Picture

Homography = NDArray[np.float64]
Cells = NDArray[np.bool_]

TRACKED_WIDTH_PX: Final = 640
"""Frames are followed at this width at most; the flow is good to a tenth of a pixel there."""
CELL_PX: Final = 8
"""Side of a cell of the coarse picture, in pixels of the tracked one: noise averages out in it."""
CHANGED_LEVELS: Final = 10.0
"""Grey levels, at a mean brightness of 128, by which the mean of a cell changes when something came, went or was written."""
MOST_POINTS: Final = 120
LEAST_POINTS: Final = 10
LEAST_AGREEING: Final = 0.5
"""Share of the points that must move as one sheet does."""
RANSAC_PX: Final = 1.5
FLOW: Final = {"winSize": (15, 15), "maxLevel": 3, "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.03)}
AROUND: Final = 0.6
"""How far around a number its corners and its changes are looked for, in heights of the number."""
MOVING_SHARE: Final = 0.03
"""Share of the cells that change from one frame to the next when a sheet moves: its edges, its writing."""
TOUCHED_SHARE: Final = 0.03
"""Share of the cells of one number whose change counts for it."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved, seen from the frame that was read last (the anchor).

    to_now : float64 (3, 3), from pixels of the anchor to pixels of this frame; None when the page cannot be followed, or
        there is none.
    speed_px : how far the page moved since the frame before, in pixels of the frame; 0 where it cannot be told.
    changing : bool (rows, columns) of cells of the anchor that differ from the frame before. changed : from the anchor.
    """

    to_now: Homography | None
    speed_px: float
    changing: Cells
    changed: Cells

    @property
    def is_other_scene(self) -> bool:
        """Whether a sheet comes or goes: much moves, and not as the page that is followed."""
        return self.to_now is None and bool(self.changing.mean() > MOVING_SHARE)


class Tracker:
    """Follows one page. Every frame must be shown to it."""

    def __init__(self) -> None:
        self._scale = 1.0
        self._last: Picture | None = None
        self._last_cells: NDArray[np.float32] | None = None
        self._anchor_cells: NDArray[np.float32] | None = None
        self._places = self._points = np.empty((0, 1, 2), np.float32)
        self._to_now: Homography | None = None

    def reduce(self, grey: Picture) -> Picture:
        """A frame, uint8 (h, w), at the size in which it is followed."""
        self._scale = max(1.0, grey.shape[1] / TRACKED_WIDTH_PX)
        if self._scale == 1.0:
            return grey
        size = TRACKED_WIDTH_PX, max(1, round(grey.shape[0] / self._scale))
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)

    def follow(self, small: Picture) -> Motion:
        """Take one frame in, as `reduce` gave it."""
        if self._last is not None and self._last.shape != small.shape:
            self.__init__()  # type: ignore[misc]
        speed = self._flow(self._last, small) if self._last is not None and len(self._points) else 0.0
        cells = self._cells(small)
        before = cells if self._last_cells is None else self._last_cells
        anchor = cells if self._anchor_cells is None else self._anchor_cells
        self._last, self._last_cells = small, cells
        return Motion(self._in_frame(self._to_now), speed * self._scale, _differ(before, cells), _differ(anchor, cells))

    def anchor(self, small: Picture, boxes: Sequence[Box]) -> None:
        """From now on follow the page as it was in an earlier frame, which has been read.

        small : that frame, as `reduce` gave it. boxes : of what was read, in pixels of the frame.
        """
        self._to_now = None
        self._places = self._points = _corners(small, [tuple(v / self._scale for v in box) for box in boxes])
        if self._last is not None and len(self._points):
            self._flow(small, self._last)
        self._anchor_cells = _means(small)
        self._last_cells = self._cells(self._last) if self._last is not None else None

    def _flow(self, before: Picture, now: Picture) -> float:
        """Follow the points from one picture to the next; how far they moved, in tracked pixels."""
        moved, found, _ = cv2.calcOpticalFlowPyrLK(before, now, self._points, None, **FLOW)  # type: ignore[call-overload]
        kept = found.ravel() == 1
        speed = float(np.median(np.linalg.norm((moved - self._points)[kept], axis=2))) if kept.any() else 0.0
        self._places, self._points = self._places[kept], moved[kept]
        self._to_now = None
        if len(self._points) >= LEAST_POINTS:
            # Between two readings a sheet hardly tilts: six parameters from few corners are surer than eight.
            affine, agreeing = cv2.estimateAffine2D(self._places, self._points, method=cv2.RANSAC, ransacReprojThreshold=RANSAC_PX)
            if affine is not None and agreeing.mean() >= LEAST_AGREEING and _is_plausible(np.asarray(affine, np.float64)):
                self._to_now = np.vstack([np.asarray(affine, np.float64), [0.0, 0.0, 1.0]])
                inner = agreeing.ravel() == 1
                self._places, self._points = self._places[inner], self._points[inner]
        if self._to_now is None:
            self._places = self._points = np.empty((0, 1, 2), np.float32)
        return speed

    def _cells(self, small: Picture) -> NDArray[np.float32]:
        """Mean levels of the cells of a frame, seen as the anchor was."""
        if self._to_now is not None:
            size = small.shape[1], small.shape[0]
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            small = np.asarray(cv2.warpPerspective(small, self._to_now, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
        return _means(small)

    def _in_frame(self, homography: Homography | None) -> Homography | None:
        if homography is None:
            return None
        grow = np.diag([self._scale, self._scale, 1.0])
        return np.asarray(grow @ homography @ np.linalg.inv(grow))

    def cells_of(self, box: Box) -> tuple[slice, slice]:
        """Rows and columns of the cells of a number and of what is close to it. box : in pixels of the anchor."""
        x, y, w, h = (v / self._scale / CELL_PX for v in box)
        reach = AROUND * h
        top, left = max(0, int(y - reach)), max(0, int(x - reach))
        return slice(top, max(top + 1, int(np.ceil(y + h + reach)))), slice(left, max(left + 1, int(np.ceil(x + w + reach))))


def moved_box(box: Box, homography: Homography) -> Box:
    """The upright box around a box whose corners a homography moved."""
    x, y, w, h = box
    corners = np.array([[[x, y], [x + w, y], [x + w, y + h], [x, y + h]]], np.float64)
    seen = cv2.perspectiveTransform(corners, homography)[0]
    (left, top), (right, bottom) = np.rint(seen.min(axis=0)), np.rint(seen.max(axis=0))
    return int(left), int(top), max(1, int(right - left)), max(1, int(bottom - top))


def _corners(small: Picture, boxes: Sequence[tuple[float, ...]]) -> NDArray[np.float32]:
    """Corners of the writing in and around boxes, float32 (n, 1, 2)."""
    mask = np.zeros(small.shape, np.uint8)
    for x, y, w, h in boxes:
        reach = AROUND * h
        cv2.rectangle(mask, (int(x - reach), int(y - reach)), (int(x + w + reach), int(y + h + reach)), 255, -1)
    found = cv2.goodFeaturesToTrack(small, MOST_POINTS, 0.02, 5, mask=mask) if boxes else None
    return np.empty((0, 1, 2), np.float32) if found is None else np.asarray(found, np.float32)


def _means(small: Picture) -> NDArray[np.float32]:
    size = max(1, small.shape[1] // CELL_PX), max(1, small.shape[0] // CELL_PX)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.float32)


def _differ(before: NDArray[np.float32], now: NDArray[np.float32]) -> Cells:
    """Cells that differ by more than noise and the camera's exposure do."""
    gain = (float(np.median(before)) + 1.0) / (float(np.median(now)) + 1.0)
    return np.asarray(np.abs(now * np.float32(gain) - before) > CHANGED_LEVELS * (0.25 + before / np.float32(170)))


def _is_plausible(affine: Homography) -> bool:
    """Whether a sheet before a camera moves like that: not mirrored, not many times larger or smaller."""
    area = float(np.linalg.det(affine[:, :2]))
    return bool(np.isfinite(affine).all()) and 0.1 < area < 10.0
