"""The nouns of a written sheet: what it shows, where each digit's ink lies, and what stands there that is no digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""x, y, w, h in pixels, origin at the picture's top left corner."""

SHEET_KINDS: Final = (
    "plain",
    "ruled",
    "grid",
    "boxed",
    "form",
    "table",
    "cheque",
    "receipt",
    "whiteboard",
    "blackboard",
    "printed",
    "text",
    "negative",
    "letters",
)


@dataclass(frozen=True, slots=True)
class WrittenDigit:
    """One handwritten digit.

    digit : 0..9. box : of its ink, in pixels of the sheet.
    line : index of its line on the page; number : index of its number within the line; both in reading order.
    """

    digit: int
    box: Box
    line: int
    number: int


@dataclass(frozen=True, slots=True)
class Clutter:
    """Ink or print that is no digit.

    kind : "letter", "word", "printed", "sign", "struck out", "stamp", "stain", "signature", ... box : in pixels of the sheet.
    """

    kind: str
    box: Box


@dataclass(frozen=True, slots=True)
class Sheet:
    """A flat sheet as a scanner would see it, evenly lit.

    picture : uint8 (h, w, 3) BGR. kind : one of SHEET_KINDS.
    lines : the text of each line as written, signs included: "12.50", "03/04/2021", "-7 8".
    written : uint8 (h, w), how far a pen covers each pixel; print, rules and stains are 0. None where nobody noted it.
    """

    picture: NDArray[np.uint8]
    digits: tuple[WrittenDigit, ...]
    clutter: tuple[Clutter, ...]
    kind: str
    lines: tuple[str, ...]
    written: NDArray[np.uint8] | None = None
