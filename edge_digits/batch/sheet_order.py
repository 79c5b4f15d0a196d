"""Values that never fall from sheet to sheet of a pile, such as a meter's: two of which the later is smaller are both doubtful.

Which of the two was read wrongly, or written wrongly, nobody can tell from the pile. The order is that of the table,
whatever order the workers read in. A value that a person gave in a review counts, and is not doubted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from edge_digits.forms.checks import number

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Known:
    """A value of the pile. sheet : index of its entry. name : of its field. where : the sheet, as a person calls it."""

    value: Decimal
    sheet: int
    name: str
    where: str
    by_person: bool


class SheetOrder:
    """What falls in a pile. Built from all entries in the order of the table, then given each of them again with its index."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """entries : with the corrections that somebody made. No more of them are taken than up to the first sheet without such a check."""
        self._doubts: dict[int, dict[str, list[str]]] = {}
        last: dict[tuple[int, str], _Known] = {}
        for index, entry in enumerate(entries):
            if "error" in entry:
                continue
            checks = entry.get("form", {}).get("over_sheets", ())
            if not checks:
                return
            for place, check in enumerate(checks):
                self._follow(index, entry, check, last, place)

    def doubted(self, index: int, entry: Entry) -> Entry:
        """The entry of this index with the doubts that the others cast on it."""
        doubts = self._doubts.get(index)
        if doubts is None:
            return entry
        fields = [_doubted_field(field, doubts.get(field["name"], ())) for field in entry["form"]["fields"]]
        lines = [{**line, "numbers": [_doubted_number(each, doubts) for each in line["numbers"]]} for line in entry["lines"]]
        return {**entry, "lines": lines, "form": {**entry["form"], "fields": fields}}

    def _follow(self, index: int, entry: Entry, check: Mapping[str, Any], last: dict[tuple[int, str], _Known], place: int) -> None:
        fields = {field["name"]: field for field in entry["form"]["fields"]}
        which = fields[check["for_each"]]["value"] if check["for_each"] else "all"
        if not which:
            return
        where = f"{entry['source']}, page {entry['page']}" if entry["page"] > 1 else entry["source"]
        looked_at = {each.get("name") for line in entry["lines"] for each in line["numbers"] if "was_box" in each}
        for name in check["never_falls"]:
            value = number(fields[name]["value"] or "")
            if value is None:
                continue
            own, before = _Known(value, index, name, where, name in looked_at), last.get((place, which))
            if before is not None and before.sheet != index and value < before.value:
                self._doubt(before, f"is above {value} of {where}")
                self._doubt(own, f"falls from {before.value} of {before.where}")
            last[place, which] = own

    def _doubt(self, known: _Known, reason: str) -> None:
        if not known.by_person:
            self._doubts.setdefault(known.sheet, {}).setdefault(known.name, []).append(reason)


def _doubted_field(field: Mapping[str, Any], reasons: Iterable[str]) -> Mapping[str, Any]:
    told = [*field["reasons"], *reasons]
    return {**field, "value": None, "doubtful": True, "reasons": told} if len(told) > len(field["reasons"]) else field


def _doubted_number(each: Mapping[str, Any], doubts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**each, "value": None, "rule": {**each["rule"], "fits": False}} if each.get("name") in doubts else each
