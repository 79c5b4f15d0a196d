"""Makes glyphs that are not one digit: what an over-eager segmentation cuts from a page, and what else pens leave there.

The danger of such a class is its look-alikes. A slash, an l or a straight half of a 4 is a 1 to any reader, the right
half of an 8 is a 3: they are left out here, so that the class costs no digit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from export.data.folder import crop_to_ink
from export.data.glyphs import Glyph, GlyphSet

PART_PX: Final = 44
"""Height to which digits are brought before they are cut or joined."""

STRAIGHTEST_PART: Final = 0.36
"""A part narrower than this share of its height reads as a 1 and is no negative."""

_BOTH_SIDES: Final = ("left", "right")

LEAST_NEIGHBOUR: Final = 0.3
"""A neighbour's part with less of the digit's ink than this is residue, and the digit still a digit."""

SAFE_VERTICAL_CUTS: Final[dict[int, tuple[str, ...]]] = {
    0: _BOTH_SIDES, 2: _BOTH_SIDES, 3: ("left",), 4: ("left",), 5: _BOTH_SIDES, 6: ("right",), 7: ("left",), 8: ("left",), 9: ("left",),
}  # fmt: skip
"""Which part of a digit, cut from top to bottom, is no digit itself."""

SAFE_HORIZONTAL_CUTS: Final[dict[int, tuple[str, ...]]] = {
    0: ("top", "bottom"), 2: ("bottom",), 3: ("bottom",), 5: ("top", "bottom"),
}  # fmt: skip
"""Which part of a digit, cut from left to right, is no digit itself; the loops of 6, 8 and 9 are zeros."""

Maker = Callable[[np.random.Generator, GlyphSet], Glyph]


def make_negative(rng: np.random.Generator, digits: GlyphSet) -> Glyph:
    """One random glyph that is not one digit, made from digits or drawn.

    digits : where halves and pairs are cut from. Returns uint8 (h, w), ink up to 255, paper 0.
    """
    kind = _KINDS[int(np.searchsorted(_CUMULATED, rng.random()))]
    return crop_to_ink(kind(rng, digits))


def half(rng: np.random.Generator, digits: GlyphSet) -> Glyph:
    """A digit cut through, where the part left is no digit."""
    for _ in range(20):
        glyph, label = _digit(rng, digits)
        share = rng.uniform(0.34, 0.48)
        if rng.random() < 0.6:
            parts = SAFE_VERTICAL_CUTS.get(label, ())
            side = parts[int(rng.integers(len(parts)))] if parts else ""
            cut = max(1, round(glyph.shape[1] * share))
            part = {"left": glyph[:, :cut], "right": glyph[:, -cut:]}.get(side)
        else:
            parts = SAFE_HORIZONTAL_CUTS.get(label, ())
            side = parts[int(rng.integers(len(parts)))] if parts else ""
            cut = max(1, round(glyph.shape[0] * share))
            part = {"top": glyph[:cut], "bottom": glyph[-cut:]}.get(side)
        if part is not None and min(part.shape) >= STRAIGHTEST_PART * max(part.shape) and int((part >= 128).sum()) >= 40:
            return part
    return pair(rng, digits)


def pair(rng: np.random.Generator, digits: GlyphSet) -> Glyph:
    """Two digits side by side, now and then three, or one above the other; touching, overlapping or close."""
    if rng.random() < 0.08:
        first, second = (_digit(rng, digits)[0] for _ in range(2))
        return _beside(first.T, second.T, int(rng.integers(-6, 4)), rng).T
    joined = _beside(_digit(rng, digits)[0], _digit(rng, digits)[0], int(rng.integers(-8, 9)), rng)
    if rng.random() < 0.2:
        joined = _beside(joined, _digit(rng, digits)[0], int(rng.integers(-8, 7)), rng)
    return joined


def digit_and_neighbour(rng: np.random.Generator, digits: GlyphSet) -> Glyph:
    """A digit with much of its neighbour, as a wrong cut of a touching pair leaves it; a mere crumb spoils no digit."""
    for _ in range(20):
        digit, other = _digit(rng, digits)[0], _digit(rng, digits)[0]
        width = max(8, round(other.shape[1] * rng.uniform(0.45, 0.9)))
        first = bool(rng.random() < 0.5)
        part = other[:, :width] if first else other[:, -width:]
        if _ink_of(part) >= LEAST_NEIGHBOUR * _ink_of(digit):
            gap = int(rng.integers(-5, 3))
            return _beside(digit, part, gap, rng) if first else _beside(part, digit, gap, rng)
    return pair(rng, digits)


def line(rng: np.random.Generator, _: GlyphSet) -> Glyph:
    """A long lying line, a minus, an equals sign or a piece of ruled paper; upright lines are ones."""
    canvas = _paper()
    thickness, slope = int(rng.integers(1, 8)), int(rng.integers(-9, 10))
    for row in range(int(rng.choice([1, 1, 1, 1, 2, 2, 3]))):
        y = 30 + row * int(rng.integers(8, 18))
        left, right = int(rng.integers(0, 16)), int(rng.integers(44, 64))
        points = np.array([[left, y - slope], [32, y + int(rng.integers(-2, 3))], [right, y + slope]], np.int32)
        cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA)
    return canvas


def corner(rng: np.random.Generator, _: GlyphSet) -> Glyph:
    """A corner, a T or a cross of ruled boxes; a top right corner is a 7 and left out."""
    canvas = _paper()
    x, y = (int(v) for v in rng.integers(16, 48, 2))
    thickness = int(rng.integers(1, 6))
    lying = ("left", "right")
    arms = [("left", "up"), ("right", "up"), ("right", "down"), (*lying, "up"), (*lying, "down"), (*lying, "up", "down")]
    ends = {"left": (2, y), "right": (61, y), "up": (x, 2), "down": (x, 61)}
    for arm in arms[int(rng.integers(len(arms)))]:
        end = ends[arm][0] + int(rng.integers(-2, 3)), ends[arm][1] + int(rng.integers(-2, 3))
        cv2.line(canvas, (x, y), end, 255, thickness, cv2.LINE_AA)
    return canvas


def speck(rng: np.random.Generator, _: GlyphSet) -> Glyph:
    """One to five dots or blots; long upright ones are left out."""
    canvas = _paper()
    for _index in range(int(rng.choice([1, 1, 1, 2, 3, 5]))):
        radius = int(rng.integers(3, 14))
        axes = max(2, round(radius * rng.uniform(0.8, 2.0))), radius
        centre = tuple(int(v) for v in rng.integers(18, 46, 2))
        cv2.ellipse(canvas, centre, axes, float(rng.uniform(-30, 30)), 0, 360, int(rng.integers(120, 256)), -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        canvas[cv2.resize(rng.random((8, 8), np.float32), (64, 64), interpolation=cv2.INTER_LINEAR) < 0.35] = 0
    return canvas if int((canvas >= 128).sum()) >= 12 else line(rng, GlyphSet("", [], np.zeros(0, np.uint8)))


def scribble(rng: np.random.Generator, _: GlyphSet) -> Glyph:
    """A pen moved to and fro, or a word nobody can read."""
    count = int(rng.integers(9, 18))
    if rng.random() < 0.5:
        nodes = rng.uniform(4, 60, (count, 2))
    else:
        wave = 32 + rng.uniform(8, 22) * np.where(np.arange(count) % 2, 1, -1) + rng.normal(0, 4, count)
        nodes = np.stack([np.linspace(0, 110, count), wave], axis=1)
    curve = cv2.resize(nodes.astype(np.float32).reshape(-1, 1, 2), (1, count * 8), interpolation=cv2.INTER_CUBIC)
    canvas = np.zeros((64, 112), np.uint8)
    cv2.polylines(canvas, [curve.astype(np.int32)], False, 255, int(rng.integers(1, 6)), cv2.LINE_AA)
    return canvas


def symbol(rng: np.random.Generator, _: GlyphSet) -> Glyph:
    """A sign of arithmetic or punctuation drawn with a pen: + x : clear brackets, <, a wide roof, a ring with a tail."""
    canvas = _paper()
    thickness = int(rng.integers(1, 7))
    jitter = rng.integers(-5, 6, (8, 2))
    strokes = _SYMBOLS[int(rng.integers(len(_SYMBOLS)))]
    for index, stroke in enumerate(strokes):
        points = (np.array(stroke) + jitter[(index + np.arange(len(stroke))) % 8]).astype(np.int32).reshape(-1, 1, 2)
        if len(stroke) > 2:
            points = cv2.resize(points.astype(np.float32), (1, len(stroke) * 8), interpolation=cv2.INTER_LINEAR).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, thickness, cv2.LINE_AA)
    if rng.random() < 0.2:
        return bracket(rng, GlyphSet("", [], np.zeros(0, np.uint8)))
    return canvas


def bracket(rng: np.random.Generator, _: GlyphSet) -> Glyph:
    """A round bracket, curved clearly: a flat one is a 1."""
    canvas = _paper()
    bulge = float(rng.uniform(14, 26)) * (1 if rng.random() < 0.5 else -1)
    t = np.linspace(-1, 1, 17)
    points = np.stack([32 + bulge * (1 - t**2), 32 + 29 * t + rng.normal(0, 0.7, 17)], axis=1)
    cv2.polylines(canvas, [points.astype(np.int32)], False, 255, int(rng.integers(1, 7)), cv2.LINE_AA)
    return canvas


def letter(rng: np.random.Generator, _: GlyphSet) -> Glyph:
    """A letter, or a few joined, in one of OpenCV's stroke fonts."""
    canvas = np.zeros((90, 220), np.uint8)
    count = int(rng.choice([1, 1, 1, 2, 3, 4]))
    text = "".join(SAFE_LETTERS[int(i)] for i in rng.integers(0, len(SAFE_LETTERS), count))
    face = _FACES[int(rng.integers(len(_FACES)))] | (cv2.FONT_ITALIC if rng.random() < 0.3 else 0)
    cv2.putText(canvas, text, (10, 60), face, 1.8 if count == 1 else 1.3, 255, int(rng.integers(1, 6)), cv2.LINE_AA)
    return canvas


SAFE_LETTERS: Final = "ACEFHKLMNPRTUVWXYacdefhkmnprtuvwxy"
"""Letters that no careful reader takes for a digit; without b B D g G i I j J l O o q Q s S z Z."""

_FACES: Final = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)  # fmt: skip

_SYMBOLS: Final[tuple[tuple[tuple[tuple[int, int], ...], ...], ...]] = (
    (((32, 8), (32, 56)), ((8, 32), (56, 32))),  # plus
    (((10, 10), (54, 54)), ((54, 10), (10, 54))),  # times
    (((8, 22), (56, 22)), ((8, 42), (56, 42))),  # equals
    (((32, 16), (33, 19)), ((32, 44), (33, 47))),  # colon
    (((50, 10), (12, 32), (50, 54))),  # less
    (((8, 44), (32, 14), (56, 44))),  # roof
    (((22, 6), (18, 58)), ((42, 6), (38, 58)), ((6, 24), (58, 22)), ((6, 44), (58, 42))),  # number sign
    (((32, 8), (32, 56)), ((10, 20), (54, 44)), ((54, 20), (10, 44))),  # star
    (((8, 32), (56, 32)), ((32, 12), (33, 15)), ((32, 50), (33, 53))),  # obelus
    (((6, 34), (16, 32), (26, 56), (36, 8), (60, 8))),  # root
    (((8, 36), (20, 28), (34, 36), (46, 40), (58, 30))),  # about
    (((20, 6), (16, 30), (6, 33), (16, 36), (20, 60))),  # brace
)


def _digit(rng: np.random.Generator, digits: GlyphSet) -> tuple[Glyph, int]:
    index = int(rng.integers(len(digits)))
    glyph = digits.glyphs[index]
    scale = PART_PX * rng.uniform(0.8, 1.0) / glyph.shape[0]
    width = min(max(3, round(glyph.shape[1] * scale)), 2 * PART_PX)
    return cv2.resize(glyph, (width, max(3, round(glyph.shape[0] * scale))), interpolation=cv2.INTER_LINEAR), int(digits.labels[index])  # type: ignore[return-value]


def _ink_of(glyph: Glyph) -> int:
    return int(cv2.countNonZero(cv2.threshold(glyph, 127, 255, cv2.THRESH_BINARY)[1]))


def _beside(first: Glyph, second: Glyph, gap: int, rng: np.random.Generator) -> Glyph:
    offset = int(rng.integers(-5, 6))
    height = max(first.shape[0], second.shape[0]) + abs(offset)
    start = max(0, first.shape[1] + gap)
    canvas: NDArray[np.uint8] = np.zeros((height, max(start + second.shape[1], first.shape[1])), np.uint8)
    y1, y2 = max(0, offset), max(0, -offset)
    canvas[y1 : y1 + first.shape[0], : first.shape[1]] = first
    place = canvas[y2 : y2 + second.shape[0], start : start + second.shape[1]]
    np.maximum(place, second, out=place)
    return canvas


def _paper() -> Glyph:
    return np.zeros((64, 64), np.uint8)


_WEIGHTED: Final[tuple[tuple[Maker, float], ...]] = (
    (half, 0.20), (pair, 0.26), (digit_and_neighbour, 0.10), (letter, 0.12), (line, 0.07), (corner, 0.07),
    (speck, 0.05), (scribble, 0.05), (symbol, 0.06), (bracket, 0.02),
)  # fmt: skip
_KINDS: Final = tuple(kind for kind, _ in _WEIGHTED)
_CUMULATED: Final = np.cumsum([weight for _, weight in _WEIGHTED]) / sum(weight for _, weight in _WEIGHTED)

MAKERS: Final[dict[str, Maker]] = {kind.__name__: kind for kind, _ in _WEIGHTED}
"""Every kind by its name."""
