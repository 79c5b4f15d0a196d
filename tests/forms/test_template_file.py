"""Templates: what a file says becomes fields; every mistake is one line with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_digits.errors import UsageError
from edge_digits.forms.checks import NeverFalls
from edge_digits.forms.template_file import load_template
from tests.forms.sheets import SMALL, write_template

TOML = """
name = "small"
page = "a5"
[[fields]]
name = "count"
box = [20, 50, 28, 8]
cells = 4
rows = 3
pitch = 12
"""


def test_fields_columns_and_checks(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    template = load_template(write_template(tmp_path))
    assert [field.name for field in template.fields] == ["date", "count_1", "count_2", "count_3", "weight", "total", "number"]
    assert template.size == (148.0, 210.0)
    date, second = template.field("date"), template.field("count_2")
    assert len(date.cells) == 8
    assert date.cells[2][0] > date.cells[1][0] + date.cells[1][2]  # room for the printed sign
    assert second.box == (20.0, 62.0, 28.0, 8.0)
    assert second.column == "count"
    assert template.checks[0].fields == ("count_1", "count_2", "count_3", "total")


def test_what_never_falls_from_sheet_to_sheet(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    text = SMALL.replace("sum: count, equals: total", "never_falls: total, over_sheets: true, for_each: number")
    assert load_template(write_template(tmp_path, text)).checks[0] == NeverFalls(("total",), over_sheets=True, for_each="number")


def test_toml_says_the_same(tmp_path: Path) -> None:
    template = load_template(write_template(tmp_path, TOML, "form.toml"))
    assert [field.box[1] for field in template.fields] == [50.0, 62.0, 74.0]


def test_fingerprint_follows_places_and_not_words(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    first = load_template(write_template(tmp_path)).fingerprint
    assert load_template(write_template(tmp_path, SMALL.replace("title: Meter", "title: Other"))).fingerprint == first
    assert load_template(write_template(tmp_path, SMALL.replace("[20, 95, 35, 8]", "[21, 95, 35, 8]"))).fingerprint != first


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("page: a5", "page: a99", "page is 'a99'"),
        ("rows: 3", "rows: 0", "rows is 0"),
        ("cells: 4,", "cells: -1,", "cells is -1"),
        ("cells: 4,", "cells: 99,", "cells is 99"),
        ('"###.##"', '"abc"', "cells is 'abc'"),
        ("[60, 50, 40, 8]", "[60, 50, 40]", "give 4 numbers"),
        ("[60, 50, 40, 8]", "[140, 50, 40, 8]", "leaves the page"),
        ("[60, 50, 40, 8]", "[30, 50, 40, 8]", "lies over field"),
        ("[60, 50, 40, 8]", "[125, 5, 20, 8]", "the marker in corner 2"),
        ("[60, 50, 40, 8]", "[60, 50, 9, 8]", "nobody writes into less"),
        ("name: weight", "name: total", "is there twice"),
        ("name: weight", "name: page", "that of another column"),
        ('"date:dmy"', '"date:xyz"', "'date:xyz'"),
        ("luhn", "crc", "check_digit is 'crc'"),
        ("equals: total", "equals: sum", "'sum'"),
        ("sum: count", "sum: counts", "no field or column 'counts'"),
        ("sum: count, equals: total", "never_falls: total", "names one field"),
        ("sum: count, equals: total", "never_falls: total, over_sheets: 1", "over_sheets is 1"),
        ("sum: count, equals: total", "never_falls: count, for_each: number", "for_each goes with over_sheets"),
        ("sum: count, equals: total", "never_falls: total, over_sheets: true, for_each: count", "for_each is 'count'"),
        ("required: true", "needed: true", "unknown key 'needed'"),
        ("title: Meter", "titel: Meter", "unknown key 'titel'"),
        ("title: Meter", "doubt_below: 2", "doubt_below is 2"),
        ("name: small", "name: [", "is no YAML"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    pytest.importorskip("yaml")
    assert old in SMALL
    path = write_template(tmp_path, SMALL.replace(old, new))
    with pytest.raises(UsageError) as raised:
        load_template(path)
    assert told in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content"), [("form.yaml", ""), ("form.yaml", "- 1"), ("form.txt", SMALL), ("form.toml", "a ="), ("form.yaml", None)]
)
def test_what_is_no_template(tmp_path: Path, name: str, content: str | None) -> None:
    path = tmp_path / name if content is None else write_template(tmp_path, content, name)
    with pytest.raises(UsageError):
        load_template(path)
