"""Reads sheets of one template: found on the picture, each field cut out, judged, checked."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import FormNotFoundError
from edge_digits.forms.alignment import Alignment
from edge_digits.forms.cells import CellInk, ink_of_cells
from edge_digits.forms.checks import NeverFalls
from edge_digits.forms.fields import FieldReading, empty_field, read_cells, settle
from edge_digits.forms.judging import Judged, best_digit, judge_glyphs
from edge_digits.forms.markers import align_by_markers, corner_markers
from edge_digits.forms.matching import Reference
from edge_digits.forms.patches import Patch, PatchCutter
from edge_digits.forms.settling import settle_by_checks
from edge_digits.forms.template import Template
from edge_digits.options import Options, PaperOptions
from edge_digits.paper.glyphs import Hypothesis
from edge_digits.reader import Reader, Source
from edge_digits.reading.numbers import to_frame_boxes
from edge_digits.reading.reading import Line, Reading
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

TYPICAL_LEVEL: Final = 0.5
"""The quantile of the darkness of ink in all boxes that is the sheet's: half of them may be empty but for print-through."""
NO_INK_SHARE: Final = 0.25
NO_INK: Final = 40.0
"""What is lighter than this share of the sheet's ink and than this darkness (of 255) shows through from the back."""
INSIDE_SHARE: Final = 0.06
"""Rim of a field without divisions that is left out, in its heights: its frame."""
UNREAD_SHARE: Final = 0.12
"""Ink of such a field that belongs to no digit, from which it is doubtful."""


@dataclass(frozen=True, slots=True)
class FormReading(Reading):
    """What a sheet says: a Reading with a line for each field that is not empty, and all fields.

    template : its name. alignment : where the sheet was found. fields : in the order of the template. over_sheets : what is to be
    checked between this sheet and others of its pile.
    """

    template: str = ""
    alignment: Alignment | None = None
    fields: tuple[FieldReading, ...] = ()
    over_sheets: tuple[NeverFalls, ...] = ()

    def to_dict(self, *, all_candidates: bool = False) -> dict[str, Any]:
        """The page's JSON object as Reading gives it, with "form" and each number's "name"."""
        entry = Reading.to_dict(self, all_candidates=all_candidates)
        names = [each.field.name for each in self.fields if each.written]
        for line, name in zip(entry["lines"], names, strict=True):
            line["numbers"][0]["name"] = name
        entry["form"] = {"template": self.template, "fields": [each.to_dict() for each in self.fields]}
        if self.alignment is not None:
            entry["form"] |= {"aligned_by": self.alignment.by, "found": self.alignment.found}
        if self.over_sheets:
            entry["form"]["over_sheets"] = [{"never_falls": list(each.sequence), "for_each": each.for_each} for each in self.over_sheets]
        return entry


class FormReader(Reader):
    """Reads photographs of one template's sheets. Built once; safe to use from several threads.

    template : as it was given. Pages on which its form is not found raise FormNotFoundError.
    """

    def __init__(self, template: Template, options: Options | None = None) -> None:
        """Load the model and find what the form is aligned by. Raises UsageError, ModelError, ProviderError, InputError."""
        chosen = options or Options()
        # The sheet's direction is known from its markers, and each field has its own expectation.
        super().__init__(options=replace(chosen, paper=PaperOptions("0"), reading=replace(chosen.reading, expect=None)))
        self.template = template
        self._markers = corner_markers(template.size, template.fingerprint)
        self._reference = None
        if template.reference is not None:
            frame = next(open_frames(template.reference, self.options.source))
            self._reference = Reference(np.asarray(frame.grey(), np.uint8))

    def read(self, source: Source) -> FormReading:
        """Read one picture; of a document its first page. Raises InputError, FormNotFoundError."""
        return next(self.pages(source))

    def pages(self, source: Source) -> Iterator[FormReading]:
        """Read every page of a source, one at a time. Raises InputError, FormNotFoundError."""
        for frame in open_frames(source, self.options.source):
            yield self.read_frame(frame)

    def read_frame(self, frame: Frame, source_ms: float | None = None) -> FormReading:
        """Read one Frame. source_ms : what opening it took, for the record. Raises FormNotFoundError."""
        elapsed_ms: dict[str, float] = {} if source_ms is None else {"source": source_ms}
        clock = perf_counter()
        alignment = self._align(frame)
        cutter = PatchCutter(frame, alignment, None if self._reference is None else self._reference.grey)
        elapsed_ms["align"], clock = 1000.0 * (perf_counter() - clock), perf_counter()
        patches = cutter.cut(self.template.fields)
        elapsed_ms["cut"], clock = 1000.0 * (perf_counter() - clock), perf_counter()
        least = self.template.doubt_below
        readings = settle_by_checks(self._read_fields(patches), self.template.checks, least)
        elapsed_ms["read"] = 1000.0 * (perf_counter() - clock)
        elapsed_ms["total"] = sum(elapsed_ms.values())
        lines = tuple(Line((each.to_number(least),)) for each in readings if each.written)
        return FormReading(
            frame.source,
            frame.page,
            frame.width,
            frame.height,
            lines,
            self._model,
            self.classifier.provider,
            elapsed_ms,
            template=self.template.name,
            alignment=alignment,
            fields=tuple(readings),
            over_sheets=tuple(each for each in self.template.checks if isinstance(each, NeverFalls) and each.over_sheets),
        )

    def _align(self, frame: Frame) -> Alignment:
        grey = np.asarray(frame.grey(), np.uint8)
        try:
            return align_by_markers(grey, self._markers) if self._reference is None else self._reference.align(grey)
        except FormNotFoundError as error:
            raise FormNotFoundError(f"{frame.source}: {error}") from error

    def _read_fields(self, patches: list[Patch]) -> list[FieldReading]:
        cells = [ink_of_cells(patch) for patch in patches]
        levels = [cell.level for each in cells for cell in each if cell is not None]
        level = float(np.quantile(levels, TYPICAL_LEVEL)) if levels else 0.0
        found: list[FieldReading] = []
        for place, patch, own in zip(self.template.fields, patches, cells, strict=True):
            kept = [None if cell is None or _shows_through(cell, level) else cell for cell in own]
            if not place.mask:
                found.append(self._read_free(patch, kept[0], len(found)))
                continue
            judged = iter(judge_glyphs(self, patch.ink, [c.hypothesis(i) for i, c in enumerate(kept) if c is not None]))
            answers: list[Judged | None] = [None if cell is None else next(judged) for cell in kept]
            found.append(read_cells(place, patch, kept, answers, (self.template.doubt_below, level)))
        return found

    def _read_free(self, patch: Patch, cell: CellInk | None, index: int) -> FieldReading:
        """A field without divisions: the page reader finds its digits, and each is judged once more by itself."""
        place = self.template.fields[index]
        if cell is None:
            return empty_field(place, patch, [])
        reader = copy(self)
        reader.expectation = place.expectation
        picture, strokes, corner = _clean(patch)
        numbers = Reader.read_frame(reader, Frame.from_array(picture)).numbers
        reasons = [] if len(numbers) == 1 else ["no number found" if not numbers else "several numbers"]
        boxes = [digit.box for number in numbers for digit in number.digits]
        if not boxes:
            return replace(empty_field(place, patch, reasons), text="?", likely="?")
        hypotheses = [_hypothesis(strokes, patch, box, corner, i) for i, box in enumerate(boxes)]
        judged = judge_glyphs(self, patch.ink, hypotheses)
        said = [digit.digit for number in numbers for digit in number.digits]
        if any(digit != best_digit(each) for digit, each in zip(said, judged, strict=True)):
            reasons.append("unsure digit")
        if any(number.signs for number in numbers):
            reasons.append("sign")
        covered = np.zeros(strokes.shape, bool)
        for x, y, w, h in boxes:
            covered[y : y + h, x : x + w] = True
        if int(np.count_nonzero(strokes[~covered])) > UNREAD_SHARE * int(np.count_nonzero(strokes)):
            reasons.append("ink beside the digits")
        there = to_frame_boxes([h.box for h in hypotheses], patch.ink.page)
        return settle(place, patch, judged, there, reasons, self.template.doubt_below)


def _shows_through(cell: CellInk, level: float) -> bool:
    return cell.level < NO_INK_SHARE * level and cell.level < NO_INK


def _clean(patch: Patch) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[int, int]]:
    """A field's pen strokes on white paper, uint8 (h, w); its strokes alone, 255; and its corner in the patch."""
    x, y, w, h = patch.cells[0]
    rim = INSIDE_SHARE * h
    top, foot, left, right = round(y - 2 * rim), round(y + h + 2 * rim), round(x + rim), round(x + w - rim)
    window = slice(max(0, top), foot), slice(max(0, left), right)
    strokes = np.ascontiguousarray(patch.ink.strokes[window])
    near = cv2.dilate(strokes, np.ones((3, 3), np.uint8)) > 0
    picture = np.where(near, 255 - patch.ink.darkness[window], 255).astype(np.uint8)
    return picture, strokes, (max(0, left), max(0, top))


def _hypothesis(
    strokes: NDArray[np.uint8], patch: Patch, box: tuple[int, int, int, int], corner: tuple[int, int], index: int
) -> Hypothesis:
    """The ink within a digit's box as a glyph of the patch."""
    x, y, w, h = box
    moved = x + corner[0], y + corner[1], w, h
    darkness = patch.ink.darkness[moved[1] : moved[1] + h, moved[0] : moved[0] + w]
    shape = strokes[y : y + h, x : x + w] > 0
    level = float(np.quantile(darkness[shape], 0.8)) if shape.any() else 255.0
    glyph = np.where(shape, np.maximum(cv2.convertScaleAbs(darkness, alpha=255.0 / max(1.0, level)), 96), 0).astype(np.uint8)
    return Hypothesis(index, 0, 0, moved, glyph)
