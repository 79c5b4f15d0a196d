"""What `watch` prints: JSON lines, CSV rows or plain text, each line as soon as it is known."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from typing import Any, Final

FORMATS: Final = ("json", "csv", "text")
COLUMNS: Final = (
    "event",
    "id",
    "text",
    "value",
    "confidence",
    "was",
    "x",
    "y",
    "width",
    "height",
    "frame",
    "time_s",
    "at",
    "source",
    "crop",
)

Entry = dict[str, Any]


def line_writer(format_name: str, *, whole_pages: bool) -> Callable[[Entry], None]:
    """A function that prints the JSON objects of `live.watcher.entries` in one of FORMATS.

    whole_pages : text tells settled pages, as `read` prints them, in place of single numbers.
    """
    if format_name == "csv":
        _print(_csv(COLUMNS))
        return lambda entry: _print(csv_row(entry))
    if format_name == "text":
        return lambda entry: _print(text_of(entry, whole_pages=whole_pages))
    return lambda entry: _print(json.dumps(entry, ensure_ascii=False) + "\n")


def csv_row(entry: Entry) -> str:
    """The row of one number's event, with its line end; "" for a page, whose numbers have rows of their own."""
    if entry["event"] == "page":
        return ""
    number = entry["number"]
    flat = {**entry, **number, **dict(zip(("x", "y", "width", "height"), number["box"], strict=True))}
    return _csv(["" if flat.get(name) is None else flat[name] for name in COLUMNS])


def text_of(entry: Entry, *, whole_pages: bool) -> str:
    """One event in words a person reads, with its line end; "" for what is not told."""
    if whole_pages or entry["event"] == "page":
        lines = [line["text"] for line in entry.get("lines", [])]
        return "\n".join([*lines, ""]) if whole_pages and entry["event"] == "page" else ""
    number = entry["number"]
    if entry["event"] == "settled":
        return f"{number['text']}\n"
    return f"{entry['event']} {entry['was']} -> {number['text']}\n" if "was" in entry else f"{entry['event']} {number['text']}\n"


def _csv(row: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def _print(text: str) -> None:
    if text:
        sys.stdout.write(text)
        sys.stdout.flush()
