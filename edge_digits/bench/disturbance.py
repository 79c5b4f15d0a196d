"""The same pages made harder in one known way each, to see what it costs: turned, tilted, inverted, scaled, laid on desks.

Truth stays the same, so that the difference from the untouched pages is what the reader loses by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.sources.frame import Frame

Picture = NDArray[np.uint8]

DESK_MARGIN: Final = 0.16
"""Desk around the sheet, share of its long side."""
SHEET_PX: Final = 1100
DARK_DESK_BGR: Final = (45, 55, 70)
PALE_DESK_BGR: Final = (200, 205, 210)
GRAIN: Final = 8.0
SHADOW: Final = 0.35
"""Share of the light that is left in the shadow across a page."""
BOARD: Final = (25.0, 0.7)
"""Level of a board, and the share of full contrast that chalk has on it."""


def _turned(turn: int) -> Callable[[Picture], Picture]:
    return lambda picture: np.asarray(cv2.rotate(picture, turn), np.uint8)


def _tilted(deg: float) -> Callable[[Picture], Picture]:
    """Clockwise by so many degrees, the paper carried on at the edges."""

    def tilt(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -deg, 1.0)
        sine, cosine = abs(turn[0, 1]), abs(turn[0, 0])
        size = int(height * sine + width * cosine), int(height * cosine + width * sine)
        turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
        return np.asarray(cv2.warpAffine(picture, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return tilt


def _inverted(picture: Picture) -> Picture:
    return np.asarray(cv2.bitwise_not(picture), np.uint8)


def _chalk(picture: Picture) -> Picture:
    level, contrast = BOARD
    return np.asarray(cv2.convertScaleAbs(cv2.bitwise_not(picture), alpha=contrast, beta=level), np.uint8)


def _scaled(factor: float) -> Callable[[Picture], Picture]:
    how = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_CUBIC
    return lambda picture: np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def _shadowed(picture: Picture) -> Picture:
    """The right half in the shadow of something with a soft edge."""
    width = picture.shape[1]
    light = np.where(np.arange(width) > 0.55 * width, SHADOW, 1.0).astype(np.float32)[None]
    soft = np.asarray(cv2.GaussianBlur(light, (0, 0), max(1.0, 0.01 * width)), np.float32)
    return np.asarray(picture * (soft[:, :, None] if picture.ndim == 3 else soft)).astype(np.uint8)


def _on_desk(colour: tuple[int, int, int]) -> Callable[[Picture], Picture]:
    """In perspective on a grained desk of this colour, with the sheet's own soft shadow."""

    def lay(picture: Picture) -> Picture:
        scale = SHEET_PX / max(picture.shape[:2])
        sheet = _scaled(scale)(picture) if scale < 1.0 else picture
        sheet = sheet if sheet.ndim == 3 else np.asarray(cv2.cvtColor(sheet, cv2.COLOR_GRAY2BGR), np.uint8)
        height, width = sheet.shape[:2]
        margin = DESK_MARGIN * max(height, width)
        size = int(width + 2 * margin), int(height + 2 * margin)
        corners = np.array([[0.7, 0.5], [1.2, 0.9], [1.4, 0.8], [0.9, 1.3]]) * margin + [[0, 0], [width, 0], [width, height], [0, height]]
        flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        warp = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
        lies = cv2.warpPerspective(np.full((height, width), 1.0, np.float32), warp, size)
        chance = np.random.default_rng(5)
        grain = cv2.resize(chance.normal(0.0, GRAIN, (size[1] // 40 + 2, size[0] // 6 + 2)), size, interpolation=cv2.INTER_CUBIC)
        offset = np.array([[1, 0, margin / 18], [0, 1, margin / 15]], np.float64)
        shadow = cv2.GaussianBlur(cv2.warpAffine(lies, offset, size), (0, 0), max(1.0, margin / 16))
        desk = (np.array(colour) + (grain + chance.normal(0.0, 3.0, grain.shape))[:, :, None]) * (1.0 - 0.35 * shadow)[:, :, None]
        paper = cv2.warpPerspective(sheet, warp, size, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(desk * (1.0 - lies[:, :, None]) + paper * lies[:, :, None], 0, 255)).astype(np.uint8)

    return lay


DISTURBANCES: Final[Mapping[str, Callable[[Picture], Picture]]] = MappingProxyType(
    {
        "turned-90": _turned(cv2.ROTATE_90_CLOCKWISE),
        "turned-180": _turned(cv2.ROTATE_180),
        "turned-270": _turned(cv2.ROTATE_90_COUNTERCLOCKWISE),
        "tilted-6": _tilted(6.0),
        "tilted-12": _tilted(12.0),
        "inverted": _inverted,
        "chalk": _chalk,
        "half-size": _scaled(0.5),
        "double-size": _scaled(2.0),
        "shadow": _shadowed,
        "dark-desk": _on_desk(DARK_DESK_BGR),
        "pale-desk": _on_desk(PALE_DESK_BGR),
    }
)
"""What --disturb of `evaluate` knows; each takes and gives uint8 (h, w) or (h, w, 3) BGR."""


def disturb(frame: Frame, name: str) -> Frame:
    """The frame with its picture disturbed. name : a key of DISTURBANCES."""
    return Frame.from_array(DISTURBANCES[name](frame.picture), frame.source, frame.page)
