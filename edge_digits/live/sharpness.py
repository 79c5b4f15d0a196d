"""Tells blurred frames from sharp ones, measured against the frames just before.

No fixed limit fits every camera, sheet and light; but a frame of the same scene that is much softer than its
predecessors was taken while something moved or the lens was hunting, and must not vote.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import cv2
import numpy as np

from edge_digits.sources.frame import Picture
from edge_digits.sources.watchdog import DARK_LEVEL

MEASURED_WIDTH_PX: Final = 640
"""Frames are measured at this width at most: sensor noise averages out, and the measure costs under a millisecond."""
HISTORY: Final = 30
BLURRED_SHARE: Final = 0.5
"""A frame below this share of the reference is blurred."""
REFERENCE_PERCENTILE: Final = 75
"""Of the last frames' measures: the level of the sharp ones, even while most are not."""
MOST_SKIPPED: Final = 45
"""Frames skipped in a row at most, longer than a lens hunts. After that the scene itself is softer, and becomes the reference."""
FLAT_VARIANCE: Final = 4.0
"""Added to the contrast, grey levels squared: an empty scene of pure noise must not look sharp."""


def is_dark(grey: Picture) -> bool:
    """Whether nothing can be read for want of light. A reading of pure sensor noise would cost as much as twenty pages.

    grey : uint8 (h, w).
    """
    return bool(np.percentile(grey[::4, ::4], 99) < DARK_LEVEL)


def measure_sharpness(grey: Picture) -> float:
    """Variance of the Laplacian over the variance of the picture itself: fine detail as a share of all contrast.

    grey : uint8 (h, w). Returns 0 for a flat picture; dimensionless, comparable only within one scene.
    """
    if grey.shape[1] > MEASURED_WIDTH_PX:
        height = max(1, round(grey.shape[0] * MEASURED_WIDTH_PX / grey.shape[1]))
        grey = np.asarray(cv2.resize(grey, (MEASURED_WIDTH_PX, height), interpolation=cv2.INTER_AREA), np.uint8)
    detail = float(cv2.Laplacian(grey, cv2.CV_16S).var())
    return detail / (float(grey.var()) + FLAT_VARIANCE)


class BlurGate:
    """Remembers the sharpness of the last frames and judges the next by them."""

    def __init__(self) -> None:
        self._measures: deque[float] = deque(maxlen=HISTORY)
        self._skipped = 0
        self.measure = 0.0  # of the last frame

    def forget(self) -> None:
        """Begin anew: the scene is another one."""
        self._measures.clear()
        self._skipped = 0

    def is_blurred(self, grey: Picture) -> bool:
        """Show it each frame once, uint8 (h, w); True when it is much softer than those before."""
        measure = self.measure = measure_sharpness(grey)
        reference = float(np.percentile(list(self._measures), REFERENCE_PERCENTILE)) if self._measures else 0.0
        self._skipped = self._skipped + 1 if measure < BLURRED_SHARE * reference else 0
        if self._skipped > MOST_SKIPPED:
            self.forget()
        self._measures.append(measure)
        return self._skipped > 0
