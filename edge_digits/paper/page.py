"""The Page: the sheet found in the picture, flattened, at a size where strokes are a few pixels wide.

A picture may show a sheet on a desk, a strip cut out of a scan, or paper from edge to edge. When the outline of one
bright sheet stands out from its surroundings it is cut out and its perspective undone; else the whole picture is the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.scaling import halve, shrink
from edge_digits.sources.frame import Frame

Grey = NDArray[np.uint8]
Homography = NDArray[np.float64]

LONG_SIDE_PX: Final = 1600
"""Pages are brought to at most this long side: A4 lines of 4 mm digits are then 20 px high and more."""

SMALLEST_LONG_SIDE_PX: Final = 640
NEARLY_WHOLE: Final = 0.94
"""Halved pictures at most this far over LONG_SIDE_PX stay so: a second averaging would blur hairlines for nothing."""
LARGEST_ENLARGEMENT: Final = 3.0
"""Small pictures are enlarged towards SMALLEST_LONG_SIDE_PX, so that strokes of neighbouring digits come apart."""

SHEET_SEARCH_SIDE_PX: Final = 320
SHEET_SAMPLES: Final = 3
"""Pixels averaged a side for each pixel in which the sheet is sought."""
SHEET_SEARCH_KERNEL_PX: Final = 11
SHEET_AREA: Final = (0.08, 0.92)
SHEET_FILL: Final = 0.88
"""A sheet covers most of the quadrangle around it; a bright patch of light does not."""
SHEET_CONTRAST: Final = 1.35
"""Median brightness just inside the edge over just outside: below it, the edge is a shadow or a fold."""
EDGE_BAND_PX: Final = 4
SHEET_MARGIN: Final = 0.03
FOLDED_CORNER: Final = 0.05
"""Four corners that fit this much worse than the plain rectangle around the sheet are not its corners."""


@dataclass(frozen=True, slots=True)
class Page:
    """A flat page.

    grey : uint8 (h, w), 0..255, read-only, origin top left.
    to_frame : float64 (3, 3), maps page pixels (x, y, 1) to pixels of the Frame.
    frame_size : width and height of the Frame in pixels.
    sheet_found : whether a sheet was cut out of its surroundings.
    """

    grey: Grey
    to_frame: Homography
    frame_size: tuple[int, int]
    sheet_found: bool


def find_page(frame: Frame) -> Page:
    """Cut the sheet out of a Frame and flatten it; the whole Frame where no sheet stands out."""
    corners = find_sheet(frame.picture)
    flat, to_frame = _scale_whole(frame.grey()) if corners is None else _flatten(frame.grey(), corners)
    flat.flags.writeable = False
    return Page(flat, to_frame, (frame.width, frame.height), corners is not None)


def find_sheet(picture: Grey) -> NDArray[np.float32] | None:
    """Corners of one bright sheet on darker or more colourful surroundings.

    picture : uint8 (h, w) or (h, w, 3) BGR. Returns float32 (4, 2) x, y in pixels, clockwise from top left, or None.
    The corners lie SHEET_MARGIN outside the outline, so that writing at a curled edge stays on the page.
    """
    scale = SHEET_SEARCH_SIDE_PX / max(picture.shape[:2])
    if scale >= 1.0 or min(picture.shape[:2]) * scale < SHEET_SEARCH_KERNEL_PX:
        return None
    # Every third or fourth pixel of a large picture is enough to average: a sheet is not a detail.
    step = max(1, int(1 / (SHEET_SAMPLES * scale)))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.resize(np.ascontiguousarray(picture[::step, ::step]), size, interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        # Paper is bright in every channel; a coloured cloth is not.
        small = small.min(axis=2)
    # The median takes the writing off the sheet and the weave off the cloth, and keeps the sheet's edge.
    calm = np.asarray(cv2.medianBlur(small, SHEET_SEARCH_KERNEL_PX), np.uint8)
    _, bright = cv2.threshold(calm, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    outline = np.asarray(max(contours, key=cv2.contourArea), np.int32)
    share = cv2.contourArea(outline) / calm.size
    if not SHEET_AREA[0] <= share <= SHEET_AREA[1]:
        return None
    corners = _quadrangle(outline)
    if cv2.contourArea(outline) < SHEET_FILL * cv2.contourArea(corners):
        return None
    if _edge_contrast(calm, outline) < SHEET_CONTRAST:
        return None
    middle = corners.mean(axis=0)
    return np.asarray((middle + (corners - middle) * (1 + SHEET_MARGIN)) / scale, np.float32)


def _edge_contrast(small: Grey, outline: NDArray[np.int32]) -> float:
    """Brightness just inside over just outside an outline: a sheet ends sharply, a vignette fades."""
    inside = np.zeros(small.shape, np.uint8)
    cv2.fillPoly(inside, [outline], 255)
    near, far = np.ones((3, 3), np.uint8), np.ones((2 * EDGE_BAND_PX + 3, 2 * EDGE_BAND_PX + 3), np.uint8)
    outer = cv2.subtract(cv2.dilate(inside, far), cv2.dilate(inside, near))
    inner = cv2.subtract(inside, cv2.erode(inside, far, borderType=cv2.BORDER_CONSTANT, borderValue=255))
    if not cv2.countNonZero(outer) or not cv2.countNonZero(inner):
        return 0.0
    return float(np.median(small[inner > 0])) / max(1.0, float(np.median(small[outer > 0])))


def _quadrangle(outline: NDArray[np.int32]) -> NDArray[np.float32]:
    """The four corners that fit an outline best, clockwise from top left."""
    hull = cv2.convexHull(outline)
    length = cv2.arcLength(hull, closed=True)
    corners = rectangle = cv2.boxPoints(cv2.minAreaRect(hull)).astype(np.float32)
    for tolerance in (0.02, 0.03, 0.04, 0.06, 0.08):
        points = cv2.approxPolyDP(hull, tolerance * length, closed=True)
        if len(points) == 4:
            corners = points.reshape(4, 2).astype(np.float32)
            break
    # A folded corner makes four other corners: the rectangle around the sheet then fits better than they do.
    if _overlap(corners, hull.astype(np.float32)) < _overlap(rectangle, hull.astype(np.float32)) - FOLDED_CORNER:
        corners = rectangle
    around = corners - corners.mean(axis=0)
    clockwise = corners[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
    return np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)


def _overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Shared area over joint area of two convex outlines."""
    shared = cv2.intersectConvexConvex(cv2.convexHull(a), b)[0]
    return float(shared / max(1.0, cv2.contourArea(a) + cv2.contourArea(b) - shared))


def _page_scale(width: float, height: float) -> float:
    longest = max(width, height)
    if longest >= SMALLEST_LONG_SIDE_PX:
        return min(1.0, LONG_SIDE_PX / longest)
    return min(LARGEST_ENLARGEMENT, SMALLEST_LONG_SIDE_PX / longest)


def _scale_whole(grey: Grey) -> tuple[Grey, Homography]:
    height, width = grey.shape
    scale = _page_scale(width, height)
    if scale == 1.0:
        return grey.copy(), np.eye(3)
    if scale > 1.0:
        flat = cv2.resize(grey, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_CUBIC)
        return np.asarray(flat, np.uint8), np.diag([width / flat.shape[1], height / flat.shape[0], 1.0])
    halvings = int(np.log2(1 / scale))
    flat, rest = halve(grey, halvings), scale * 2**halvings
    # halve leaves a last odd row out: the factors are those of the pixels that it took.
    taken = flat.shape[1] << halvings, flat.shape[0] << halvings
    if rest < NEARLY_WHOLE:
        flat = shrink(flat, (max(1, round(flat.shape[1] * rest)), max(1, round(flat.shape[0] * rest))))
    return flat, np.diag([taken[0] / flat.shape[1], taken[1] / flat.shape[0], 1.0])


def _flatten(grey: Grey, corners: NDArray[np.float32]) -> tuple[Grey, Homography]:
    top, right, bottom, left = (float(np.linalg.norm(corners[i] - corners[(i + 1) % 4])) for i in range(4))
    width, height = max(top, bottom), max(left, right)
    scale = _page_scale(width, height)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    to_frame = cv2.getPerspectiveTransform(target, corners.astype(np.float32))
    # Shrinking by warping alone would alias thin strokes away: the picture is averaged down first.
    reduction = 1.0
    source = grey
    if scale < 0.7:
        reduction = scale
        source = shrink(grey, (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))))
    warp = np.diag([reduction, reduction, 1.0]) @ to_frame
    flat = cv2.warpPerspective(source, warp, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8), np.asarray(to_frame, np.float64)
