"""One page with its mistakes marked: boxes on the picture, and beside it what stands there above what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.bench.mistakes import CONFUSED, EXTRA, MISSING, UNSURE, PageMistakes, Step
from edge_digits.reading.reading import Box, Reading
from edge_digits.sources.frame import Frame

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

COLOURS: Final[dict[str | None, Colour]] = {
    None: (70, 140, 60),
    MISSING: (220, 110, 0),
    EXTRA: (190, 30, 170),
    CONFUSED: (40, 30, 220),
    UNSURE: (0, 130, 240),
}
"""BGR; None is a digit read right."""

LARGEST_SIDE_PX: Final = 1600
SMALLEST_SIDE_PX: Final = 700
"""Smaller pictures are enlarged, or the marks would hide what they mark."""

PANEL_PX: Final = 400
STEP_PX: Final = 15
ROW_PX: Final = 21
GAP_PX: Final = 12
FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
A_LINE: Final = (PANEL_PX - 80) // STEP_PX
"""Digits in one line of the panel."""


def draw_mistakes(frame: Frame, reading: Reading, mistakes: PageMistakes) -> Picture:
    """The marked picture and its panel, uint8 (h, w, 3) BGR.

    A digit read right has a thin box; any other a thick one in the colour of its cause, with what was read above it and,
    where something else stands there, that below it. Missing digits are a wedge between their neighbours. Strings are matched
    wherever they stand, as the score does, so on a table a digit may be paired with its like in another cell.
    """
    longest = max(frame.picture.shape[:2])
    scale = LARGEST_SIDE_PX / longest if longest > LARGEST_SIDE_PX else max(1.0, SMALLEST_SIDE_PX / longest)
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    small = cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    picture = np.array(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR) if small.ndim == 2 else small, np.uint8)
    boxes: list[Box] = []
    for x, y, w, h in (digit.box for digit in reading.digits):
        boxes.append((round(x * scale), round(y * scale), round(w * scale), round(h * scale)))
    for row in mistakes.rows:
        _mark_row(picture, row, boxes)
    height = max(picture.shape[0], SMALLEST_SIDE_PX)
    whole = np.full((height, picture.shape[1] + PANEL_PX, 3), 255, np.uint8)
    whole[: picture.shape[0], : picture.shape[1]] = picture
    _write_panel(whole[:, picture.shape[1] :], mistakes)
    return whole


def _mark_row(picture: Picture, row: Sequence[Step], boxes: Sequence[Box]) -> None:
    before: Box | None = None
    missing = ""
    for step in row:
        if step.place is not None and step.place < len(boxes):
            box = boxes[step.place]
            _mark_gap(picture, before, box, missing)
            _mark_box(picture, box, step)
            before, missing = box, ""
        elif step.cause == MISSING:
            missing += step.truth
    _mark_gap(picture, before, None, missing)


def _mark_box(picture: Picture, box: Box, step: Step) -> None:
    x, y, w, h = box
    colour = COLOURS[step.cause]
    cv2.rectangle(picture, (x, y), (x + w, y + h), colour, 1 if step.cause is None else 2, cv2.LINE_AA)
    if step.cause is None:
        return
    _write(picture, step.read, (x, y - 4), colour)
    if step.truth:
        _write(picture, step.truth, (x, y + h + 20), COLOURS[None])


def _mark_gap(picture: Picture, before: Box | None, after: Box | None, missing: str) -> None:
    """A wedge where the missing digits should stand; nothing where none is missing or no neighbour was read."""
    if not missing or (before is None and after is None):
        return
    # Beside a lone neighbour they are taken to be as wide as that one.
    left = before[0] + before[2] if before is not None else after[0] - after[2] if after is not None else 0
    right = after[0] if after is not None else before[0] + 2 * before[2] if before is not None else 0
    base = max(box[1] + box[3] for box in (before, after) if box is not None)
    middle = (left + right) // 2
    wedge = np.array([[middle, base + 2], [middle - 7, base + 16], [middle + 7, base + 16]], np.int32)
    cv2.fillPoly(picture, [wedge], COLOURS[MISSING], cv2.LINE_AA)
    _write(picture, missing, (middle - 6 * len(missing), base + 34), COLOURS[MISSING])


def _write(picture: Picture, text: str, corner: tuple[int, int], colour: Colour) -> None:
    """Text at its lower left corner, kept inside the picture, on a pale rim so that it shows on any ground."""
    at = min(max(0, corner[0]), picture.shape[1] - 14), min(max(16, corner[1]), picture.shape[0] - 3)
    cv2.putText(picture, text, at, FONT, 0.65, (255, 255, 255), 4, cv2.LINE_AA)
    cv2.putText(picture, text, at, FONT, 0.65, colour, 2, cv2.LINE_AA)


def _write_panel(panel: Picture, mistakes: PageMistakes) -> None:
    """Counts by cause in their colours, then the parts of rows that hold a mistake, true above read, as many as there is room for."""
    y = ROW_PX
    for cause, count in sorted(mistakes.causes.items()):
        cv2.putText(panel, f"{count} {cause}", (10, y), FONT, 0.55, COLOURS[cause], 2, cv2.LINE_AA)
        y += ROW_PX
    y += GAP_PX
    parts = list(_wrong_parts(mistakes))
    for index, part in enumerate(parts):
        if y + 3 * ROW_PX > panel.shape[0]:
            cv2.putText(panel, f"and {len(parts) - index} more", (10, y), FONT, 0.5, (90, 90, 90), 1, cv2.LINE_AA)
            return
        cv2.putText(panel, "true", (10, y), FONT, 0.45, (90, 90, 90), 1, cv2.LINE_AA)
        cv2.putText(panel, "read", (10, y + ROW_PX), FONT, 0.45, (90, 90, 90), 1, cv2.LINE_AA)
        for column, step in enumerate(part):
            x = 60 + column * STEP_PX
            cv2.putText(panel, step.truth, (x, y), FONT, 0.55, COLOURS[MISSING if step.cause == MISSING else None], 1, cv2.LINE_AA)
            cv2.putText(panel, step.read, (x, y + ROW_PX), FONT, 0.55, COLOURS[step.cause], 1 if step.cause is None else 2, cv2.LINE_AA)
        y += 2 * ROW_PX + GAP_PX


def _wrong_parts(mistakes: PageMistakes) -> Iterator[Sequence[Step]]:
    """Rows cut to the panel's width, those without a mistake left out."""
    for row in mistakes.rows:
        for start in range(0, len(row), A_LINE):
            part = row[start : start + A_LINE]
            if any(step.cause for step in part):
                yield part
