"""Digits cut from photographed sheets, as `python -m export.cut_sheet` stores them: a folder of folders 0 to 9."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_digits.personal.samples import find_samples, read_samples, require_some
from export.data.glyphs import GlyphSet


def load_sheets(folder: Path) -> GlyphSet:
    """The digits of a folder of pictures by digit; of one with train/ and test/ the first alone.

    Raises UsageError for another layout, InputError when no picture holds a digit.
    """
    samples = read_samples(find_samples(folder))
    require_some(samples, folder)
    return GlyphSet("sheets", list(samples.glyphs), samples.labels.astype(np.uint8))
