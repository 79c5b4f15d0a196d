"""EXIF orientation: read once, applied once. Two loaders that each apply it turn a picture twice or never."""

from __future__ import annotations

import struct
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

ORIENTATION_TAG: Final = 0x0112
UPRIGHT: Final = 1


def read_orientation(exif: bytes) -> int:
    """Orientation 1..8 of an EXIF block (a TIFF header, with or without the leading "Exif" and two zeros); 1 when it has none."""
    block = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", block, start + 2 + 12 * index)
            if tag == ORIENTATION_TAG and kind == 3 and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def apply_orientation(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn a picture (h, w) or (h, w, c) upright. orientation : 1..8 as in EXIF; others leave it as it is."""
    if orientation in (2, 4, 5, 7):
        picture = cv2.flip(picture, 1)
    turn = {3: cv2.ROTATE_180, 4: cv2.ROTATE_180, 5: cv2.ROTATE_90_COUNTERCLOCKWISE, 6: cv2.ROTATE_90_CLOCKWISE,
            7: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}.get(orientation)  # fmt: skip
    return np.asarray(picture if turn is None else cv2.rotate(picture, turn))
