"""Corner markers: where they are printed, and how a sheet is found by them.

The four markers are ArUco markers (S. Garrido-Jurado et al., "Automatic generation and detection of highly reliable
fiducial markers", 2014). Their numbers say which corner each is, so that a sheet may lie in any direction, and together
they carry 32 bits of the template's fingerprint: the sheet of another template is refused, not read with wrong boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import FormNotFoundError
from edge_digits.forms.alignment import Alignment, fit_homography

MARKER_MM: Final = 9.0
MARGIN_MM: Final = 8.0
"""From the page's edge; printers leave out up to 6 mm."""
QUIET_MM: Final = 2.0
"""White around a marker, without which its border is not found."""
MODULES: Final = 7
"""Of a marker's side: five of code and a border of one."""
DICTIONARY: Final = cv2.aruco.DICT_5X5_1000
CODES: Final = 250
"""Markers of the dictionary for each corner: 250 ** 4 templates can be told apart, about 32 bits."""
SEARCH_SIDE_PX: Final = 2000
"""Long side at which markers are sought: 9 mm of an A4 sheet that fills half of the picture are then 30 px."""
LEAST_MARKERS: Final = 3
FARTHEST_MM: Final = 2.5
"""Markers farther than this (root mean square) from one plane lie on a sheet that is bent, or are not ours."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Marker:
    """One corner's marker. number : in DICTIONARY. corner : 0 top left, clockwise. box : in mm of the page."""

    number: int
    corner: int
    box: Box

    @property
    def points(self) -> NDArray[np.float64]:
        """Its corners clockwise from the top left one, float64 (4, 2), mm."""
        x, y, w, h = self.box
        return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])

    def modules(self) -> NDArray[np.bool_]:
        """Its squares, bool (7, 7), True black."""
        picture = cv2.aruco.generateImageMarker(_dictionary(), self.number, MODULES, borderBits=1)
        return np.asarray(picture) < 128


def corner_markers(size: tuple[float, float], fingerprint: bytes) -> tuple[Marker, ...]:
    """The four markers of a page, clockwise from the top left one. size : width and height in mm."""
    return tuple(
        Marker(4 * (fingerprint[corner] * 256 + fingerprint[corner + 4]) % (4 * CODES) + corner, corner, box)
        for corner, box in enumerate(_boxes(size))
    )


def marker_areas(size: tuple[float, float]) -> tuple[Box, ...]:
    """What each marker needs with its quiet zone, in mm."""
    return tuple((x - QUIET_MM, y - QUIET_MM, w + 2 * QUIET_MM, h + 2 * QUIET_MM) for x, y, w, h in _boxes(size))


def align_by_markers(grey: NDArray[np.uint8], markers: tuple[Marker, ...]) -> Alignment:
    """Where a page with these markers lies in a picture.

    grey : uint8 (h, w). Raises FormNotFoundError when fewer than three are found, or they are those of another template.
    """
    corners, numbers = _detect(grey)
    page, frame, others = [], [], 0
    for own in markers:
        places = [points for points, number in zip(corners, numbers, strict=True) if number == own.number]
        if len(places) == 1:
            page.append(own.points)
            frame.append(places[0])
    others = len(set(numbers) - {own.number for own in markers})
    if len(page) < LEAST_MARKERS:
        if others >= LEAST_MARKERS:
            raise FormNotFoundError("has the markers of another template; give the one that it was printed from")
        raise FormNotFoundError(f"{len(page)} of 4 corner markers found; take the picture again with all corners sharp and uncovered")
    found = fit_homography(np.concatenate(page), np.concatenate(frame), "markers", len(page))
    if found.error > FARTHEST_MM:
        raise FormNotFoundError(f"corner markers are {found.error:.1f} mm off a flat sheet; lay the sheet flat and take the picture again")
    return found


def _boxes(size: tuple[float, float]) -> tuple[Box, ...]:
    right, foot = size[0] - MARGIN_MM - MARKER_MM, size[1] - MARGIN_MM - MARKER_MM
    places = (MARGIN_MM, MARGIN_MM), (right, MARGIN_MM), (right, foot), (MARGIN_MM, foot)
    return tuple((x, y, MARKER_MM, MARKER_MM) for x, y in places)


def _dictionary() -> Any:
    return cv2.aruco.getPredefinedDictionary(DICTIONARY)


def _detect(grey: NDArray[np.uint8]) -> tuple[list[NDArray[np.float64]], list[int]]:
    """Corners, float64 (4, 2) in pixels with edges between pixels, and number of each marker."""
    scale = min(1.0, SEARCH_SIDE_PX / max(grey.shape))
    small = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    found, numbers, _ = cv2.aruco.ArucoDetector(_dictionary(), parameters).detectMarkers(np.ascontiguousarray(small))
    if numbers is None:
        return [], []
    factors = np.array([grey.shape[1] / small.shape[1], grey.shape[0] / small.shape[0]])
    corners = [(np.asarray(each, np.float64).reshape(4, 2) + 0.5) * factors for each in found]
    return corners, [int(number) for number in np.asarray(numbers).ravel()]
