"""The kinds of sheets and how often each is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from export.pages.board_sheets import blackboard, whiteboard
from export.pages.boxed_sheets import boxed
from export.pages.canvas import Canvas
from export.pages.empty_sheets import negative, text
from export.pages.form_sheets import cheque, form, receipt
from export.pages.letter_sheets import letters
from export.pages.plain_sheets import grid, plain, ruled
from export.pages.printed_sheets import printed
from export.pages.sources import SheetSources
from export.pages.table_sheets import table

LAYOUTS: Final[dict[str, tuple[Callable[[np.random.Generator, SheetSources], Canvas], float]]] = {
    "plain": (plain, 0.19),
    "ruled": (ruled, 0.1),
    "grid": (grid, 0.09),
    "boxed": (boxed, 0.09),
    "form": (form, 0.07),
    "table": (table, 0.1),
    "cheque": (cheque, 0.05),
    "receipt": (receipt, 0.03),
    "whiteboard": (whiteboard, 0.05),
    "blackboard": (blackboard, 0.04),
    "printed": (printed, 0.05),
    "text": (text, 0.05),
    "negative": (negative, 0.04),
    "letters": (letters, 0.05),
}
"""Kind -> (layout, how often)."""
