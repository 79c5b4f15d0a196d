"""What stands on generated pages, for programs: the JSON object of a page that `edge-digits read` would print, and truth.json of a scorer.

The object of a page has more than `read` prints: "clutter", what is there beside digits, with boxes; "rotate", degrees by which the
picture must be turned counter-clockwise to stand upright; "written", its lines with signs; "kind" of the sheet; "setting" of the picture.
"""

from __future__ import annotations

from typing import Any, Final

from edge_digits.reading.reading import Box, Digit, Line, Number, Reading
from export.pages import sheet as nouns
from export.pages.view import Photograph

TABLES: Final = ("table", "form", "boxed")
"""Kinds of sheets whose numbers may fairly be read in another order."""


def page_object(photo: Photograph, name: str) -> dict[str, Any]:
    """The JSON object of a page, confidence 1. name : its source."""
    h, w = photo.picture.shape[:2]
    lines: dict[int, dict[int, list[Digit]]] = {}
    for digit in photo.digits:
        lines.setdefault(digit.line, {}).setdefault(digit.number, []).append(Digit(digit.digit, 1.0, _whole(digit.box)))
    rows = tuple(Line(tuple(Number(tuple(lines[line][number])) for number in sorted(lines[line]))) for line in sorted(lines))
    reading = Reading(name, 1, w, h, rows).to_dict()
    more = {
        "clutter": [{"kind": each.kind, "box": list(_whole(each.box))} for each in photo.clutter],
        "rotate": photo.rotate,
        "written": list(photo.lines),
        "kind": photo.kind,
        "setting": photo.setting,
    }
    return reading | more


def truth_entry(page: dict[str, Any]) -> dict[str, Any]:
    """A page's entry of truth.json, from its JSON object: digits of a number joined, numbers parted by blanks."""
    lines = [" ".join("".join(str(digit["digit"]) for digit in number["digits"]) for number in line["numbers"]) for line in page["lines"]]
    entry: dict[str, Any] = {
        "lines": lines,
        "lines_full": page["written"],
        "kind": page["kind"] if lines else "negative",
        "layout": "table" if page["kind"] in TABLES else "lines",
        "grouping": "clear",
        "set": "generated",
        "group": page["setting"],
        "digits_total": sum(character.isdigit() for line in lines for character in line),
        "other_marks": ", ".join(sorted({each["kind"] for each in page["clutter"]})) or "none",
    }
    if page["rotate"]:
        entry["rotate_ccw"] = page["rotate"]
    return entry


def _whole(box: nouns.Box) -> Box:
    """The smallest box of whole pixels around a box."""
    left, top = int(box[0]), int(box[1])
    right, bottom = -int(-(box[0] + box[2]) // 1), -int(-(box[1] + box[3]) // 1)
    return left, top, right - left, bottom - top
