"""Pairs of digits that touch or overlap, written with several pens: what a reader of whole strings has to part.

Both digits of a pair come from one set, so that their hands are alike. Each is enlarged to a smooth outline, written with the
pen, and the right one is pushed to the left until ink meets ink, and a little further. The same seed gives the same pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.data.folder import crop_to_ink
from export.data.glyphs import GlyphSet

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HEIGHT_PX: Final = (36, 130)
"""Height of a digit: small writing on a scanned page to large writing on a photograph."""

HEIGHT_RATIO: Final = (0.85, 1.18)
BASELINE_SHIFT: Final = 0.12
OVERLAP: Final = (0.03, 0.10)
"""How far the right digit is pushed into the left one, in digit heights; pairs that only touch: less than one stroke."""

OVERLAPPING_SHARE: Final = 0.35
MOST_NESTED: Final = 0.4
"""Columns that two digits may share, as a part of the narrower one: slanted writing shares some, but nobody writes a digit
into another. Pairs that would share more are drawn again."""

MOST_MERGED: Final = 0.45
"""Rows of the lower digit in which ink may meet ink: two upright 1s that touch all along are one bar."""

WIDEST: Final = 1.4
"""Width over height: a few bitmaps hold only the bar of a 7."""

DRAWS: Final = 50
MARGIN: Final = (0.3, 0.8)
MOST_THINNING: Final = 0.25
"""Largest part of a stroke's width that a thin pen takes off each side: more would break the strokes of a small bitmap."""

ENLARGED_PX: Final = 8
"""Bitmaps are smoothed at so many times their size before they take their height."""


@dataclass(frozen=True, slots=True)
class Pen:
    """stroke : width of a stroke in digit heights, from to. darkness : grey levels below the paper. grain : 0..1, paper showing through."""

    name: str
    stroke: tuple[float, float]
    darkness: tuple[int, int]
    grain: float = 0.0


PENS: Final = (
    Pen("ballpoint", (0.05, 0.09), (90, 190)),
    Pen("fibre tip", (0.09, 0.13), (140, 220)),
    Pen("marker", (0.12, 0.16), (160, 225)),
    Pen("pencil", (0.06, 0.10), (60, 120), grain=0.45),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """picture : uint8 (h, w), dark ink on light paper. digits : two of "0".."9". pen, source : what wrote it, and whose digits.

    overlapping : whether ink lies on ink, and does not only touch.
    """

    picture: Grey
    digits: str
    pen: str
    source: str
    overlapping: bool


def make_pairs(sets: Sequence[GlyphSet], count: int, seed: int) -> Iterator[Pair]:
    """Sets and pens take turns. Raises ValueError for a set of fewer than two digits."""
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        digits, pen = sets[index % len(sets)], PENS[index // len(sets) % len(PENS)]
        if len(digits) < 2:
            raise ValueError(f"set {digits.name} holds {len(digits)} digits; a pair takes two")
        for _ in range(DRAWS):
            pair = _pair(digits, pen, rng)
            if pair is not None:
                yield pair
                break
        else:
            raise ValueError(f"set {digits.name}: {DRAWS} draws gave no pair of digits side by side")


def _pair(digits: GlyphSet, pen: Pen, rng: np.random.Generator) -> Pair | None:
    """One pair, or None where nobody would write the digits so."""
    first, second = (int(i) for i in rng.choice(len(digits), 2, replace=False))
    height = float(np.exp(rng.uniform(*np.log(HEIGHT_PX))))
    stroke = float(rng.uniform(*pen.stroke)) * height
    heights = height, height * float(rng.uniform(*HEIGHT_RATIO))
    left, right = (write(digits.glyphs[i], tall, stroke) for i, tall in zip((first, second), heights, strict=True))
    overlapping = bool(rng.random() < OVERLAPPING_SHARE)
    depth = float(rng.uniform(*OVERLAP)) * height if overlapping else float(rng.uniform(0, 0.6)) * stroke
    ink, merged = join(left, right, round(rng.normal(0, BASELINE_SHIFT / 2) * height), 1 + round(depth))
    shared = left.shape[1] + right.shape[1] - ink.shape[1]
    too_wide = any(mask.shape[1] > WIDEST * mask.shape[0] for mask in (left, right))
    if too_wide or shared > MOST_NESTED * min(left.shape[1], right.shape[1]) or merged > MOST_MERGED * min(heights):
        return None
    picture = on_paper(ink, pen, rng, round(float(rng.uniform(*MARGIN)) * height))
    labels = digits.labels[[first, second]]
    return Pair(picture, f"{labels[0]}{labels[1]}", pen.name, digits.name, overlapping)


def write(glyph: Grey, height: float, stroke: float) -> Mask:
    """The ink of one digit at this height, its strokes about so wide, both in pixels; bool (h, w), cut to its ink."""
    tight = np.pad(crop_to_ink(glyph), 2)
    size = tight.shape[1] * ENLARGED_PX, tight.shape[0] * ENLARGED_PX
    large = cv2.GaussianBlur(cv2.resize(tight, size, interpolation=cv2.INTER_CUBIC), (0, 0), 0.6 * ENLARGED_PX)
    mask = (large > 0.45 * large.max()).astype(np.uint8)
    rows = np.flatnonzero(mask.any(axis=1))
    tall = float(rows[-1] - rows[0] + 1)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    # The outline's length is twice that of the strokes, so area over half of it is their mean width.
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    width = 2.0 * float(mask.sum()) / sum(cv2.arcLength(contour, closed=True) for contour in contours)
    level = float(np.clip(0.5 * (width - stroke * tall / height), -width, MOST_THINNING * width))
    scale = height / max(1.0, tall - 2.0 * level)
    border = int(np.ceil(max(0.0, -level))) + 1
    outer = np.pad(distance, border, mode="linear_ramp", end_values=-border - float(size[0] + size[1]))
    written = cv2.resize(outer, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR) > level
    rows, columns = np.flatnonzero(written.any(axis=1)), np.flatnonzero(written.any(axis=0))
    return np.asarray(written[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def join(left: Mask, right: Mask, rise: int, depth: int) -> tuple[Mask, int]:
    """Both on one baseline, the right one raised by so many pixels and pushed left until it lies `depth` pixels in the other.

    1 is where ink first meets ink. Returns bool (h, w) cut to the ink, and the number of rows in which ink meets ink.
    """
    above = max(left.shape[0], right.shape[0] + rise)
    below = min(0, rise)
    tall = above - below
    tops = above - left.shape[0], above - right.shape[0] - rise
    canvases = [np.zeros((tall, left.shape[1] + right.shape[1]), bool) for _ in range(2)]
    canvases[0][tops[0] : tops[0] + left.shape[0], : left.shape[1]] = left
    canvases[1][tops[1] : tops[1] + right.shape[0], left.shape[1] :] = right
    both = np.flatnonzero(canvases[0].any(axis=1) & canvases[1].any(axis=1))
    last = left.shape[1] + right.shape[1] - 1 - canvases[0][both, ::-1].argmax(axis=1)
    gaps = canvases[1][both].argmax(axis=1) - last - 1
    # The right digit never begins left of the left one.
    shift = min((int(gaps.min()) if both.size else 0) + depth, left.shape[1])
    joined = canvases[0] | np.roll(canvases[1], -shift, axis=1)
    columns = np.flatnonzero(joined.any(axis=0))
    return joined[:, columns[0] : columns[-1] + 1], int((gaps < shift).sum())


def on_paper(ink: Mask, pen: Pen, rng: np.random.Generator, margin: int) -> Grey:
    """The ink on lit paper as a camera or scanner sees it: uneven light, soft edges, noise. Returns uint8 (h, w)."""
    strength = np.pad(ink.astype(np.float32), margin)
    if pen.grain:
        grain = cv2.GaussianBlur(rng.normal(0, 1, strength.shape).astype(np.float32), (0, 0), 0.8)
        strength *= np.clip(1.0 - pen.grain * np.abs(grain) / max(1e-6, float(grain.std())), 0.2, 1.0)
    strength = cv2.GaussianBlur(strength, (0, 0), float(rng.uniform(0.5, 1.1)))
    across, down = np.linspace(-1, 1, strength.shape[1]), np.linspace(-1, 1, strength.shape[0])
    light = float(rng.uniform(195, 245)) + float(rng.uniform(-12, 12)) * across[None] + float(rng.uniform(-12, 12)) * down[:, None]
    grey = light - strength * float(rng.uniform(*pen.darkness)) + rng.normal(0, float(rng.uniform(1, 4)), strength.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)
