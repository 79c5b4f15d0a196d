"""The kinds of sheets and how often each is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from export.pages.boxed_sheets import boxed
from export.pages.canvas import Canvas
from export.pages.plain_sheets import grid, plain, ruled
from export.pages.sources import SheetSources

LAYOUTS: Final[dict[str, tuple[Callable[[np.random.Generator, SheetSources], Canvas], float]]] = {
    "plain": (plain, 0.3),
    "ruled": (ruled, 0.14),
    "grid": (grid, 0.12),
    "boxed": (boxed, 0.1),
}
"""Kind -> (layout, how often)."""
