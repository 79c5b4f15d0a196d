"""What really stands on a set of pages, as a careful person wrote it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_digits.errors import UsageError


@dataclass(frozen=True, slots=True)
class PageTruth:
    """One page's transcription.

    name : file name in the folder of pages. lines : as written, "?" for a digit that a careful reader cannot make out.
    kind, difficulty, group, half : words to report by, None where the file gives none.
    layout : "lines", or another word (scattered, table, form) where the order of numbers is nobody's guess.
    grouping_clear : whether the gaps between numbers are beyond doubt.
    label_digits : printed digits beside the writing, that may be read or left out at no cost.
    written : the same lines with the signs between the digits, where the file tells them ("lines_full").
    """

    name: str
    lines: tuple[str, ...]
    kind: str | None = None
    difficulty: str | None = None
    group: str | None = None
    half: str | None = None
    layout: str = "lines"
    grouping_clear: bool = True
    label_digits: str | None = None
    written: tuple[str, ...] | None = None


def load_truth(path: Path) -> list[PageTruth]:
    """Read a truth file, {"name.jpg": {"lines": ["0123 45", ...], "kind": ..., ...}}; pages in order of their names.

    Raises UsageError when it cannot be read, is no such JSON, or names no page.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f'{path}: truth cannot be read ({error}); give a JSON file, {{"page.jpg": {{"lines": ["012"]}}}}') from error
    if not isinstance(entries, dict) or not entries:
        raise UsageError(f'{path}: truth names no page; give {{"page.jpg": {{"lines": ["012"]}}}}')
    return [_page(path, name, entry) for name, entry in sorted(entries.items())]


def _page(path: Path, name: str, entry: Any) -> PageTruth:
    lines = entry.get("lines") if isinstance(entry, dict) else None
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise UsageError(f"{path}: page '{name}' has no \"lines\"; give a list of strings, empty for a page without digits")
    written = entry.get("lines_full")
    return PageTruth(
        name=name,
        lines=tuple(lines),
        kind=entry.get("kind"),
        difficulty=entry.get("difficulty"),
        group=entry.get("set", "pages"),
        half=entry.get("half"),
        layout=entry.get("layout", "lines"),
        grouping_clear=entry.get("grouping", "clear") == "clear",
        label_digits=entry.get("label_digits") or None,
        written=tuple(map(str, written)) if isinstance(written, list) and len(written) == len(lines) else None,
    )
