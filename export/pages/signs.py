"""Signs drawn by hand that no set of bitmaps holds: strokes of + - = ( ) / . , : % and the open zeros written in one go."""

from __future__ import annotations

from typing import Final

import numpy as np

from export.pages.strokes import Stroke, TracedSign

Points = list[tuple[float, float]]


def arc(x: float, y: float, rx: float, ry: float, start_deg: float, end_deg: float) -> Points:
    """A bow of an ellipse around (x, y); 0 degrees is its right end, 90 its lowest."""
    angles = np.radians(np.linspace(start_deg, end_deg, 14))
    return [(float(x + rx * np.cos(a)), float(y + ry * np.sin(a))) for a in angles]


_DRAWN: Final[dict[str, tuple[Points, ...]]] = {
    "+": ([(0.0, 0.56), (0.5, 0.56)], [(0.25, 0.3), (0.25, 0.83)]),
    "-": ([(0.0, 0.56), (0.42, 0.56)],),
    "\u2013": ([(0.0, 0.56), (0.75, 0.56)],),
    "=": ([(0.0, 0.46), (0.5, 0.46)], [(0.0, 0.68), (0.5, 0.68)]),
    "\u00d7": ([(0.0, 0.36), (0.42, 0.8)], [(0.42, 0.36), (0.0, 0.8)]),
    "·": ([(0.0, 0.57), (0.02, 0.6)],),
    "÷": ([(0.0, 0.56), (0.5, 0.56)], [(0.25, 0.34), (0.26, 0.36)], [(0.25, 0.76), (0.26, 0.78)]),
    "/": ([(0.4, -0.05), (0.0, 1.1)],),
    "(": (arc(0.3, 0.5, 0.28, 0.66, 250, 110),),
    ")": (arc(0.0, 0.5, 0.28, 0.66, -70, 70),),
    "[": ([(0.2, -0.1), (0.0, -0.1), (0.0, 1.1), (0.2, 1.1)],),
    "]": ([(0.0, -0.1), (0.2, -0.1), (0.2, 1.1), (0.0, 1.1)],),
    ".": ([(0.0, 0.97), (0.02, 1.0)],),
    ",": ([(0.06, 0.94), (0.06, 1.02), (0.0, 1.16)],),
    "'": ([(0.03, -0.02), (0.0, 0.2)],),
    ":": ([(0.0, 0.42), (0.02, 0.45)], [(0.0, 0.9), (0.02, 0.93)]),
    ";": ([(0.04, 0.42), (0.06, 0.45)], [(0.06, 0.9), (0.06, 0.98), (0.0, 1.12)]),
    "%": ([(0.55, 0.0), (0.05, 1.0)], arc(0.1, 0.2, 0.1, 0.15, 0, 360), arc(0.5, 0.8, 0.1, 0.15, 0, 360)),
    "<": ([(0.42, 0.3), (0.0, 0.55), (0.42, 0.82)],),
    ">": ([(0.0, 0.3), (0.42, 0.55), (0.0, 0.82)],),
    "*": ([(0.15, 0.2), (0.15, 0.55)], [(0.0, 0.28), (0.3, 0.47)], [(0.3, 0.28), (0.0, 0.47)]),
    "#": ([(0.2, 0.1), (0.1, 0.95)], [(0.42, 0.1), (0.32, 0.95)], [(0.0, 0.38), (0.5, 0.38)], [(0.0, 0.68), (0.5, 0.68)]),
    "!": ([(0.0, 0.0), (0.0, 0.7)], [(0.0, 0.95), (0.01, 0.98)]),
    "?": ([*arc(0.2, 0.22, 0.2, 0.22, 180, 420), (0.2, 0.55), (0.2, 0.7)], [(0.2, 0.95), (0.21, 0.98)]),
    "€": (arc(0.4, 0.5, 0.36, 0.5, 310, 50), [(-0.06, 0.42), (0.5, 0.42)], [(-0.06, 0.6), (0.45, 0.6)]),
    "$": ([*arc(0.25, 0.28, 0.22, 0.22, 330, 90), *arc(0.25, 0.72, 0.22, 0.22, 270, 510)], [(0.25, -0.1), (0.25, 1.1)]),
    "→": ([(0.0, 0.55), (0.9, 0.55)], [(0.7, 0.4), (0.9, 0.55), (0.7, 0.7)]),
    "✓": ([(0.0, 0.55), (0.18, 0.95), (0.6, 0.05)],),
    "√": ([(0.0, 0.6), (0.12, 0.55), (0.28, 1.0), (0.5, -0.1), (1.0, -0.1)],),
    "∑": ([(0.5, 0.05), (0.0, 0.05), (0.3, 0.5), (0.0, 0.98), (0.52, 0.98)],),
    "∫": ([*arc(0.35, 0.1, 0.12, 0.2, 330, 180), (0.22, 0.9), *arc(0.1, 0.9, 0.12, 0.2, 0, 150)],),
    "\u03b1": ([(0.55, 0.35), *arc(0.22, 0.68, 0.22, 0.28, 310, 60), (0.55, 0.98)],),
    "π": ([(0.0, 0.42), (0.55, 0.4)], [(0.17, 0.42), (0.12, 0.98)], [(0.4, 0.42), (0.42, 0.98)]),
    "∧": ([(0.0, 0.9), (0.22, 0.3), (0.45, 0.9)],),
    "I": ([(0.0, 0.0), (0.0, 1.0)],),
    "|": ([(0.0, -0.1), (0.0, 1.1)],),
}

NUMBER_SIGNS: Final = frozenset("+-\u2013.,/:'%€$")
"""What stands inside or beside a number as part of it or its unit."""


def has_sign(character: str) -> bool:
    """Whether a character is drawn here."""
    return character in _DRAWN


def drawn_sign(character: str) -> TracedSign:
    """The strokes of a sign; 0..1 is the height of a digit on the same line. Raises KeyError."""
    return stroked(_DRAWN[character])


def stroked(paths: tuple[Points, ...]) -> TracedSign:
    """Paths of a pen of even width as a sign."""
    strokes = tuple(_dense(points) for points in paths)
    return TracedSign(strokes, max(float(stroke[:, 0].max()) for stroke in strokes), 2.0)


def _dense(points: Points) -> Stroke:
    at = np.array(points, np.float32)
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(at, axis=0).T))])
    along = np.linspace(0, steps[-1], max(2, round(steps[-1] / 0.06)))
    columns = [np.interp(along, steps, at[:, 0]), np.interp(along, steps, at[:, 1]), np.ones(len(along))]
    return np.column_stack(columns).astype(np.float32)


def joined_zeros(rng: np.random.Generator, count: int) -> list[TracedSign]:
    """Zeros written in one go, open at the top, each running into the next: as many signs, to be set side by side at their widths."""
    width, gap = float(rng.uniform(0.5, 0.95)), float(rng.uniform(0.05, 0.4))
    opening = float(rng.uniform(5, 60)) if rng.random() < 0.65 else float(rng.uniform(-30, 5))
    signs = []
    for index in range(count):
        rx, ry = width / 2 * rng.uniform(0.85, 1.12), 0.5 * rng.uniform(0.85, 1.0)
        start = -90 + opening * rng.uniform(0.5, 1.2) / 2 - (0 if index == 0 else 20)
        end = start - 360 + opening * rng.uniform(0.6, 1.3)
        loop = arc(width / 2, 1.0 - ry, rx, ry, start, end)
        links: tuple[Stroke, ...] = ()
        if index < count - 1:
            x, y = loop[-1]
            reach = width + gap
            middle = x + 0.3 * (reach - x), y + float(rng.uniform(-0.05, 0.1))
            links = (_dense([(x, y), middle, (reach + 0.1, y + float(rng.uniform(-0.12, 0.12)))]),)
        signs.append(TracedSign((_dense(loop),), width + gap, 2.0, links))
    return signs
