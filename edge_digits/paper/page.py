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

from edge_digits.paper.scaling import enlarge, halve, shrink
from edge_digits.paper.sheet import Sheet, find_sheet
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

PAPER_HALVINGS: Final = 3
EDGE_PX: Final = 1.4
"""The rim of a sheet that counts as desk, in pixels of the search: its outline is known no better."""
BESIDE_PX: Final = 6.0
"""Reach, in halved pixels, of the paper whose brightness is carried over the desk."""


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
    sheet = find_sheet(frame.picture)
    flat, to_frame = _scale_whole(frame.grey()) if sheet is None else _flatten(frame.grey(), sheet)
    flat.flags.writeable = False
    return Page(flat, to_frame, (frame.width, frame.height), sheet is not None)


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


def _flatten(grey: Grey, sheet: Sheet) -> tuple[Grey, Homography]:
    corners = sheet.corners
    top, right, bottom, left = (float(np.linalg.norm(corners[i] - corners[(i + 1) % 4])) for i in range(4))
    width, height = max(top, bottom), max(left, right)
    scale = _page_scale(width, height)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    to_frame = cv2.getPerspectiveTransform(target, corners)
    # Shrinking by warping alone would alias thin strokes away: the picture is averaged down first.
    reduction = 1.0
    source = grey
    if scale < 0.7:
        reduction = scale
        source = shrink(grey, (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))))
    warp = np.diag([reduction, reduction, 1.0]) @ to_frame
    flat = cv2.warpPerspective(source, warp, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    outline = cv2.perspectiveTransform(sheet.outline[None].astype(np.float64), np.linalg.inv(to_frame))[0]
    rim_px = EDGE_PX * sheet.pixel * scale
    return _without_desk(np.asarray(flat, np.uint8), outline, rim_px), np.asarray(to_frame, np.float64)


def _without_desk(flat: Grey, outline: NDArray[np.float64], rim_px: float) -> Grey:
    """The desk around a sheet painted like the paper beside it: neither its grain nor the sheet's edge is writing.

    outline : float64 (n, 2), the sheet's edge in pixels of the page. rim_px : how far it may be off.
    """
    on_paper = _inside(flat.shape, outline, rim_px)
    small, paper = halve(flat, PAPER_HALVINGS), halve(on_paper, PAPER_HALVINGS)
    if int(paper.max()) < 255:
        return flat
    # Writing closed away, then averages of paper alone; where none is near, the sheet's own level.
    bright = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)).astype(np.float32)
    share = (paper == 255).astype(np.float32)
    near = cv2.GaussianBlur(share, (0, 0), BESIDE_PX) + np.float32(1e-3)
    level = float(np.median(bright[paper == 255]))
    carried = (cv2.GaussianBlur(bright * share, (0, 0), BESIDE_PX) + np.float32(1e-3 * level)) / near
    filled = enlarge(np.clip(carried, 0, 255).astype(np.uint8), PAPER_HALVINGS, flat.shape)
    return np.where(on_paper > 0, flat, filled)


def _inside(shape: tuple[int, int], outline: NDArray[np.float64], rim_px: float) -> Grey:
    """255 inside an outline, its rim taken off: uint8 (h, w)."""
    rim = round(rim_px)
    # Drawn on a larger canvas: the sheet's edge may lie beyond the page, and its rim is taken off there too.
    beyond = rim + 1
    sheet = np.zeros((shape[0] + 2 * beyond, shape[1] + 2 * beyond), np.uint8)
    cv2.fillPoly(sheet, [np.rint(outline).astype(np.int32) + beyond], 255)
    paper = cv2.erode(sheet, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))
    return np.ascontiguousarray(paper[beyond:-beyond, beyond:-beyond], np.uint8)
