"""Composes a sheet: paper of one kind, a writer or two, numbers, and what stands between them."""

from __future__ import annotations

import numpy as np

from export.pages.layouts import LAYOUTS
from export.pages.sheet import Sheet
from export.pages.sources import SheetSources


def compose_sheet(rng: np.random.Generator, sources: SheetSources) -> Sheet:
    """One random sheet. The same generator state and sources give the same sheet."""
    kinds = list(LAYOUTS)
    weights = np.array([LAYOUTS[kind][1] for kind in kinds])
    kind = str(rng.choice(kinds, p=weights / weights.sum()))
    return LAYOUTS[kind][0](rng, sources).finish(rng)
