"""Cards as a picture: microseconds a digit against the batch, a line a machine, provider and precision. SVG, written as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log2, log10
from typing import Final

from edge_digits.bench.cards import Card, machine_name

WIDTH: Final = 900
HEIGHT: Final = 460
LEFT: Final = 70
RIGHT: Final = 330
TOP: Final = 40
BOTTOM: Final = 50
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's palette, which colour-blind people can tell apart too."""
INTEGERS: Final = "int8"

Line = tuple[str, str, list[tuple[int, float]]]
"""Name, precision, points of batch and microseconds a digit."""


def svg(cards: Sequence[Card]) -> str:
    """The picture. Both axes are logarithmic; int8 is drawn solid, float dashed. Raises ValueError without any tiles measured."""
    lines = [line for card in cards for line in _lines(card)]
    if not lines:
        raise ValueError("no card holds measured tiles")
    batches = [batch for _, _, points in lines for batch, _ in points]
    micros = [value for _, _, points in lines for _, value in points]
    right, low, high = max(1, log2(max(batches))), floor(log10(min(micros))), ceil(log10(max(micros)) + 1e-9)

    def x(batch: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * log2(batch) / right

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - log10(value)) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">']
    parts += [
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="22">microseconds a digit against digits at once</text>',
    ]
    for power in range(low, high + 1):
        parts.append(f'<path d="M{LEFT} {y(10**power):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(10**power) + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for batch in sorted(set(batches)):
        parts.append(f'<text x="{x(batch):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{batch}</text>')
    for index, (name, precision, points) in enumerate(lines):
        colour = COLOURS[index % len(COLOURS)]
        dash = "" if precision == INTEGERS else ' stroke-dasharray="6 4"'
        path = "M" + "L".join(f"{x(batch):.1f} {y(value):.1f}" for batch, value in points)
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        legend = TOP + 20 * index
        parts.append(f'<path d="M{WIDTH - RIGHT + 20} {legend}h30" stroke="{colour}" stroke-width="2"{dash}/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 58}" y="{legend + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _lines(card: Card) -> Iterator[Line]:
    cases = dict.fromkeys((entry["precision"], entry["provider"], entry["threads"]) for entry in card["tiles"])
    for precision, provider, threads in cases:
        if threads not in (1, max(case[2] for case in cases)):
            continue
        same = [e for e in card["tiles"] if (e["precision"], e["provider"], e["threads"]) == (precision, provider, threads)]
        what = f"{precision}, {provider.removesuffix('ExecutionProvider')}, {threads} thr"
        yield f"{machine_name(card)}: {what}", precision, sorted((entry["batch"], entry["us_per_digit"]) for entry in same)
