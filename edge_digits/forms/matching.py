"""A form found by what is printed on it: features of the empty form matched with those of the picture.

Features are SIFT (D. Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004), kept by the ratio
test and by agreement with one homography (MAGSAC++, D. Barath et al., CVPR 2020). What is written into the form matches
nothing, or does not agree.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import FormNotFoundError
from edge_digits.forms.alignment import Alignment, fit_homography

SEARCH_SIDE_PX: Final = 1600
MOST_FEATURES: Final = 4000
RATIO: Final = 0.78
"""A match counts when it is nearer than this share of the second nearest: boxes that repeat match nothing."""
FARTHEST_PX: Final = 4.0
LEAST_MATCHES: Final = 25
LEAST_SPREAD: Final = 0.3
"""Agreeing matches reach over at least this share of the form's width and height; a letterhead alone says little."""


class Reference:
    """The empty form, its features found once. grey : uint8 (h, w)."""

    def __init__(self, grey: NDArray[np.uint8]) -> None:
        self.grey = grey
        self._points, self._descriptors = _features(grey)

    def align(self, grey: NDArray[np.uint8]) -> Alignment:
        """Where the form lies in a picture, uint8 (h, w). Raises FormNotFoundError."""
        points, descriptors = _features(grey)
        page, frame = self._matches(points, descriptors)
        kept = np.zeros(0, np.intp)
        if len(page) >= LEAST_MATCHES:
            _, mask = cv2.findHomography(page, frame, cv2.USAC_MAGSAC, FARTHEST_PX * max(1.0, max(grey.shape) / SEARCH_SIDE_PX))
            kept = np.flatnonzero(np.zeros(0) if mask is None else mask.ravel())
        height, width = self.grey.shape
        spread = np.ptp(page[kept], axis=0) / (width, height) if len(kept) else np.zeros(2)
        if len(kept) < LEAST_MATCHES or spread.min() < LEAST_SPREAD:
            raise FormNotFoundError(f"{len(kept)} places match the reference, too few or too close together; is it this form, and sharp?")
        return fit_homography(page[kept], frame[kept], "reference", len(kept))

    def _matches(self, points: NDArray[np.float64], descriptors: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if descriptors is None or self._descriptors is None or len(descriptors) < 2:
            return np.zeros((0, 2)), np.zeros((0, 2))
        pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(self._descriptors, descriptors, k=2)
        good = [first for first, second in pairs if first.distance < RATIO * second.distance]
        return self._points[[m.queryIdx for m in good]], points[[m.trainIdx for m in good]]


def _features(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float64], Any]:
    """Places, float64 (n, 2) in pixels of the picture with edges between pixels, and their descriptors."""
    scale = min(1.0, SEARCH_SIDE_PX / max(grey.shape))
    small = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found, descriptors = cv2.SIFT.create(MOST_FEATURES).detectAndCompute(np.ascontiguousarray(small), None)
    places = np.array([each.pt for each in found], np.float64).reshape(-1, 2)
    return (places + 0.5) * (grey.shape[1] / small.shape[1], grey.shape[0] / small.shape[0]), descriptors
