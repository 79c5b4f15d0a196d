"""Rows of a table: one a number, one for a page without numbers, one for a file that failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

COLUMNS: Final = ("source", "page", "line", "number", "text", "value", "confidence", "x", "y", "width", "height", "error")
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is calculated, not shown, by spreadsheets."""

Cell = str | int | float | None
Row = tuple[Cell, ...]


def rows_of(entry: Mapping[str, Any]) -> Iterator[Row]:
    """Rows of one page's or one failure's JSON object, a cell a column of COLUMNS; None where there is nothing to say."""
    source = safe_source(entry["source"])
    if "error" in entry:
        yield (source, entry.get("page"), *[None] * 9, f"{entry['error']['type']}: {entry['error']['message']}")
        return
    found = False
    for line, content in enumerate(entry["lines"], 1):
        for index, number in enumerate(content["numbers"], 1):
            found = True
            yield (source, entry["page"], line, index, number["text"], number["value"], number["confidence"], *number["box"], None)
    if not found:
        yield (source, entry["page"], *[None] * 10)


def safe_source(source: str) -> str:
    """The name as a spreadsheet shows it and the file system still finds it: "=1.jpg" becomes "./=1.jpg"."""
    return f"./{source}" if source.startswith(FORMULA_SIGNS) else source
