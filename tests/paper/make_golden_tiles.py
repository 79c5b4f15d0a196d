"""Writes golden_tiles.npz anew: `python -m tests.paper.make_golden_tiles`, after a change of the rule that was meant.

Pairs `glyph_<name>` (uint8, ink 255) and `tile_<name>` (uint8 28x28), for tile rules written in other languages.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_digits.paper.tiles import make_tile
from tests.strokes import draw_digit


def main() -> None:
    """Ten digits with a usual pen, and the glyphs on which tile rules differ."""
    glyphs = {f"digit_{digit}": draw_digit(digit, 64, 7) for digit in range(10)}
    glyphs |= {f"hairline_{digit}": draw_digit(digit, 90, 1) for digit in (1, 4, 8)}
    glyphs |= {"small": draw_digit(3, 12, 2), "marker": draw_digit(8, 60, 14), "faint": draw_digit(5, 50, 5) // 5}
    glyphs["veiled"] = np.maximum(draw_digit(2, 50, 6), np.uint8(12))
    glyphs["padded"] = np.pad(draw_digit(9, 40, 5), ((3, 17), (22, 1)))
    glyphs["bar_flat"] = np.full((3, 70), 255, np.uint8)
    glyphs["bar_tall"] = np.full((70, 3), 200, np.uint8)
    glyphs["dot"] = np.full((1, 1), 255, np.uint8)
    glyphs["empty"] = np.zeros((9, 5), np.uint8)
    arrays = {f"glyph_{name}": glyph for name, glyph in glyphs.items()}
    arrays |= {f"tile_{name}": make_tile(glyph) for name, glyph in glyphs.items()}
    np.savez_compressed(Path(__file__).with_name("golden_tiles.npz"), **arrays)


if __name__ == "__main__":
    main()
