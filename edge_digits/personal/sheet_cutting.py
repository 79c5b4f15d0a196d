"""Finds a printed sheet in a photograph by its markers and cuts its boxes into labelled crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.paper.single import find_single_glyph
from edge_digits.personal.contact_sheet import Labelled
from edge_digits.personal.crops import Crop, Origin
from edge_digits.personal.sheet import INSET_MM, SheetBox, marker_corners, marker_dictionary, sheet_boxes
from edge_digits.sources.frame import Frame

FEWEST_MARKERS: Final = 3
"""Three span the sheet; of two on one side the other side would be guessed."""
SMALLEST_BOX_PX: Final = 20
"""Width of a box in the photograph below which strokes are a pixel or less."""
LEAST_INK: Final = 0.008
"""Share of a box; less is a speck in an empty one."""
STRUCK_OUT: Final = 0.6
"""A box of which more than half is darker than this share of its row's paper was filled in, to strike it out."""

HOW_TO: Final = "photograph the whole sheet, sharp, in even light, with its four markers"


def has_sheet(frame: Frame) -> bool:
    """Whether a picture shows any of the sheet's markers."""
    return bool(_find_markers(frame.grey()))


def cut_sheet(frame: Frame) -> list[Labelled]:
    """The filled boxes of a photographed sheet, row by row, however it lies in the picture. Empty and filled-in boxes are left out.

    A crop has the pixels of the photograph, at its own scale, brought upright: a box on a turned or slanted sheet is no
    upright rectangle of it. Raises InputDecodeError where the markers are not found, or the boxes are too small.
    """
    markers = _find_markers(frame.grey())
    if len(markers) < FEWEST_MARKERS:
        raise InputDecodeError(f"{frame.source}: {len(markers)} of the sheet's 4 markers found; {HOW_TO}")
    sheet = marker_corners()
    found = np.concatenate([markers[number] for number in sorted(markers)])
    known = np.concatenate([sheet[number] for number in sorted(markers)])
    to_picture, _ = cv2.findHomography(known, found)
    if to_picture is None:
        raise InputDecodeError(f"{frame.source}: the sheet's markers make no plane; {HOW_TO}")
    cut = [(box, _cut_box(frame, box, np.asarray(to_picture, np.float64))) for box in sheet_boxes()]
    inside = [(box, picture) for box, picture in cut if picture is not None]
    paper = {box.digit: float(np.median([np.median(p) for b, p in inside if b.digit == box.digit])) for box, _ in inside}
    origin = Origin(None, Path(frame.source).name, frame.page)
    return [
        Labelled(box.digit, Crop(picture, origin), box.split)
        for box, picture in inside
        if np.median(picture) > STRUCK_OUT * paper[box.digit] and float((find_single_glyph(picture) > 0).mean()) >= LEAST_INK
    ]


def _find_markers(grey: NDArray[np.uint8]) -> dict[int, NDArray[np.float32]]:
    """Corners (4, 2) in pixels of each of the sheet's markers that is seen, clockwise from the marker's own top left."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    corners, numbers, _ = cv2.aruco.ArucoDetector(marker_dictionary(), parameters).detectMarkers(grey)
    flat: Sequence[int] = [] if numbers is None else [int(number) for number in np.asarray(numbers).ravel()]
    seen = [number for number in flat if flat.count(number) == 1 and number < len(marker_corners())]
    return {number: np.asarray(corners[flat.index(number)], np.float32).reshape(4, 2) for number in seen}


def _cut_box(frame: Frame, box: SheetBox, to_picture: NDArray[np.float64]) -> NDArray[np.uint8] | None:
    """The inside of a box, upright; None where it lies outside of the picture."""
    x, y, width, height = box.box
    inside = np.array(
        [
            (x + INSET_MM, y + INSET_MM),
            (x + width - INSET_MM, y + INSET_MM),
            (x + width - INSET_MM, y + height - INSET_MM),
            (x + INSET_MM, y + height - INSET_MM),
        ],
        np.float32,
    )
    quad = np.asarray(cv2.perspectiveTransform(inside.reshape(1, 4, 2), to_picture), np.float32).reshape(4, 2)
    across = round(float(np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])) / 2)
    down = round(float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2)
    if across < SMALLEST_BOX_PX:
        raise InputDecodeError(f"{frame.source}: boxes are {across} px wide, {SMALLEST_BOX_PX} are needed; go nearer, or scan at 150 dpi")
    if (quad < 0).any() or (quad >= (frame.width, frame.height)).any():
        return None
    target = np.array([(0, 0), (across, 0), (across, down), (0, down)], np.float32)
    upright = cv2.getPerspectiveTransform(quad, target)
    return np.asarray(cv2.warpPerspective(frame.picture, upright, (across, down), flags=cv2.INTER_LINEAR), np.uint8)
