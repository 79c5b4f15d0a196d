"""The Frame: one picture as it came from its source, upright by its own metadata, nothing else done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and where it came from.

    picture : uint8 (h, w) grey or (h, w, 3) BGR, 0..255, read-only; origin top left, EXIF rotation applied.
    source : the name that the user gave (path, URL, camera), or "array" / "bytes".
    page : 1-based page of a document, 1 for plain pictures.
    """

    picture: Picture
    source: str = "array"
    page: int = 1

    @classmethod
    def from_array(cls, array: NDArray[Any], source: str = "array", page: int = 1) -> Frame:
        """Wrap an array without copying where possible.

        array : uint8 (h, w), (h, w, 1), (h, w, 3) BGR or (h, w, 4) BGRA; alpha is laid over white.
        Raises InputDecodeError for another dtype or shape, or an empty picture.
        """
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
            kind = getattr(array, "dtype", type(array).__name__)
            raise InputDecodeError(f"{source}: picture is {kind}; give a uint8 numpy array, 0..255")
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
            raise InputDecodeError(f"{source}: picture has shape {array.shape}; give (h, w), (h, w, 3) or (h, w, 4)")
        if array.size == 0:
            raise InputDecodeError(f"{source}: picture is empty, shape {array.shape}; give at least one pixel")
        if array.ndim == 3 and array.shape[2] == 4:
            array = over_white(array)
        view = np.ascontiguousarray(array).view()
        view.flags.writeable = False
        return cls(view, source, page)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.picture.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.picture.shape[0])

    def grey(self) -> Picture:
        """The picture as uint8 (h, w); the picture itself when it is grey already."""
        return self.picture if self.picture.ndim == 2 else cv2.cvtColor(self.picture, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def over_white(bgra: NDArray[np.uint8]) -> Picture:
    """Lay a uint8 (h, w, 4) BGRA picture over white paper; gives uint8 (h, w, 3) BGR."""
    alpha = bgra[:, :, 3:].astype(np.uint16)
    blended = (bgra[:, :, :3].astype(np.uint16) * alpha + 255 * (255 - alpha) + 127) // 255
    return blended.astype(np.uint8)
