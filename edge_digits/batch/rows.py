"""Rows of a table: one a number, one for a page without numbers, one for what failed; or one a sheet, where forms are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

COLUMNS: Final = ("source", "page", "line", "number", "text", "value", "confidence", "x", "y", "width", "height", "error")
SHEET_COLUMNS: Final = ("source", "page"), ("doubtful", "error")
"""Of the row of a sheet, before and after its fields."""
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is calculated, not shown, by spreadsheets."""
SURE_CONFIDENCE: Final = 0.95
"""As the annotated picture colours digits; here of the whole number."""

Cell = str | int | float | None
Row = tuple[Cell, ...]


def columns_and_rows(entries: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The columns of a table and its rows: one a number, or one a sheet where the batch read forms."""
    iterator = iter(entries)
    waiting: list[Mapping[str, Any]] = []
    for entry in iterator:
        waiting.append(entry)
        if "error" not in entry:
            break
    every = chain(waiting, iterator)
    if waiting and "form" in waiting[-1]:
        columns = form_columns(waiting[-1])
        return columns, (form_row(entry, columns) for entry in every)
    return COLUMNS, (row for entry in every for row in rows_of(entry))


def rows_of(entry: Mapping[str, Any]) -> Iterator[Row]:
    """Rows of one page's or one failure's JSON object, a cell a column of COLUMNS; None where there is nothing to say."""
    source = safe_source(entry["source"])
    if "error" in entry:
        yield (source, entry.get("page"), *[None] * 9, _told(entry))
        return
    found = False
    for line, content in enumerate(entry["lines"], 1):
        for index, number in enumerate(content["numbers"], 1):
            found = True
            yield (source, entry["page"], line, index, number["text"], number["value"], number["confidence"], *number["box"], None)
    if not found:
        yield (source, entry["page"], *[None] * 10)


def is_doubtful(number: Mapping[str, Any]) -> bool:
    """Whether a person should look at a number. One of a form says so itself: it has no value."""
    return number["value"] is None or ("name" not in number and number["confidence"] < SURE_CONFIDENCE)


def form_columns(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of a table of sheets. entry : of one page with a form."""
    before, after = SHEET_COLUMNS
    return (*before, *(field["name"] for field in entry["form"]["fields"]), *after)


def form_row(entry: Mapping[str, Any], columns: Sequence[str]) -> Row:
    """The row of one sheet: each field's value, or its text with "?" where it is doubtful; then which are doubtful, and the error.

    A doubtful field without an unsure digit (a check that fails, a gap) stands as it was read: "doubtful" names it.
    """
    if "error" in entry:
        return (safe_source(entry["source"]), entry.get("page"), *[None] * (len(columns) - 3), _told(entry))
    fields = entry["form"]["fields"]
    values = [field["value"] if field["value"] is not None else field["text"] or None for field in fields]
    doubts = "; ".join(f"{field['name']}: {', '.join(field['reasons'])}" for field in fields if field["doubtful"])
    return (safe_source(entry["source"]), entry["page"], *values, doubts or None, None)


def _told(entry: Mapping[str, Any]) -> str:
    return f"{entry['error']['type']}: {entry['error']['message']}"


def safe_source(source: str) -> str:
    """The name as a spreadsheet shows it and the file system still finds it: "=1.jpg" becomes "./=1.jpg"."""
    return f"./{source}" if source.startswith(FORMULA_SIGNS) else source
