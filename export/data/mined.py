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
    shapes = arrays["shapes"].astype(np.int64)
    ends = np.cumsum(shapes.prod(axis=1))
    pieces = np.split(arrays["pixels"].astype(np.uint8), ends[:-1])
    return negatives("mined", [piece.reshape(tuple(shape)) for piece, shape in zip(pieces, shapes, strict=True)])
