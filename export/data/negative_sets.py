"""Loads what is written but no digit: letters, signs and foreign scripts, without those that look like digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.data.folder import crop_to_ink, is_held_out, open_npz, shrink
from export.data.glyphs import SOURCE_SIDE_PX, GlyphSet, negatives
from export.data.lookalikes import CYRILLIC_LOOKALIKES, LATIN_LOOKALIKES, OMNIGLOT_LOOKALIKES

SYMBOLS_KEPT: Final = ("addition_plus", "division_obelus", "multiplication_cross", "multiplication_dot", "subtraction_minus")
"""A division slash is a slanted 1."""

HELD_OUT_DRAWERS: Final = (17, 18, 19, 20)
"""Omniglot has 20 drawers; these four never train."""


def load_letters(folder: Path, part: str) -> GlyphSet:
    """EMNIST letters A C F T in both cases; part is "train" or "holdout"."""
    arrays = open_npz(folder / "letters_emnist_subset" / "letters_ABCDFT.npz")
    keep = ~np.isin(arrays["labels"], LATIN_LOOKALIKES)
    return _split("letters", list(arrays["images"][keep]), part)


def load_symbols(folder: Path, part: str) -> GlyphSet:
    """Signs of arithmetic; part is "train" (their train and val) or "holdout" (their test)."""
    arrays = open_npz(folder / "mdas_symbols" / "mdas_symbols.npz")
    kept = np.isin(arrays["class_names"][arrays["labels"]], SYMBOLS_KEPT)
    held = arrays["split"] == "test"
    chosen = kept & (held if part == "holdout" else ~held)
    return negatives(f"symbols_{part}", [crop_to_ink(image) for image in arrays["images"][chosen]])


def load_omniglot(folder: Path, part: str) -> GlyphSet:
    """Characters of eight alphabets; part is "train" (16 drawers) or "holdout" (4)."""
    arrays = open_npz(folder / "omniglot_small" / "omniglot_small.npz")
    shape = tuple(int(side) for side in arrays["shape"])
    ink = (np.unpackbits(arrays["bits"])[: int(np.prod(shape))].reshape(shape) * 255).astype(np.uint8)
    names = np.char.add(np.char.add(arrays["alphabet"], "/"), arrays["character"])
    held = np.isin(arrays["drawer"], HELD_OUT_DRAWERS)
    chosen = ~np.isin(names, OMNIGLOT_LOOKALIKES) & (held if part == "holdout" else ~held)
    return negatives(f"omniglot_{part}", [shrink(crop_to_ink(image), SOURCE_SIDE_PX) for image in ink[chosen]])


def load_cyrillic(folder: Path, part: str) -> GlyphSet:
    """Kazakh Cyrillic letters; part is "train" or "holdout"."""
    arrays = open_npz(folder / "cyrillic_letters" / "cyrillic64.npz")
    keep = ~np.isin(arrays["labels"], CYRILLIC_LOOKALIKES)
    return _split("cyrillic", list(255 - arrays["images"][keep]), part)


def _split(name: str, glyphs: list[NDArray[np.uint8]], part: str) -> GlyphSet:
    chosen = [glyph for glyph in glyphs if is_held_out(glyph) == (part == "holdout")]
    return negatives(f"{name}_{part}", [shrink(crop_to_ink(glyph), SOURCE_SIDE_PX) for glyph in chosen])


NEGATIVE_SETS: Final[dict[str, Callable[[Path, str], GlyphSet]]] = {
    "letters_emnist_subset": load_letters,
    "mdas_symbols": load_symbols,
    "omniglot_small": load_omniglot,
    "cyrillic_letters": load_cyrillic,
}
"""Folder name -> loader(folder, part); a folder that is absent is skipped."""
