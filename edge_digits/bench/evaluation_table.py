"""The result of `edge-digits evaluate` as a table for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

from edge_digits.bench import naming, peer_comparison, tables


def print_result(result: Mapping[str, Any], out: TextIO) -> None:
    """Figures by group, other systems' below ours; mistakes by cause; what was named; times."""
    figures: Mapping[str, Mapping[str, float | None]] = result["figures"]
    columns = list(next(iter(figures.values())))
    rows: list[list[str | None]] = [["", *(name.replace("_", " ") for name in columns)]]
    for key, entry in figures.items():
        rows.append([key, *(_figure(entry[name]) for name in columns)])
        rows += [[f"  {peer}", *(_figure(theirs["figures"][key][name]) for name in columns)] for peer, theirs in result["peers"].items()]
    tables.print_table(rows, out)
    causes = ", ".join(f"{count} {cause}" for cause, count in result["mistakes"].items())
    print(f"\nmistakes: {causes}", file=out)
    naming.print_naming(result["naming"], out)
    if result["ms"]:
        page, threads = result["ms"]["page"], result["threads"] or "default"
        print(f"\nms a page: p50 {page['p50']:.1f}, p95 {page['p95']:.1f} ({page['count']} pages, threads: {threads})", file=out)
    peer_comparison.print_times(result["peers"], out)
    model = result["model"]
    print(f"model {model['name']} {model['precision']} {model['sha256'][:12]}, {result['provider']}, {result['machine']['cpu']}", file=out)


def _figure(value: float | None) -> str | None:
    return f"{value:.4f}" if isinstance(value, float) else None if value is None else str(value)
