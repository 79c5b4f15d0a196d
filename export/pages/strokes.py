"""Turns the bitmap of a written sign into the strokes of the pen that wrote it, and says how wide the pen was where.

A bitmap of 16 to 64 px blown up to a page looks blown up. The path of the pen does not: it can be drawn again at any
height, with any pen, a little differently every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float32]
"""float32 (n, 3), n at least 2: x, y and half the pen's width along the path, in heights of the sign, origin at its top left."""

TRACED_SIDE_PX: Final = 60
"""Longest side at which a bitmap is thinned: three times MNIST's box, enough for smooth paths."""
_RIM_PX: Final = 3
_STEP_PX: Final = 1.5
_THINNED_AWAY_PX: Final = 2.0
"""Smoothing and thinning shorten every end by about so much more than half the pen's width (measured on drawn bars)."""
_SMOOTHING_POINTS: Final = 1.3
_SPUR_RADII: Final = 1.1
"""A side branch shorter than so many pen radii is a bump of the outline, not a stroke."""


@dataclass(frozen=True, slots=True)
class TracedSign:
    """The path of the pen for one sign.

    strokes : each float32 (n, 3), see Stroke. width : of the ink, in heights. pen : median width of the line, in heights.
    links : strokes that lead on to the next sign; drawn with it, but no part of it.
    bitmap : uint8 (h, w), for a sign that keeps its own outline; strokes is then one of three points: the bitmap's corners top left,
    top right and bottom left.
    bearing, advance : free space before the ink, and step to the next sign, in heights, where a font sets them; advance 0 where none does.
    """

    strokes: tuple[Stroke, ...]
    width: float
    pen: float
    links: tuple[Stroke, ...] = ()
    bitmap: NDArray[np.uint8] | None = None
    bearing: float = 0.0
    advance: float = 0.0


def outlined_sign(glyph: NDArray[np.uint8]) -> TracedSign:
    """A bitmap, uint8 (h, w) cropped to its ink, as a sign that keeps its outline."""
    width = glyph.shape[1] / glyph.shape[0]
    return TracedSign((np.array([[0, 0, 1], [width, 0, 1], [0, 1, 1]], np.float32),), width, 2.0, (), glyph)


def trace_sign(glyph: NDArray[np.uint8]) -> TracedSign | None:
    """The strokes of a bitmap cropped to its ink; None where too little is left to be a path.

    glyph : uint8 (h, w), ink up to 255, paper 0.
    """
    scale = TRACED_SIDE_PX / max(glyph.shape)
    size = max(3, round(glyph.shape[1] * scale)), max(3, round(glyph.shape[0] * scale))
    large = cv2.resize(glyph, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    large = cv2.copyMakeBorder(large, _RIM_PX, _RIM_PX, _RIM_PX, _RIM_PX, cv2.BORDER_CONSTANT, value=0)
    mask = (cv2.GaussianBlur(large, (0, 0), 1.3) > 112).astype(np.uint8)
    radius = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    paths = _straightened(_branches(thin(mask), radius), mask.shape[1], _meeting_px(radius))
    strokes = tuple(_smooth(path, radius, size[1]) for path in paths)
    if not strokes:
        return None
    widths = np.concatenate([stroke[:, 2] for stroke in strokes])
    return TracedSign(strokes, size[0] / size[1], float(np.median(widths)) * 2.0)


def thin(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The centre line of a mask of 0 and 1, one pixel wide (Z. Guo, R. W. Hall, CACM 32(3), 1989, first algorithm).

    Unlike the better known one of Zhang and Suen it does not eat up diagonal lines two pixels wide.

    mask : uint8 (h, w) with a rim of zeros. Returns uint8 (h, w).
    """
    mask = mask.copy()
    while True:
        left = 0
        for table in _TABLES:
            codes = cv2.filter2D(mask, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            drop = cv2.bitwise_and(cv2.LUT(codes, table), mask)
            count = cv2.countNonZero(drop)
            left += count
            if count:
                mask = np.asarray(cv2.subtract(mask, drop), np.uint8)
        if not left:
            return mask


def _thinning_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """For each code of eight neighbours (bit 0 north, clockwise) whether the middle may go, in either half step."""
    tables = np.zeros((2, 256), np.uint8)
    for code in range(256):
        n, ne, e, se, s, sw, w, nw = (bool(code >> bit & 1) for bit in range(8))
        crossings = (not n and (ne or e)) + (not e and (se or s)) + (not s and (sw or w)) + (not w and (nw or n))
        pairs = min((nw or n) + (ne or e) + (se or s) + (sw or w), (n or ne) + (e or se) + (s or sw) + (w or nw))
        if crossings == 1 and 2 <= pairs <= 3:
            tables[0, code] = not ((s or sw or not nw) and w)
            tables[1, code] = not ((n or ne or not se) and e)
    return tables[0], tables[1]


_TABLES: Final = _thinning_tables()
_NEIGHBOURS: Final = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)

_Path = list[int]
"""Pixels of a picture in a row, by y * width + x."""

_STEPS: Final = ((0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1))


def _steps_by_code() -> tuple[tuple[tuple[int, int], ...], ...]:
    """For each code of eight neighbours the steps one may take: a diagonal one only where no two straight ones lead there."""
    found = []
    for code in range(256):
        straight = [bit for bit in (0, 2, 4, 6) if code >> bit & 1]
        diagonal = [bit for bit in (1, 3, 5, 7) if code >> bit & 1 and not code >> (bit - 1) & 1 and not code >> ((bit + 1) % 8) & 1]
        found.append(tuple(_STEPS[bit] for bit in straight + diagonal))
    return tuple(found)


_MAY_STEP: Final = _steps_by_code()


def _branches(line: NDArray[np.uint8], radius: NDArray[np.float32]) -> list[_Path]:
    """The pieces of a centre line between its ends and crossings; bumps are left out."""
    width = line.shape[1]
    pixels = np.flatnonzero(line)
    codes = cv2.filter2D(line, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT).reshape(-1)[pixels]
    near = {at: [at + dx + dy * width for dx, dy in _MAY_STEP[code]] for at, code in zip(pixels.tolist(), codes.tolist(), strict=True)}
    wide = radius.reshape(-1)
    nodes = {at for at, around in near.items() if len(around) != 2}
    branches, seen, covered = [], set(), set(nodes)
    for node in sorted(nodes):
        for first in near[node]:
            if (node, first) in seen:
                continue
            path = [node, first]
            while path[-1] not in nodes:
                a, b = near[path[-1]]
                path.append(b if a == path[-2] else a)
            seen.add((path[-1], path[-2]))
            covered.update(path)
            ends = len(near[path[0]]), len(near[path[-1]])
            crossing = path[0] if ends[0] > 1 else path[-1]
            bump = min(ends) == 1 < max(ends) and len(path) < _SPUR_RADII * wide[crossing] + 1
            # Crossings may be clumps of neighbouring pixels: steps inside them are no branches.
            inside_clump = len(path) == 2 and min(ends) > 2
            if not bump and not inside_clump:
                branches.append(path)
    for start in near:
        if start not in covered:
            ring = [start, near[start][0]]
            while ring[-1] != start:
                a, b = near[ring[-1]]
                ring.append(b if a == ring[-2] else a)
            covered.update(ring)
            branches.append(ring)
    return branches


_REACH_PX: Final = 7
_LEAST_MEETING_PX: Final = 4


def _meeting_px(radius: NDArray[np.float32]) -> int:
    """How far apart two ends may lie and still meet: a wide pen smears a crossing over more than its width."""
    return max(_LEAST_MEETING_PX, round(1.7 * float(radius[radius > 0].mean())) if (radius > 0).any() else 0)


def _straightened(branches: list[_Path], width: int, meeting: int) -> list[_Path]:
    """Joins, at every crossing, the branches that run straight on into each other, as the pen did."""
    paths = [path for path in branches if len(path) > 1]
    while True:
        ends = [_ends(path, width) for path in paths]
        best = None
        for i in range(len(paths)):
            for j in range(i + 1, len(paths)):
                for a_turn in (0, 1):
                    for b_turn in (0, 1):
                        cost = _bend(ends[i][a_turn], ends[j][b_turn], meeting)
                        if cost is not None and (best is None or cost < best[0]):
                            best = cost, i, j, a_turn, b_turn
        if best is None:
            return [path for path in paths if not _is_stub(path, paths, width, meeting)]
        _, i, j, a_turn, b_turn = best
        joined = (paths[i] if a_turn else paths[i][::-1]) + (paths[j][::-1] if b_turn else paths[j])
        paths = [path for k, path in enumerate(paths) if k not in (i, j)] + [joined]


def _is_stub(path: _Path, paths: list[_Path], width: int, meeting: int) -> bool:
    """Whether a path is a crumb of a crossing that another runs through; a dot stands free, and a bridge leads from one to another."""
    if len(path) > meeting + 1:
        return False
    rims = [_around(end, width, meeting) for end in (path[0], path[-1])]
    return any(other is not path and len(other) > len(path) and not any(rim.isdisjoint(other) for rim in rims) for other in paths)


def _around(pixel: int, width: int, reach: int) -> set[int]:
    y, x = divmod(pixel, width)
    return {(y + dy) * width + x + dx for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)}


_End = tuple[int, int, float, float]
"""x and y of an end, and the direction, of length 1, in which the path leaves through it."""


def _ends(path: _Path, width: int) -> tuple[_End | None, _End | None]:
    """The first and the last end of a path; none of a ring."""
    if path[0] == path[-1]:
        return None, None
    reach = min(len(path), _REACH_PX) - 1
    return _end(path[0], path[reach], width), _end(path[-1], path[-1 - reach], width)


def _end(end: int, inside: int, width: int) -> _End:
    (y, x), (v, u) = divmod(end, width), divmod(inside, width)
    length = float(np.hypot(x - u, y - v)) + 1e-6
    return x, y, (x - u) / length, (y - v) / length


def _bend(a: _End | None, b: _End | None, meeting: int) -> float | None:
    """How much the pen would turn (0 straight on, 1 a right angle) going out through end a and in through end b."""
    if a is None or b is None or abs(a[0] - b[0]) > meeting or abs(a[1] - b[1]) > meeting:
        return None
    turn = 1.0 + a[2] * b[2] + a[3] * b[3]
    return turn if turn < 0.75 else None


def _smooth(path: _Path, radius: NDArray[np.float32], height_px: int) -> Stroke:
    """A path of pixels as a smooth stroke in heights, its points about 1.5 px of the thinned picture apart."""
    rows, columns = np.divmod(np.array(path), radius.shape[1])
    points = np.column_stack([columns, rows, radius.reshape(-1)[path]]).astype(np.float32)
    closed = len(path) > 4 and path[0] == path[-1]
    rim = min(len(points) - 1, 6)
    extended = np.vstack([points[-rim - 1 : -1], points, points[1 : rim + 1]]) if closed else _mirrored(points, rim)
    smoothed = cv2.GaussianBlur(extended[:, None, :], (1, 13), sigmaX=1, sigmaY=_SMOOTHING_POINTS * 1.5)[rim : rim + len(points), 0, :]
    kept = max(2, round(len(path) / _STEP_PX))
    positions = np.linspace(0, len(points) - 1, kept)
    index = np.arange(len(points))
    stroke = np.stack([np.interp(positions, index, smoothed[:, k]) for k in range(3)], axis=1).astype(np.float32)
    if not closed:
        _lengthen(stroke)
    stroke[:, :2] -= _RIM_PX - 0.5
    return stroke / np.float32(height_px)


def _lengthen(stroke: Stroke) -> None:
    """Moves both ends of a stroke, in pixels, on by what thinning took from them; in place."""
    for end, inside in ((0, min(2, len(stroke) - 1)), (-1, max(-3, -len(stroke)))):
        away = stroke[end, :2] - stroke[inside, :2]
        stroke[end, :2] += away * np.float32(_THINNED_AWAY_PX / (float(np.hypot(*away)) + 1e-6))


def _mirrored(points: Stroke, rim: int) -> Stroke:
    """Points carried on beyond both ends through the end, so that smoothing leaves the ends where they are."""
    before, after = 2 * points[0] - points[rim:0:-1], 2 * points[-1] - points[-2 : -rim - 2 : -1]
    before[:, 2], after[:, 2] = points[0, 2], points[-1, 2]
    return np.vstack([before, points, after])
