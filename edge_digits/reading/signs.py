"""Signs inside numbers: points, commas, dashes, slashes and colons, told by where they stand and how they are drawn.

The classifier sees digits; a sign is a piece of ink that belongs to no digit and stands between two of them, or a dash
right before one. Size and place are taken relative to the digits beside it: a point lies on their foot, a comma hangs
below it, a dash crosses their middle. A false sign is worse than a missed one, since it changes what a number is worth:
where specks or strokes of that kind lie all over the page, or two signs fit one gap, none is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Glyphs
from edge_digits.paper.tiles import stroke_width
from edge_digits.reading.sign_shapes import (
    FINEST,
    LARGEST_POINT,
    LONGEST_COMMA,
    LONGEST_DASH,
    SHORTEST_DASH,
    Gap,
    Piece,
    is_dash,
    join_colon,
    name_small,
)
from edge_digits.recognition.decode import Candidate

Boxes = NDArray[np.int32]
PageBox = tuple[int, int, int, int]

OWN_SHARE: Final = 0.7
"""A piece with this share of its box inside a digit's box is a part of that digit."""
CORE_SHARE: Final = 0.62
"""Pieces at least this long, in heights of the digit they lie in, make it up; a shorter one may be a sign taken into it."""
CORE_INSIDE: Final = 0.95
OPEN_FOOT: Final = (4, 7, 9)
"""Digits whose box reaches over what follows them: the point of "7.5" lies inside the 7's box."""
SHORTEST_SLASH: Final = 0.75
LONGEST_SLASH: Final = 2.0
SLASH_HEIGHT: Final = 1.28
"""What is read as a 1 and stands so high among other digits is a slash, if it leans."""
SLASH_HEIGHT_IN_DATE: Final = 1.08
DATE_PARTS: Final = frozenset(
    (first, second, third) for first, second, third in product((1, 2, 4), (1, 2), (1, 2, 4)) if (first == 4) + (third == 4) < 2
)
"""Numbers of digits before, between and after the slashes of a date."""
SLASH_LEAN_DEG: Final = (9.0, 60.0)
"""A slash leans this far to the right."""
POINT_REACH: Final = 0.6
"""Points, commas and colons lie at most so far from the digits on both sides; further ones end a sentence or part a list."""
SLASH_REACH: Final = 0.6
NUMBER_GAP: Final = 0.75
"""Digits further apart than this belong to different numbers, unless a sign joins them."""
DASH_REACH: Final = 0.95
OVERLAP: Final = 0.15
"""Points, commas and colons reach at most so far over or under a digit; what does so further is a part of it."""
NEAR_RULE_PX: Final = 2
CLEAR_BEFORE_MINUS: Final = 1.1
"""Nothing else is written so far to the left of a minus: after a letter or bracket it is an operation."""
FAINTEST: Final = 0.55
"""A sign is at least this dark, relative to the digits beside it."""
CHANCE_LIMIT: Final = 0.04
"""Where chance alone would put marks of that kind into this share of all gaps, they are dirt, dots of letters or ruling."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign in a row of digits. before : index of the digit on its right. box : x, y, width, height in page pixels.

    starts : whether a number starts with it, as with a minus.
    """

    mark: str
    before: int
    box: tuple[int, int, int, int]
    starts: bool = False


class SignFinder:
    """Finds the signs of one page."""

    def __init__(self, glyphs: Glyphs, rows: list[list[Candidate]]) -> None:
        """glyphs : with all pieces of ink. rows : the page's digits, line by line, left to right."""
        self._ink, self._rows = glyphs.ink, rows
        heights = [d.box[3] for row in rows for d in row]
        self._height = float(np.median(heights)) if heights else 1.0
        longest = np.maximum(glyphs.pieces[:, 2], glyphs.pieces[:, 3])
        self._pieces = glyphs.pieces[longest <= LONGEST_SLASH * 1.5 * self._height]
        self._chance: dict[str, float] = {}

    def find(self, row: list[Candidate]) -> tuple[list[Candidate], list[Mark]]:
        """The digits of one row, less those that are slashes, and its signs, both left to right."""
        boxes = np.array([d.box for d in row], np.int32)
        height = float(np.median(np.maximum(boxes[:, 3], 1)))
        pieces = self._pieces[_near(self._pieces, boxes, 2 * height, 0.7 * height)]
        if not len(pieces):
            return row, []
        cores = core_boxes(boxes, pieces)
        near = _RowPieces(pieces, _share_inside(pieces, cores).max(axis=1) >= OWN_SHARE, height)
        digits = [replace(digit, box=box) for digit, box in zip(row, cores.tolist(), strict=True)]
        width = self._stroke_width(row)
        slashes = self._slashes(digits, near, height, width)
        kept = [index for index in range(len(row)) if index not in slashes]
        digits, left_over = [digits[index] for index in kept], [row[index] for index in kept]
        marks = {kept.index(index + 1): Mark("/", kept.index(index + 1), digit.box) for index, digit in slashes.items()}
        for index in range(len(digits)):
            mark = None if index in marks else self._before(digits, index, near, height, width)
            if mark is not None:
                marks[index] = mark
        return left_over, [marks[index] for index in sorted(marks)]

    def _slashes(self, digits: list[Candidate], near: _RowPieces, height: float, width: float) -> dict[int, Candidate]:
        """Digits read as a 1 that are slashes: straight, leaning, between two digits, and taller than these.

        By height alone where it is beyond doubt, or two of them, a little taller, that part a date.
        """
        tall: dict[int, float] = {}
        for index in range(1, len(digits) - 1):
            digit = digits[index]
            if digit.digit != 1 or digit.box[3] < SLASH_HEIGHT_IN_DATE * height:
                continue
            piece = near.filling(digit.box)
            if piece is not None and self._is_slash(piece, width):
                tall[index] = digit.box[3] / height
        sure = {index for index, times in tall.items() if times >= SLASH_HEIGHT and index - 1 not in tall and index + 1 not in tall}
        for first, second in pairwise(sorted(tall)):
            begin, end = _together(digits, first, second, NUMBER_GAP * height)
            if (first - begin, second - first - 1, end - second) in DATE_PARTS:
                sure |= {first, second}
        return {index: digits[index] for index in sorted(sure)}

    def _before(self, row: list[Candidate], index: int, near: _RowPieces, height: float, width: float) -> Mark | None:
        """The sign in the gap before a digit."""
        right, left = row[index], row[index - 1] if index else None
        gap = Gap(left, right, height)
        pieces = [piece for piece, owned in near.within(gap) if self._is_free(piece, owned, left, gap)]
        beside = right if left is None else left
        found = [(mark, piece) for piece in pieces if (mark := self._name(piece, gap, width)) and self._is_ink(piece, beside)]
        colon = join_colon(found, gap)
        found = [(mark, piece) for mark, piece in found if mark != "^"] if colon is None else [colon]
        if len(found) != 1:
            return None
        mark, piece = found[0]
        tall = [p for p in pieces if p != piece and p[3] > 0.4 * height and 0 <= gap.level(p[1] + p[3] / 2) <= 1]
        before, after = gap.distances(piece)
        reach = {"-": DASH_REACH, "/": SLASH_REACH}.get(mark, POINT_REACH)
        if after > reach or self._by_chance(mark) > CHANCE_LIMIT:
            return None
        starts = mark == "-" and before > 0.5 and before > 2.5 * max(0.1, after)
        if before <= reach and not tall and not starts:
            return Mark(mark, index, piece[:4])
        if mark == "-" and before >= 0.5 and not near.something_before(piece, gap):
            return Mark(mark, index, piece[:4], starts=True)
        return None

    def _is_free(self, piece: Piece, owned: bool, left: Candidate | None, gap: Gap) -> bool:
        """Whether a piece is no part of the digits beside it."""
        before, after = gap.distances(piece)
        under = max(piece[2:4]) <= LONGEST_COMMA * gap.height and min(before, after) < -OVERLAP
        return not (owned or under) or self._is_tucked(piece, left, gap)

    def _is_tucked(self, piece: Piece, left: Candidate | None, gap: Gap) -> bool:
        """Whether a piece inside the box of the digit on its left lies under that digit's arm, right of its stem."""
        if left is None or left.digit not in OPEN_FOOT:
            return False
        x, y, w, h, _ = piece
        bx, _, bw, _ = left.box
        if y + h / 2 < gap.foot - 0.75 * gap.height or x < bx + 0.5 * bw:
            return False
        return not self._ink.strokes[y : y + h, x + w + 1 : max(x + w + 1, bx + bw)].any()

    def _name(self, piece: Piece, gap: Gap, width: float) -> str:
        """What sign a piece could be: one of MARKS, "^" for a point that may belong to a colon, "" for none."""
        _, y, w, h, area = piece
        size = gap.height
        middle = gap.level(y + h / 2)
        if is_dash(piece, size, width) and 0.2 <= middle <= 0.95 and not self._continues_rule(piece, size):
            return "-"
        if SHORTEST_SLASH * size <= h <= LONGEST_SLASH * size and w >= 0.12 * h and self._is_slash(piece, width):
            return "/"
        if max(w, h) < max(2.0, FINEST * width) or area < 0.3 * width * width or self._at_rule(piece):
            return ""
        return name_small(piece, gap)

    def _is_slash(self, piece: Piece, width: float) -> bool:
        """Whether a tall piece is one straight stroke that leans to the right."""
        x, y, w, h, area = piece
        _, labels, stats, _ = cv2.connectedComponentsWithStats(self._ink.strokes[y : y + h, x : x + w], connectivity=8)
        own = next((i for i in range(1, len(stats)) if stats[i, cv2.CC_STAT_AREA] == area), 0)
        if not own:
            return False
        moments = cv2.moments(np.asarray(labels == own, np.uint8), binaryImage=True)
        xx, yy, xy = (moments[key] / max(1.0, moments["m00"]) for key in ("mu20", "mu02", "mu11"))
        spread = float(np.hypot(xx - yy, 2 * xy))
        thin = 12.0 * max(0.0, (xx + yy - spread) / 2)
        lean = float(np.degrees(0.5 * np.arctan2(-2 * xy, yy - xx)))
        straight = np.sqrt(thin) <= 1.7 * width and area >= 0.5 * FINEST * width * h
        return bool(straight and SLASH_LEAN_DEG[0] <= lean <= SLASH_LEAN_DEG[1])

    def _continues_rule(self, piece: Piece, size: float) -> bool:
        """Whether a dash is a left-over of a ruled line: the line goes on at either end of it."""
        x, y, w, h, _ = piece
        rows = slice(max(0, y - 2), y + h + 2)
        reach = max(3, round(0.3 * size))
        return bool(self._ink.rules[rows, max(0, x - reach) : x].any() or self._ink.rules[rows, x + w : x + w + reach].any())

    def _at_rule(self, piece: Piece) -> bool:
        """Whether a small piece touches where a ruled line was taken out, which leaves ends of strokes behind."""
        x, y, w, h, _ = piece
        reach = NEAR_RULE_PX
        return bool(self._ink.rules[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach].any())

    def _is_ink(self, piece: Piece, beside: Candidate) -> bool:
        """Whether a piece is as dark as the digit beside it."""
        return self._darkness(piece[:4]) >= FAINTEST * self._darkness(beside.box)

    def _darkness(self, box: tuple[int, int, int, int]) -> float:
        x, y, w, h = box
        window = slice(max(0, y), y + h), slice(max(0, x), x + w)
        return float(cv2.mean(self._ink.darkness[window], mask=self._ink.strokes[window])[0])

    def _stroke_width(self, row: list[Candidate]) -> float:
        """Stroke width of a row's digits in pixels."""
        x, y, w, h = sorted((d.box for d in row), key=lambda box: box[2] * box[3])[len(row) // 2]
        return max(1.0, stroke_width(self._ink.strokes[max(0, y) : y + h, max(0, x) : x + w]))

    def _by_chance(self, mark: str) -> float:
        """Share of gaps into which a mark of this kind would fall by chance, from those that lie away from all digits."""
        kind = "-" if mark == "-" else "/" if mark == "/" else "."
        if kind not in self._chance:
            self._chance[kind] = self._share_by_chance(kind)
        return self._chance[kind]

    def _share_by_chance(self, kind: str) -> float:
        size = self._height
        width, height, area = self._pieces[:, 2:].T
        if kind == "-":
            alike = (width >= SHORTEST_DASH * size) & (width <= LONGEST_DASH * size) & (2.2 * height <= width)
            window = 1.0 * 0.6
        elif kind == "/":
            return 0.0
        else:
            alike = (np.maximum(width, height) <= LARGEST_POINT * size) & (area >= 0.01 * size * size)
            window = 0.5 * 0.5
        for row in self._rows:
            boxes = np.array([d.box for d in row], np.int32)
            alike = alike & ~_near(self._pieces, boxes, size, 0.5 * size)
        return float(np.count_nonzero(alike)) * window * size * size / max(1.0, self._ink.strokes.size)


class _RowPieces:
    """Pieces of ink near one row, and whether each is part of a digit."""

    def __init__(self, pieces: Boxes, owned: NDArray[np.bool_], height: float) -> None:
        self._pieces, self._owned = pieces, owned
        self._x, self._y = (pieces[:, :2] + pieces[:, 2:4] / 2).T
        # Nearly all pieces are digits; what may be a sign is few, and plain tuples are quicker to look through.
        small = ~owned | (np.maximum(pieces[:, 2], pieces[:, 3]) <= LONGEST_COMMA * height)
        self._few: list[tuple[Piece, bool]] = [
            ((*piece,), own) for piece, own in zip(pieces[small].tolist(), owned[small].tolist(), strict=True)
        ]

    def within(self, gap: Gap) -> list[tuple[Piece, bool]]:
        """The pieces that may be signs and whose middle lies in a gap."""
        top, foot = gap.top - 0.6 * gap.height, gap.foot + 0.6 * gap.height
        return [
            (piece, own)
            for piece, own in self._few
            if gap.start < piece[0] + piece[2] / 2 < gap.end and top < piece[1] + piece[3] / 2 < foot
        ]

    def filling(self, box: tuple[int, int, int, int]) -> Piece | None:
        """The one piece that a digit's box was put around."""
        same = np.flatnonzero((np.abs(self._pieces[:, :4] - np.array(box)) <= 1).all(axis=1))
        if len(same) != 1:
            return None
        x, y, w, h, area = (int(value) for value in self._pieces[same[0]])
        return x, y, w, h, area

    def something_before(self, piece: Piece, gap: Gap) -> bool:
        """Whether a letter or a bracket stands close on the left of a minus."""
        ends = self._pieces[:, 0] + self._pieces[:, 2]
        close = (ends > piece[0] - CLEAR_BEFORE_MINUS * gap.height) & (self._x < piece[0]) & (self._pieces[:, 3] > 0.35 * gap.height)
        reach = 0.3 * gap.height
        return bool((close & ~self._owned & (self._y > gap.top - reach) & (self._y < gap.foot + reach)).any())


def without_commas(digits: list[Candidate]) -> list[Candidate]:
    """The digits without those that are commas: low strokes named 1 that hang on the foot of a digit beside them."""
    if not digits:
        return digits
    height = float(np.median([d.box[3] for d in digits]))
    tall = [d.box for d in digits if d.box[3] > LONGEST_COMMA * height]
    return [d for d in digits if d.digit != 1 or not _hangs(d.box, tall, height)]


def _hangs(box: PageBox, digits: list[PageBox], height: float) -> bool:
    """Whether a small stroke begins at the foot of a digit beside it and reaches below."""
    x, y, w, h = box
    if max(w, h) > LONGEST_COMMA * height:
        return False
    for left, top, wide, high in digits:
        foot, gap = top + high, max(x - left - wide, left - x - w)
        if -0.4 * height <= gap <= POINT_REACH * height and abs(y - foot + 0.1 * height) <= 0.25 * height and y + h >= foot + 0.08 * height:
            return True
    return False


def _together(digits: list[Candidate], first: int, last: int, widest: float) -> tuple[int, int]:
    """First and last digit of those that stand around two digits without a wider gap than this, in pixels."""
    while first > 0 and digits[first].box[0] - digits[first - 1].box[0] - digits[first - 1].box[2] <= widest:
        first -= 1
    while last < len(digits) - 1 and digits[last + 1].box[0] - digits[last].box[0] - digits[last].box[2] <= widest:
        last += 1
    return first, last


def core_boxes(digits: Boxes, pieces: Boxes) -> Boxes:
    """Boxes of the digits without the small pieces that were taken into them: a comma that hangs beside one.

    digits : int32 (n, 4). pieces : int32 (m, 5). Returns int32 (n, 4).
    """
    large = np.maximum(pieces[:, 2], pieces[:, 3])[:, None] >= CORE_SHARE * digits[None, :, 3]
    inside = np.asarray((_share_inside(pieces, digits) >= CORE_INSIDE) & large, np.bool_)
    far = 1 << 20
    first = np.where(inside[..., None], pieces[:, None, :2], far).min(axis=0)
    end = np.where(inside[..., None], (pieces[:, :2] + pieces[:, 2:4])[:, None], -far).max(axis=0)
    return np.asarray(np.where(np.asarray(inside.any(axis=0))[:, None], np.hstack([first, end - first]), digits), np.int32)


def _share_inside(pieces: Boxes, digits: Boxes) -> NDArray[np.float64]:
    """Share of each piece's box that lies inside each digit's box, float64 (m, n)."""
    a, b = pieces[:, None, :4], digits[None]
    wide = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    high = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    return np.asarray(shared / np.maximum(1, pieces[:, 2] * pieces[:, 3])[:, None], np.float64)


def _near(pieces: Boxes, digits: Boxes, aside: float, below: float) -> NDArray[np.bool_]:
    """Which pieces have their middle in the band of a row of digits, so far to its left and below it."""
    x, y = (pieces[:, :2] + pieces[:, 2:4] / 2).T
    left, right = digits[:, 0].min() - aside, (digits[:, 0] + digits[:, 2]).max()
    top, foot = digits[:, 1].min() - 0.5 * below, (digits[:, 1] + digits[:, 3]).max() + below
    return np.asarray((x >= left) & (x <= right) & (y >= top) & (y <= foot), bool)
