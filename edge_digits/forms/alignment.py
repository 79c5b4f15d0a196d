"""Where a page of a known layout lies in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import FormNotFoundError

LEAST_SCALE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Alignment:
    """A page in a picture.

    to_frame : float64 (3, 3), page units (x, y, 1), origin top left, to pixels of the Frame, edges between pixels.
    by : "markers" or "reference". found : how many markers, or matching places, it rests on.
    error : root mean square distance of these from where they were found, in page units.
    """

    to_frame: NDArray[np.float64]
    by: str
    found: int
    error: float

    def points(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places of the page, float64 (n, 2), in pixels of the Frame."""
        return np.asarray(cv2.perspectiveTransform(places.reshape(1, -1, 2).astype(np.float64), self.to_frame)[0], np.float64)

    def scale_at(self, x: float, y: float) -> float:
        """Pixels of the Frame to one page unit there: the square root of the area of a small square."""
        origin, right, down = self.points(np.array([[x, y], [x + 1, y], [x, y + 1]], np.float64))
        (a, b), (c, d) = right - origin, down - origin
        return float(max(LEAST_SCALE, abs(a * d - b * c) ** 0.5))


def fit_homography(page: NDArray[np.float64], frame: NDArray[np.float64], by: str, found: int) -> Alignment:
    """The homography through matching points, float64 (n, 2) each, n at least 4, by least squares. Raises FormNotFoundError."""
    matrix, _ = cv2.findHomography(page, frame, 0)
    if matrix is None or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
        raise FormNotFoundError(f"the {found} places found by {by} fit no flat sheet; take the picture again")
    back = np.asarray(cv2.perspectiveTransform(frame.reshape(1, -1, 2), np.linalg.inv(matrix)), np.float64)[0]
    error = float(np.sqrt(((back - page) ** 2).sum(axis=1).mean()))
    return Alignment(np.asarray(matrix, np.float64), by, found, error)
