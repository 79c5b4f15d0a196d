"""Composes a sheet: paper of one kind, a writer or two, numbers, and what stands between them."""

from __future__ import annotations

import numpy as np

from export.pages.canvas import Canvas, around
from export.pages.clutter import circle, strike_numbers, underline
from export.pages.layouts import LAYOUTS
from export.pages.sheet import Sheet
from export.pages.sources import SheetSources
from export.pages.wear import wear


def compose_sheet(rng: np.random.Generator, sources: SheetSources, only: str | None = None) -> Sheet:
    """One random sheet, of one kind where one is named. The same generator state and sources give the same sheet."""
    kinds = list(LAYOUTS)
    weights = np.array([LAYOUTS[kind][1] for kind in kinds])
    drawn = str(rng.choice(kinds, p=weights / weights.sum()))
    kind = drawn if only is None else only
    canvas = LAYOUTS[kind][0](rng, sources)
    annotate(canvas, rng)
    if kind not in ("whiteboard", "blackboard"):
        wear(canvas, sources, rng)
    return canvas.finish(rng)


def annotate(canvas: Canvas, rng: np.random.Generator) -> None:
    """Crosses numbers out, rings and underlines them, on some sheets."""
    if not canvas.numbers:
        return
    pens = list(canvas.layers)
    pen = pens[int(rng.integers(len(pens)))]
    draw = rng.random()
    if draw < 0.1 and len(canvas.numbers) > 3:
        strike_numbers(canvas, pen, rng, float(rng.uniform(0.05, 0.3)))
    elif draw < 0.2:
        for index in rng.integers(0, len(canvas.numbers), int(rng.integers(1, 4))):
            box = around([box for _, box in canvas.numbers[int(index)].digits])
            (circle if rng.random() < 0.4 else underline)(canvas, pen, box, rng)
