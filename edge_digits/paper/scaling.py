"""Smaller pictures by averaging.

Area averaging by two costs a tenth of what it costs by any other factor, so that everything shrinks by halves first.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

BOX_SPREAD: Final = 0.5
"""Standard deviation of the blur that makes up for what averaging would do, for a factor of the square root of two."""
LEAST_SPREAD_PX: Final = 0.25


def halve(grey: Grey, times: int = 1) -> Grey:
    """The picture averaged over squares of 2**times pixels a side; what is left over at the right and lower edge is cut off.

    grey : uint8 (h, w). Returns uint8; one pixel wide or high pictures stay so. Pixel (0, 0) begins where it began.
    """
    for _ in range(times):
        height, width = max(1, grey.shape[0] // 2), max(1, grey.shape[1] // 2)
        grey = np.asarray(cv2.resize(grey[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return grey


def enlarge(small: Grey, times: int, shape: tuple[int, int]) -> Grey:
    """The reverse of halve: each pixel back over its square, smoothly; shape : height and width wanted."""
    height, width = shape
    size = min(width, small.shape[1] << times), min(height, small.shape[0] << times)
    inner = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.copyMakeBorder(inner, 0, height - size[1], 0, width - size[0], cv2.BORDER_REPLICATE), np.uint8)


def shrink(grey: Grey, size: tuple[int, int]) -> Grey:
    """The picture at a smaller size (width, height): by halves as far as they go, the rest blurred a little and interpolated."""
    times = 0
    while min(grey.shape[1] >> (times + 1), grey.shape[0] >> (times + 1)) > 0 and grey.shape[1] >> (times + 1) >= size[0]:
        times += 1
    halved = halve(grey, times)
    # Interpolation alone averages nothing: faint strokes would drown in the noise of single pixels.
    spread_px = BOX_SPREAD * np.sqrt(max(0.0, (halved.shape[1] / size[0]) ** 2 - 1.0))
    if spread_px > LEAST_SPREAD_PX:
        halved = np.asarray(cv2.GaussianBlur(halved, (3, 3), spread_px), np.uint8)
    return np.asarray(cv2.resize(halved, size, interpolation=cv2.INTER_LINEAR), np.uint8)
