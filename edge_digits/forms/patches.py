"""Fields cut out of a picture and flattened, what is printed on them told from what is written.

Where the print lies is known from the template, up to what a bent sheet and a lens move it: each field is shifted onto
its print by a few pixels before the print is taken out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.forms.alignment import Alignment
from edge_digits.forms.template import Box, Field
from edge_digits.paper.ink import FAINTEST_INK, NOISE_FACTOR, Ink, cut_strokes, measure_darkness, paper_noise
from edge_digits.paper.page import Page
from edge_digits.paper.rules import erase_rules
from edge_digits.paper.scaling import halve
from edge_digits.sources.frame import Frame

Grey = NDArray[np.uint8]

BOX_HEIGHT_PX: Final = 64
"""Height to which a field's box is brought: three times that of a tile's digit."""
MARGIN_SHARE: Final = 0.5
"""Paper around a box that is looked at too, in heights of the box: digits reach over their boxes."""
LONGEST_PATCH_PX: Final = 4000
FRAME_PX: Final = 3
"""Width of a printed frame of 0.3 mm in a patch, rims included."""
REACH_SHARE: Final = 0.45
"""How far the print may lie from where the alignment says, in heights of the box; 3.6 mm of a box of 8 mm."""
NEAR_REACH_PX: Final = 6
"""The same where the fields around say where it lies."""
CELL_REACH_PX: Final = 3
"""The same of one box of a field from the field's own shift."""
DARKEST_COUNTED: Final = 50
"""Print and pen above this darkness count alike when the print is sought: black ink must not outweigh grey print."""
STRAIGHT_PX: Final = 19
"""Lines of this length and more are print: three tenths of a box's height; letters are not so long, digits seldom so straight."""
PEN_QUANTILE: Final = 0.7
LEAST_DARKER: Final = 1.6
"""A pen so many times darker than the print is told from it by darkness alone."""
LEAST_AGREEMENT: Final = 0.15
"""Correlation with the print below which a shift is not believed."""
SURE_AGREEMENT: Final = 0.35
"""Correlation from which it is believed without asking the fields around: writing in all boxes leaves 0.4 and more."""
NEIGHBOURS: Final = 3


@dataclass(frozen=True, slots=True)
class Patch:
    """One field, flat.

    ink : what is written; `rules` is the print, `page.to_frame` leads back to the picture. cells : the box of each digit
    (all of the field where it has none), x, y, width, height in pixels of the patch, shifted onto its print.
    agreement : correlation of the patch with its print, -1..1; 0 where there is none.
    """

    ink: Ink
    cells: tuple[Box, ...]
    agreement: float


@dataclass(frozen=True, slots=True)
class _Located:
    """A field's patch and where its print seems to lie. middle : of the field, page units. scale : pixels of the patch to one."""

    middle: tuple[float, float]
    scale: float
    page: Page
    printed: Grey
    boxes: tuple[Box, ...]
    darkness: Grey
    straight: Grey
    shift: tuple[int, int]
    agreement: float


class PatchCutter:
    """Cuts the fields of one sheet out of one picture.

    reference : the empty form, uint8 (h, w) in page units of one pixel; None where frames are printed as the template says.
    """

    def __init__(self, frame: Frame, alignment: Alignment, reference: Grey | None) -> None:
        self._levels = [np.asarray(frame.grey(), np.uint8)]
        self._size = frame.width, frame.height
        self._alignment, self._reference = alignment, reference

    def cut(self, fields: Sequence[Field]) -> list[Patch]:
        """The patches of all fields. Where a field's print hardly shows, that of the fields around says where it lies."""
        located = [self._locate(field) for field in fields]
        return [_separate(_by_neighbours(each, located)) for each in located]

    def _locate(self, field: Field) -> _Located:
        x, y, width, height = field.box
        margin = MARGIN_SHARE * height
        scale = min(BOX_HEIGHT_PX / height, LONGEST_PATCH_PX / (width + 2 * margin))
        size = round((width + 2 * margin) * scale), round((height + 2 * margin) * scale)
        to_page = np.array([[1 / scale, 0, x - margin], [0, 1 / scale, y - margin], [0, 0, 1]])
        to_frame = self._alignment.to_frame @ to_page
        seen = self._alignment.scale_at(x + width / 2, y + height / 2) / scale
        page = Page(self._warp(to_frame, size, seen), to_frame, self._size, sheet_found=True)
        boxes = tuple(_moved(box, -(x - margin), -(y - margin), scale) for box in (field.cells or (field.box,)))
        printed, darkness = self._printed(field, to_page, size, scale), measure_darkness(page.grey)
        straight = _straight(darkness)
        shift, agreement = _shift(straight, printed, (0, 0), round(REACH_SHARE * BOX_HEIGHT_PX))
        return _Located((x + width / 2, y + height / 2), scale, page, printed, boxes, darkness, straight, shift, agreement)

    def _warp(self, to_frame: NDArray[np.float64], size: tuple[int, int], shrink: float) -> Grey:
        """shrink : pixels of the picture to one of the patch; of large ones a picture halved so often is sampled."""
        halvings = max(0, int(np.log2(max(shrink, 1e-6) / 0.9)))
        while len(self._levels) <= halvings:
            self._levels.append(halve(self._levels[-1], 1))
        halvings = min(halvings, len(self._levels) - 1)
        warp = np.diag([0.5**halvings, 0.5**halvings, 1.0]) @ to_frame
        return _sampled(self._levels[halvings], warp, size)

    def _printed(self, field: Field, to_page: NDArray[np.float64], size: tuple[int, int], scale: float) -> Grey:
        """Where the field's print lies in its patch, uint8 (h, w), 255 on print."""
        if self._reference is not None:
            empty = _sampled(self._reference, to_page, size)
            darkness = measure_darkness(empty)
            limit = max(float(FAINTEST_INK), NOISE_FACTOR * paper_noise(darkness))
            return np.asarray(cv2.threshold(darkness, limit, 255, cv2.THRESH_BINARY)[1], np.uint8)
        mask = np.zeros(size[::-1], np.uint8)
        corner = to_page[0, 2], to_page[1, 2]
        for box in field.cells or (field.box,):
            x, y, w, h = _moved(box, -corner[0], -corner[1], scale)
            cv2.rectangle(mask, (round(x - 0.5), round(y - 0.5)), (round(x + w - 0.5), round(y + h - 0.5)), 255, FRAME_PX)
        return mask


def _moved(box: Box, dx: float, dy: float, scale: float = 1.0) -> Box:
    x, y, width, height = box
    return (x + dx) * scale, (y + dy) * scale, width * scale, height * scale


def _sampled(picture: Grey, warp: NDArray[np.float64], size: tuple[int, int]) -> Grey:
    """A picture warped into a patch. warp : from patch to picture, edges between pixels; OpenCV counts from pixel centres."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    back = np.linalg.inv(half) @ warp @ half
    flat = cv2.warpPerspective(picture, back, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def _by_neighbours(own: _Located, others: Sequence[_Located]) -> _Located:
    """A field whose print is hardly seen, sought again where the fields around it lie."""
    sure = [each for each in others if each.agreement >= SURE_AGREEMENT]
    if own.agreement >= SURE_AGREEMENT or not sure:
        return own
    sure.sort(key=lambda each: math.dist(each.middle, own.middle))
    moves = np.median([np.array(each.shift) / each.scale for each in sure[:NEIGHBOURS]], axis=0) * own.scale
    around = round(float(moves[0])), round(float(moves[1]))
    shift, agreement = _shift(own.straight, own.printed, around, NEAR_REACH_PX)
    return replace(own, shift=shift, agreement=agreement)


def _separate(located: _Located) -> Patch:
    """Print and pen of a patch told apart."""
    page, printed, boxes, darkness = located.page, located.printed, located.boxes, located.darkness
    shift, agreement, seen = located.shift, located.agreement, located.straight
    noise = paper_noise(darkness)
    floor = max(float(FAINTEST_INK), NOISE_FACTOR * noise)
    rules, cells = np.zeros_like(printed), []
    for box in boxes:
        moved = shift if len(boxes) == 1 or agreement < LEAST_AGREEMENT else _shift_of_cell(seen, printed, box, shift)
        _stamp(rules, printed, box, moved)
        cells.append(_moved(box, *moved))
    rules |= _translated(printed, shift)
    band = np.asarray(cv2.dilate(rules, np.ones((3, 3), np.uint8)), np.uint8)
    strokes = cut_strokes(darkness, floor, np.asarray(cv2.subtract(darkness, band), np.uint8))
    return Patch(Ink(darkness, _without_print(darkness, strokes, rules, band), band, noise, page), tuple(cells), agreement)


def _straight(darkness: Grey) -> Grey:
    """What is left of a patch's darkness along straight level and upright lines: print, hardly any writing or letters."""
    capped = np.asarray(np.minimum(darkness, DARKEST_COUNTED), np.uint8)
    level = cv2.morphologyEx(capped, cv2.MORPH_OPEN, np.ones((1, STRAIGHT_PX), np.uint8))
    upright = cv2.morphologyEx(capped, cv2.MORPH_OPEN, np.ones((STRAIGHT_PX, 1), np.uint8))
    return np.asarray(cv2.max(level, upright), np.uint8)


def _without_print(darkness: Grey, strokes: Grey, rules: Grey, band: Grey) -> Grey:
    """Strokes without the print. rules : where it lies; band : that and the rim within which it may lie."""
    if not rules.any():
        return strokes
    pen_there = (strokes > 0) & (band == 0)
    print_level = float(np.median(darkness[rules > 0]))
    pen_level = float(np.quantile(darkness[pen_there], PEN_QUANTILE)) if pen_there.any() else 0.0
    if pen_level < LEAST_DARKER * print_level:
        return erase_rules(strokes, np.asarray(rules & strokes, np.uint8))
    # A pen darker than the print is seen through it: nothing need be repaired.
    dark = darkness > (print_level + pen_level) / 2
    return np.where((band == 0) | dark, strokes, 0).astype(np.uint8)


def _shift(seen: Grey, printed: Grey, around: tuple[int, int], reach: int) -> tuple[tuple[int, int], float]:
    """The shift (x, y), within reach of another, at which the print agrees best with a patch, and that correlation."""
    if not printed.any():
        return around, 0.0
    template = _translated(printed, around)
    bordered = cv2.copyMakeBorder(seen, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    scores = cv2.matchTemplate(bordered, template, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    if best < LEAST_AGREEMENT:
        return around, float(best)
    return (around[0] + x - reach, around[1] + y - reach), float(best)


def _shift_of_cell(seen: Grey, printed: Grey, box: Box, around: tuple[int, int]) -> tuple[int, int]:
    """The shift of one box's own print, within CELL_REACH_PX of that of its field."""
    left, top, right, foot = _window(box, printed.shape)
    reach, (height, width) = CELL_REACH_PX, printed.shape
    dx, dy = around
    if left + dx < reach or top + dy < reach or right + dx > width - reach or foot + dy > height - reach:
        return around
    there = seen[top + dy - reach : foot + dy + reach, left + dx - reach : right + dx + reach]
    scores = cv2.matchTemplate(np.ascontiguousarray(there), np.ascontiguousarray(printed[top:foot, left:right]), cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    return around if best < LEAST_AGREEMENT else (dx + x - reach, dy + y - reach)


def _stamp(rules: Grey, printed: Grey, box: Box, shift: tuple[int, int]) -> None:
    """Lay the print of one box where it was found."""
    left, top, right, foot = _window(box, printed.shape)
    own = np.zeros_like(printed)
    own[top:foot, left:right] = printed[top:foot, left:right]
    np.maximum(rules, _translated(own, shift), out=rules)


def _window(box: Box, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and lower edge of a box with its frame, in whole pixels of the patch."""
    x, y, w, h = (round(value) for value in box)
    return max(0, x - FRAME_PX), max(0, y - FRAME_PX), min(shape[1], x + w + FRAME_PX), min(shape[0], y + h + FRAME_PX)


def _translated(mask: Grey, shift: tuple[int, int]) -> Grey:
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    return np.asarray(cv2.warpAffine(mask, matrix, mask.shape[::-1], flags=cv2.INTER_NEAREST), np.uint8)
