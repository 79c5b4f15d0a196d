"""The noun of the data room: a set of glyphs with labels, as every loader gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.weights import NOT_ONE_DIGIT

Glyph = NDArray[np.uint8]

SOURCE_SIDE_PX: Final = 56
"""Longest side to which large source pictures are brought down once: enough for every pen, small enough to be fast."""


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """Glyphs of one origin.

    glyphs : uint8 (h, w) each, ink up to 255, paper 0, in their native resolution.
    labels : uint8 (n,), 0..9, or 10 for "not one digit".
    """

    name: str
    glyphs: Sequence[Glyph]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if len(self.glyphs) != len(self.labels):
            raise ValueError(f"set {self.name}: {len(self.glyphs)} glyphs but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, keep: NDArray[np.bool_], name: str | None = None) -> GlyphSet:
        """The glyphs for which keep, bool (n,), is true."""
        return GlyphSet(name or self.name, [self.glyphs[i] for i in np.flatnonzero(keep)], self.labels[keep])


def negatives(name: str, glyphs: Sequence[Glyph]) -> GlyphSet:
    """A set of glyphs that are not one digit."""
    return GlyphSet(name, glyphs, np.full(len(glyphs), NOT_ONE_DIGIT, np.uint8))
