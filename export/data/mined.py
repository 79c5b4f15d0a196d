"""Glyphs cut from real pages that hold text and no digits, as `python -m export.mine` stores them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from export.data.folder import DataError, open_npz
from export.data.glyphs import GlyphSet, negatives


def load_mined(path: Path) -> GlyphSet:
    """The glyphs of an npz with `pixels` (uint8, all glyphs one after the other) and `shapes` (int32 (n, 2)).

    Raises DataError.
    """
    arrays = open_npz(path)
    if "pixels" not in arrays or "shapes" not in arrays:
        raise DataError(f"{path}: not a file of mined glyphs; make one with `python -m export.mine`")
    shapes = arrays["shapes"].astype(np.int64).reshape(-1, 2)
    ends = np.cumsum(shapes.prod(axis=1))
    pixels = arrays["pixels"].astype(np.uint8)
    if pixels.size != (ends[-1] if ends.size else 0):
        raise DataError(f"{path}: {pixels.size} pixels do not fit the shapes; mine again")
    glyphs = [pixels[end - height * width : end].reshape(height, width) for (height, width), end in zip(shapes, ends, strict=True)]
    return negatives("mined", glyphs)
