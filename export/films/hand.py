"""A hand with a forearm, drawn once and then moved over the frames of a film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.pages.things import SKINS

SPRITE_PX: Final = 640
"""Side of the drawn hand. Its finger tips lie at the middle of the right side, its arm leaves through the left one."""
FINGERS: Final = ((-0.30, 0.52), (-0.12, 0.60), (0.08, 0.58), (0.26, 0.48))
"""Place across the palm and length of each finger, in lengths of the palm."""


@dataclass(frozen=True, slots=True)
class Hand:
    """colour : uint8 (SPRITE_PX, SPRITE_PX, 3) BGR. cover : uint8 (SPRITE_PX, SPRITE_PX), 255 where the hand is."""

    colour: NDArray[np.uint8]
    cover: NDArray[np.uint8]

    def lay_over(self, picture: NDArray[np.uint8], tip: tuple[float, float], angle: float, length_px: float) -> None:
        """Draw it into a picture, in place.

        tip : where its finger tips are, in pixels of the picture. angle : direction in which they point, radians clockwise from
        the right. length_px : side of the drawn hand in pixels of the picture.
        """
        scale = length_px / SPRITE_PX
        c, s = np.cos(angle) * scale, np.sin(angle) * scale
        foot = np.array([SPRITE_PX - 1.0, SPRITE_PX / 2])
        turn = np.array([[c, -s], [s, c]])
        move = np.column_stack([turn, np.array(tip) - turn @ foot]).astype(np.float32)
        size = picture.shape[1], picture.shape[0]
        cover = cv2.warpAffine(self.cover, move, size)
        x, y, w, h = cv2.boundingRect(cover)
        if not w or not h:
            return
        colour = cv2.warpAffine(self.colour, move, size, borderMode=cv2.BORDER_REPLICATE)
        place, alpha = picture[y : y + h, x : x + w], cv2.merge([cover[y : y + h, x : x + w]] * 3)
        beside = cv2.multiply(place, cv2.bitwise_not(alpha), scale=1 / 255)
        place[...] = cv2.add(cv2.multiply(colour[y : y + h, x : x + w], alpha, scale=1 / 255), beside)


def draw_hand(rng: np.random.Generator) -> Hand:
    """A random hand."""
    skin = np.array(SKINS[int(rng.integers(len(SKINS)))]) * rng.uniform(0.85, 1.1)
    colour = np.full((SPRITE_PX, SPRITE_PX, 3), skin * 0.75, np.float32)
    cover = np.zeros((SPRITE_PX, SPRITE_PX), np.uint8)
    palm_px = SPRITE_PX * 0.3
    middle = np.array([SPRITE_PX * 0.52, SPRITE_PX / 2])
    _limb(colour, cover, skin, (-40.0, SPRITE_PX / 2 + rng.normal(0, 40)), middle, SPRITE_PX * rng.uniform(0.12, 0.17))
    along = np.array([palm_px * 0.2, 0.0])
    _limb(colour, cover, skin, middle - along, middle + along, palm_px * 0.52)
    for across, length in FINGERS:
        root = middle + np.array([palm_px * 0.45, palm_px * across * 1.6])
        tip = np.array([min(SPRITE_PX - palm_px * 0.13, root[0] + palm_px * length * rng.uniform(1.4, 1.8)), root[1] + rng.normal(0, 8)])
        _limb(colour, cover, skin, root, tip, palm_px * rng.uniform(0.12, 0.15))
    if rng.random() < 0.5:  # a sleeve
        _limb(colour, cover, rng.uniform(10, 230, 3), (-40.0, SPRITE_PX / 2), (SPRITE_PX * 0.22, SPRITE_PX / 2), SPRITE_PX * 0.2)
    return Hand(np.clip(colour, 0, 255).astype(np.uint8), cv2.GaussianBlur(cover, (0, 0), 1.2))  # type: ignore[arg-type]


def _limb(
    colour: NDArray[np.float32],
    cover: NDArray[np.uint8],
    tone: NDArray[np.float64],
    start: NDArray[np.float64] | tuple[float, float],
    end: NDArray[np.float64] | tuple[float, float],
    radius: float,
) -> None:
    """A thick line with round ends, darker towards its rim."""
    first, last = (tuple(int(v) for v in np.rint(point)) for point in (start, end))
    part = np.zeros(cover.shape, np.uint8)
    cv2.line(part, first, last, 255, max(1, round(2 * radius)), cv2.LINE_AA)
    inside = np.minimum(np.asarray(cv2.distanceTransform((part > 127).astype(np.uint8), cv2.DIST_L2, 3)) / np.float32(radius), 1)
    shaded = tone.astype(np.float32) * (0.65 + 0.35 * np.sqrt(inside))[:, :, None]
    np.copyto(colour, shaded, where=(part > 127)[:, :, None])
    np.maximum(cover, part, out=cover)
