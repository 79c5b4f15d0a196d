"""Digits as they are taught at school, for hands that write as evenly as print: bows and straight lines, no trace of a scanned original."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.signs import Points, arc, stroked
from export.pages.strokes import TracedSign

UNLIKE: Final = 0.025
"""How far a hand's points lie from the copybook's, in heights."""


def school_digit(value: int, rng: np.random.Generator) -> TracedSign:
    """One hand's shape of a digit; 0..1 is its height."""
    strokes = _copybook(value, float(rng.uniform(0.8, 1.15)), bool(rng.random() < 0.5), float(rng.uniform(-0.04, 0.04)))
    moved = []
    for points in strokes:
        ends = rng.normal(0, UNLIKE, (2, 2))
        along = np.linspace(0, 1, len(points))[:, None]
        moved.append([(float(x), float(y)) for x, y in np.array(points) + ends[0] * (1 - along) + ends[1] * along])
    return stroked(tuple(moved))


def _copybook(value: int, wide: float, other: bool, lower: float) -> tuple[Points, ...]:
    """wide : against the usual width. other : the rarer of two shapes. lower : how much further down the waist lies."""
    waist = 0.47 + lower
    shapes: dict[int, tuple[Points, ...]] = {
        0: (arc(0.28, 0.5, 0.27, 0.5, -80 if other else -95, 275),),
        1: ([(0.04, 0.3), (0.28, 0.0), (0.26, 1.0)],) if other else ([(0.3, 0.0), (0.24, 1.0)],),
        2: ([*arc(0.28, 0.27, 0.25, 0.27, 195, 395), (0.03, 0.98), (0.56, 0.96)],),
        3: (
            ([(0.05, 0.02), (0.5, 0.03), (0.22, waist - 0.06), *arc(0.24, 0.7, 0.28, 0.3, -80, 150)],)
            if other
            else ([*arc(0.26, 0.24, 0.24, 0.24, 200, 440), *arc(0.26, 0.73, 0.28, 0.27, -80, 160)],)
        ),
        4: (
            ([(0.4, 0.0), (0.0, 0.64), (0.56, 0.64)], [(0.4, 0.0), (0.4, 1.0)])
            if other
            else ([(0.14, 0.02), (0.04, 0.58 + lower), (0.56, 0.55 + lower)], [(0.45, 0.12), (0.4, 1.0)])
        ),
        5: ([(0.52, 0.02), (0.13, 0.03), (0.1, waist - 0.05), *arc(0.22, 0.69, 0.29, 0.3, -100, 145)],),
        6: ([*arc(0.62, 0.72, 0.6, 0.72, 265, 200), *arc(0.29, 0.7, 0.25, 0.29, 170, 540)],),
        7: ([(0.02, 0.05), (0.54, 0.03), (0.18, 1.0)],),
        8: ([*arc(0.28, 0.24, 0.21, 0.24, -60, -270), *arc(0.28, 0.74, 0.26, 0.26, -90, 270), *arc(0.28, 0.24, 0.21, 0.24, 90, -60)],),
        9: ([*arc(0.28, 0.27, 0.24, 0.27, 0, -350), (0.5, 0.3), (0.44 if other else 0.34, 1.0)],),
    }
    return tuple([(x * wide, y) for x, y in points] for points in shapes[value])
