"""Values that never fall from sheet to sheet: which are doubted, why, and what a person's word changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_digits.batch.sheet_order import SheetOrder
from edge_digits.batch.tables import write_table
from edge_digits.cli import main
from tests.forms.sheets import SMALL, filled_sheet, write_template


def sheet(source: str, *, page: int = 1, **values: str | None) -> dict[str, Any]:
    """The entry of a sheet of meters; fields that are not named are empty."""
    found = {"meter": "", "start": "", "end": "", **values}
    fields = [{"name": name, "text": text or "", "value": text, "doubtful": text is None, "reasons": []} for name, text in found.items()]
    numbers = [
        {"name": name, "text": text, "value": text, "confidence": 0.9, "box": [0, 0, 9, 9], "digits": [], "rule": {"name": "integer"}}
        for name, text in found.items()
        if text
    ]
    checks = [{"never_falls": ["start", "end"], "for_each": "meter"}]
    return {
        "source": source,
        "page": page,
        "width": 9,
        "height": 9,
        "lines": [{"text": each["text"], "box": [0, 0, 9, 9], "numbers": [each]} for each in numbers],
        "form": {"template": "meters", "fields": fields, "over_sheets": checks},
    }


def reasons(entries: list[dict[str, Any]]) -> list[dict[str, str]]:
    """For each entry the fields that the others cast doubt on, and why."""
    order = SheetOrder(entries)
    found = [order.doubted(index, entry) for index, entry in enumerate(entries)]
    return [
        {field["name"]: "; ".join(field["reasons"]) for field in entry.get("form", {}).get("fields", ()) if field["reasons"]}
        for entry in found
    ]


def test_both_sheets_of_a_fall_are_doubted_and_told_why() -> None:
    pile = [sheet("a", meter="1", start="7", end="12"), sheet("b", meter="1", start="90"), sheet("c", meter="1", start="30", end="31")]
    assert reasons(pile) == [{}, {"start": "is above 30 of c"}, {"start": "falls from 90 of b"}]
    order = SheetOrder(pile)
    fallen = order.doubted(2, pile[2])
    assert [(field["value"], field["doubtful"]) for field in fallen["form"]["fields"]] == [("1", False), (None, True), ("31", False)]
    assert [line["numbers"][0]["value"] for line in fallen["lines"]] == ["1", None, "31"]
    assert pile[2]["form"]["fields"][1]["value"] == "30"  # what was read stays what was read


def test_what_is_empty_doubtful_failed_or_of_another_meter_is_passed_over() -> None:
    failed = {"source": "f", "error": {"type": "InputError", "message": "f: cannot be read"}}
    pile = [
        failed,
        sheet("a", meter="1", start="50"),
        sheet("b", meter="2", start="7"),
        sheet("c", meter="1"),
        sheet("d", meter=None, start="1"),
        sheet("e", meter="1", start=None, end="50"),
        failed,
        sheet("g", page=3, meter="1", end="49.5"),
    ]
    assert reasons(pile) == [{}, {}, {}, {}, {}, {"end": "is above 49.5 of g, page 3"}, {}, {"end": "falls from 50 of e"}]


def test_within_one_sheet_the_sheet_itself_tells() -> None:
    assert reasons([sheet("a", meter="1", start="9", end="8"), sheet("b", meter="1", start="8")]) == [{}, {}]


def test_what_a_person_said_counts_and_is_not_doubted() -> None:
    pile = [sheet("a", meter="1", start="90"), sheet("b", meter="1", start="30")]
    pile[1]["lines"][1]["numbers"][0]["was_box"] = [0, 0, 9, 9]
    assert reasons(pile) == [{"start": "is above 30 of b"}, {}]


@pytest.mark.parametrize("entries", [[], [{"source": "a", "page": 1, "lines": []}]])
def test_piles_without_such_a_check(entries: list[dict[str, Any]]) -> None:
    assert reasons(entries) == [{} for _ in entries]


METER = SMALL + "  - {never_falls: total, over_sheets: true}\n"


def test_a_pile_that_falls_is_told_in_the_table(tmp_path: Path) -> None:
    import csv

    import cv2

    from edge_digits.forms.template_file import load_template

    pytest.importorskip("yaml")
    form = write_template(tmp_path, METER.replace("  - {sum: count, equals: total}\n", ""))
    scans, out = tmp_path / "scans", tmp_path / "t.csv"
    scans.mkdir()
    for name, total in (("1", "  357"), ("2", "  257"), ("10", "  357")):
        cv2.imwrite(str(scans / f"{name}.png"), filled_sheet(load_template(form), {"date": "03042021", "total": total}))
    assert main(["batch", str(scans), "--out", str(out), "--template", str(form), "--workers", "2"]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        told = [(Path(row["source"]).stem, row["total"], row["doubtful"]) for row in csv.DictReader(file)]
    first, second = (f"{scans / name}.png" for name in "12")
    assert told == [("1", "357", f"total: is above 257 of {second}"), ("2", "257", f"total: falls from 357 of {first}"), ("10", "357", "")]


def test_a_table_of_such_a_pile_of_any_format(tmp_path: Path) -> None:
    pile = [sheet("a", meter="1", start="90"), sheet("b", meter="1", start="30")]
    order = SheetOrder(pile)
    write_table(tmp_path / "t.csv", "csv", [order.doubted(index, entry) for index, entry in enumerate(pile)])
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["a,1,1,90,,start: is above 30 of b,", "b,1,1,30,,start: falls from 90 of a,"]
