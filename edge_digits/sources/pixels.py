"""What every source of pictures settles alike: how many pixels are too many, and how 16 bits become 8."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputTooLargeError
from edge_digits.options import SourceOptions

SIXTEEN_TO_EIGHT: Final = 257
TWELVE_BIT_MAX: Final = 4095
"""16-bit pictures whose brightest pixel is at most this come from a 10 or 12 bit sensor: stretched by their own range."""


def check_size(width: int, height: int, name: str, options: SourceOptions) -> None:
    """Raises InputTooLargeError when width x height pixels are over the limit."""
    if width * height > options.max_megapixels * 1e6:
        raise InputTooLargeError(
            f"{name}: {width}x{height} is {width * height / 1e6:.0f} megapixels, the limit is {options.max_megapixels:g}; "
            "shrink it or raise --max-megapixels"
        )


def eight_bit(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 of a uint8 or uint16 picture; full 16-bit range by 1/257, a 12-bit range or less by its own maximum."""
    if picture.dtype != np.uint16:
        return picture.astype(np.uint8, copy=False)
    brightest = int(picture.max())
    factor = 1 / SIXTEEN_TO_EIGHT if brightest > TWELVE_BIT_MAX else 255 / max(1, brightest)
    return np.rint(picture * np.float32(factor)).astype(np.uint8)
