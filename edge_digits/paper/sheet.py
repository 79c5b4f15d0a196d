"""The sheet in a picture: one piece of paper on a desk, told by its brightness or by being unlike the desk around it.

A wrong cut loses digits and a missed sheet only shows some desk, so that whatever is in doubt is no sheet: light that
fades, a shadow across paper, a panel printed on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Points = NDArray[np.float32]

SEARCH_SIDE_PX: Final = 320
SAMPLES: Final = 3
"""Pixels averaged a side for each pixel in which the sheet is sought."""
WIDEST_STROKE_PX: Final = 5
"""Strokes up to this width, in pixels of the search, are taken off the paper before its outline is sought."""
NARROWEST_PX: Final = 11
AREA: Final = (0.08, 0.92)
FILL: Final = 0.88
"""A sheet covers most of the quadrangle around it; a bright patch of light does not."""
CONTRAST: Final = 1.35
"""Brightness just inside the edge over just outside: below it, the edge is a shadow or a fold."""
SHARP: Final = 0.6
"""Share of the step between paper and desk that is taken within three pixels; a shadow or a vignette fades over more."""
NEAR_PX: Final = (1.0, 2.5)
FAR_PX: Final = (4.0, 7.0)
AT_BORDER_PX: Final = 3.0
BEYOND_PX: Final = np.float32(10.0)
SECOND: Final = 0.4
"""A second four-sided piece of this share of the first one's area is another sheet: both are read, on the whole picture."""
INNER_SIDES: Final = 3
"""A sheet shows three of its sides, or two opposite ones; the edge of a shadow shows one."""
FOLDED_CORNER: Final = 0.05
"""Four corners that fit this much worse than the plain rectangle around the sheet are not its corners."""
MARGIN: Final = 0.03
"""The corners lie this share outside the outline, so that writing at a curled edge stays on the page."""

RING_PX: Final = 6
EVEN_DESK: Final = 0.75
"""Share of the picture's border that must be desk of one colour."""
DESK_SPREAD: Final = 12
COARSE_STEP: Final = 4
LEAST_DIFFERENCE: Final = 6.0
"""Grey levels by which a sheet differs from an even desk in some colour channel, at least;"""
DESK_MARGIN: Final = 1.5
"""and at least so many times what nine tenths of the desk differ among themselves."""
LEAST_AREA_ON_DESK: Final = 0.15
FILL_ON_DESK: Final = 0.94
INK_OUTSIDE: Final = 0.6
"""Beside a sheet there is at most this share of the fine detail on it: a panel printed on a page has text around it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of paper in a picture.

    corners : float32 (4, 2), x, y in pixels of the picture, clockwise from top left, MARGIN outside the sheet.
    outline : float32 (n, 2), the sheet's edge, in pixels of the picture.
    pixel : side of a pixel of the search, in pixels of the picture: the outline is known no better.
    """

    corners: Points
    outline: Points
    pixel: float


def find_sheet(picture: Grey) -> Sheet | None:
    """The one sheet that lies in the picture, or None where it is not beyond doubt.

    picture : uint8 (h, w) or (h, w, 3) BGR.
    """
    scale = SEARCH_SIDE_PX / max(picture.shape[:2])
    if scale >= 1.0 or min(picture.shape[:2]) * scale < NARROWEST_PX:
        return None
    small = _reduce(picture, scale)
    calm = _without_strokes(small)
    outline = _bright_sheet(calm)
    if outline is None:
        outline = _unlike_desk(small, calm)
    if outline is None:
        return None
    corners = _quadrangle(outline)
    middle = corners.mean(axis=0)
    factor = np.array(picture.shape[1::-1], np.float32) / np.array(small.shape[1::-1], np.float32)
    edge = outline.reshape(-1, 2).astype(np.float32) + np.float32(0.5)
    # Where the picture ends before the sheet does, the sheet's edge lies somewhere outside.
    last = np.array(small.shape[1::-1], np.float32)
    edge = np.where(edge < AT_BORDER_PX, -BEYOND_PX, np.where(edge > last - AT_BORDER_PX, last + BEYOND_PX, edge))
    wider = middle + (corners - middle) * (1 + MARGIN)
    return Sheet(np.asarray(wider * factor, np.float32), np.asarray(edge * factor, np.float32), 1 / scale)


def _reduce(picture: Grey, scale: float) -> Grey:
    """The picture at SEARCH_SIDE_PX. Nine samples a pixel are enough: a sheet is not a detail."""
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    if scale * SAMPLES < 1.0:
        picture = np.asarray(cv2.resize(picture, (SAMPLES * size[0], SAMPLES * size[1]), interpolation=cv2.INTER_NEAREST), np.uint8)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _without_strokes(small: Grey) -> Grey:
    """Writing taken off the sheet, the weave off the cloth, edges kept."""
    square = np.ones((WIDEST_STROKE_PX, WIDEST_STROKE_PX), np.uint8)
    closed = cv2.morphologyEx(cv2.medianBlur(small, 5), cv2.MORPH_CLOSE, square)
    return np.asarray(cv2.medianBlur(cv2.morphologyEx(closed, cv2.MORPH_OPEN, square), 5), np.uint8)


def _bright_sheet(calm: Grey) -> NDArray[np.int32] | None:
    """Outline of a sheet brighter than what surrounds it."""
    # Paper is bright in every channel; a coloured cloth is not.
    dimmest = calm if calm.ndim == 2 else np.asarray(cv2.min(cv2.min(calm[:, :, 0], calm[:, :, 1]), calm[:, :, 2]), np.uint8)
    outline = _largest(np.asarray(cv2.threshold(dimmest, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.uint8), AREA[0], FILL)
    if outline is None:
        return None
    near, far = _steps(dimmest, outline)
    is_edge = near[0] >= CONTRAST * max(1.0, near[1]) and near[0] - near[1] >= SHARP * (far[0] - far[1])
    return outline if is_edge else None


def _unlike_desk(small: Grey, calm: Grey) -> NDArray[np.int32] | None:
    """Outline of a sheet that differs from an even desk, brighter or not."""
    found = _difference(calm)
    if found is None:
        return None
    unlike, limit = found
    outline = _largest(np.asarray(cv2.threshold(unlike, limit, 255, cv2.THRESH_BINARY)[1], np.uint8), LEAST_AREA_ON_DESK, FILL_ON_DESK)
    if outline is None:
        return None
    near, far = _steps(unlike, outline)
    if near[0] - near[1] < max(LEAST_DIFFERENCE, SHARP * (far[0] - far[1])):
        return None
    inside, outside = _detail(small, outline)
    return outline if outside <= INK_OUTSIDE * inside else None


def _difference(calm: Grey) -> tuple[Grey, float] | None:
    """How far each pixel is from the desk's colour, that of the picture's border, and what is beyond the desk's own
    unevenness; None where the border is not of one colour."""
    height, width = calm.shape[:2]
    colours = calm.reshape(height, width, -1)
    rows, columns = np.nonzero(_ring(height, width))
    wanted = colours[rows, columns].astype(np.float32)
    basis = np.stack([np.ones_like(rows), columns / width, rows / height], axis=1).astype(np.float32)
    keep = np.abs(wanted - np.median(wanted, axis=0)).max(axis=1) <= 3 * DESK_SPREAD
    if np.count_nonzero(keep) < EVEN_DESK * len(keep):
        return None
    plane = np.linalg.lstsq(basis[keep], wanted[keep], rcond=None)[0].astype(np.float32)
    uneven = np.abs(wanted - basis @ plane).max(axis=1)
    even = uneven <= DESK_SPREAD
    if np.count_nonzero(even) < EVEN_DESK * len(even):
        return None
    limit = max(LEAST_DIFFERENCE, DESK_MARGIN * float(np.percentile(uneven[even], 90)))
    # Most pictures are paper from edge to edge: a few pixels tell that nothing but writing differs.
    coarse = _unlike(colours, plane, COARSE_STEP)
    if np.count_nonzero(coarse > limit) < LEAST_AREA_ON_DESK * coarse.size:
        return None
    return np.minimum(_unlike(colours, plane, 1), 255).astype(np.uint8), limit


def _ring(height: int, width: int) -> NDArray[np.bool_]:
    """Every other pixel along the picture's border."""
    ring = np.zeros((height, width), bool)
    ring[::2, ::2] = True
    ring[RING_PX:-RING_PX, RING_PX:-RING_PX] = False
    return ring


def _unlike(colours: Grey, plane: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Largest difference over the channels from a plane of colour, at every so many-th pixel: float32 (h, w)."""
    height, width = colours.shape[:2]
    x, y = (np.arange(0, side, step, dtype=np.float32) / side for side in (width, height))
    largest = np.zeros((len(y), len(x)), np.float32)
    for channel, (level, across, down) in enumerate(plane.T):
        expected = (level + across * x)[None, :] + (down * y)[:, None]
        np.maximum(largest, np.abs(colours[::step, ::step, channel] - expected), out=largest)
    return largest


def _largest(mask: Grey, least: float, fill: float) -> NDArray[np.int32] | None:
    """Outline of the largest piece, when it is large enough, four-sided, and has enough sides inside the picture."""
    clean = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    contours, _ = cv2.findContours(clean, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    pieces = sorted((np.asarray(contour, np.int32) for contour in contours), key=cv2.contourArea, reverse=True)
    outline, area = pieces[0], cv2.contourArea(pieces[0])
    if not least <= area / mask.size <= AREA[1]:
        return None
    if any(cv2.contourArea(other) > SECOND * area and _is_four_sided(other) for other in pieces[1:3]):
        return None
    corners = _quadrangle(outline)
    return outline if area >= fill * cv2.contourArea(corners) and _enough_sides(corners, mask.shape) else None


def _is_four_sided(outline: NDArray[np.int32]) -> bool:
    return cv2.contourArea(outline) >= FILL * cv2.contourArea(_quadrangle(outline))


def _enough_sides(corners: Points, shape: tuple[int, ...]) -> bool:
    along = np.linspace(0.2, 0.8, 4, dtype=np.float32)[:, None]
    last = np.array([shape[1] - 1, shape[0] - 1], np.float32)
    inner = []
    for index in range(4):
        points = corners[index] * (1 - along) + corners[(index + 1) % 4] * along
        from_border = np.minimum(points, last - points).min(axis=1)
        inner.append(bool(np.median(from_border) > AT_BORDER_PX))
    return sum(inner) >= INNER_SIDES or (sum(inner) == 2 and inner[0] == inner[2])


def _steps(levels: Grey, outline: NDArray[np.int32]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Median level inside and outside, close to the outline and further from it."""
    inside = np.zeros(levels.shape, np.uint8)
    cv2.fillPoly(inside, [outline], 255)
    within = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 3), np.float32)
    beyond = np.asarray(cv2.distanceTransform(cv2.bitwise_not(inside), cv2.DIST_L2, 3), np.float32)
    near = _median(levels, within, NEAR_PX), _median(levels, beyond, NEAR_PX)
    return near, (_median(levels, within, FAR_PX), _median(levels, beyond, FAR_PX))


def _median(levels: Grey, distance: NDArray[np.float32], band: tuple[float, float]) -> float:
    chosen = levels[(distance >= band[0]) & (distance <= band[1])]
    return float(np.median(chosen)) if chosen.size else 0.0


def _detail(small: Grey, outline: NDArray[np.int32]) -> tuple[float, float]:
    """Mean fine dark detail on the sheet and beside it, a few pixels off its edge."""
    grey = small if small.ndim == 2 else small.min(axis=2)
    detail = cv2.subtract(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), grey)
    inside = np.zeros(grey.shape, np.uint8)
    cv2.fillPoly(inside, [outline], 255)
    off_edge = np.ones((9, 9), np.uint8)
    beside = cv2.bitwise_not(cv2.dilate(inside, off_edge))
    return float(cv2.mean(detail, cv2.erode(inside, off_edge))[0]), float(cv2.mean(detail, beside)[0])


def _quadrangle(outline: NDArray[np.int32]) -> Points:
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


def _overlap(a: Points, b: Points) -> float:
    """Shared area over joint area of two convex outlines."""
    shared = cv2.intersectConvexConvex(cv2.convexHull(a), b)[0]
    return float(shared / max(1.0, cv2.contourArea(a) + cv2.contourArea(b) - shared))
