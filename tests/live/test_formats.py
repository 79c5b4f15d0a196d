"""What is printed: JSON lines, CSV and text of the same events."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from edge_digits.live.formats import COLUMNS, csv_row, line_writer, text_of

NUMBER = {"id": 3, "text": "4,5", "value": "4.5", "confidence": 0.97, "box": [10, 20, 30, 40], "digits": [], "votes": 4, "frames": 5}
SETTLED: dict[str, Any] = {
    "event": "settled",
    "source": "0",
    "frame": 7,
    "time_s": 0.3,
    "at": "2026-01-01T00:00:00+00:00",
    "number": NUMBER,
}
CHANGED = {**SETTLED, "event": "changed", "was": "4,6"}
REMOVED = {**SETTLED, "event": "removed"}
PAGE = {"event": "page", "lines": [{"text": "4,5 7", "numbers": []}, {"text": "9", "numbers": []}]}
EMPTY = {"event": "page", "lines": []}


def printed(capsys: pytest.CaptureFixture[str], name: str, *entries: dict[str, Any], whole_pages: bool = False) -> str:
    write = line_writer(name, whole_pages=whole_pages)
    for entry in entries:
        write(entry)
    return capsys.readouterr().out


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "json", SETTLED, PAGE)
    assert [json.loads(line) for line in out.splitlines()] == [SETTLED, PAGE]


def test_csv_has_a_head_and_a_row_for_each_event_of_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(capsys, "csv", SETTLED, PAGE, CHANGED))))
    assert [row["event"] for row in rows] == ["settled", "changed"]
    assert rows[0] == {**dict.fromkeys(COLUMNS, ""), **{k: str(v) for k, v in flat(SETTLED).items()}}
    assert rows[1]["was"] == "4,6"


def flat(entry: dict[str, Any]) -> dict[str, Any]:
    x, y, w, h = entry["number"]["box"]
    known = {**entry, **entry["number"], "x": x, "y": y, "width": w, "height": h}
    return {name: known[name] for name in COLUMNS if name in known}


def test_a_value_that_is_not_known_is_an_empty_field() -> None:
    row = csv_row({**SETTLED, "number": {**NUMBER, "text": "4?", "value": None}})
    assert row.startswith("settled,3,4?,,0.97,")


def test_csv_of_nothing_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "csv") == ",".join(COLUMNS) + "\n"


def test_text_tells_numbers_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "text", SETTLED, PAGE, CHANGED, REMOVED) == "4,5\nchanged 4,6 -> 4,5\nremoved 4,5\n"


def test_text_of_once_is_the_page_as_read_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "text", SETTLED, PAGE, whole_pages=True) == "4,5 7\n9\n"
    assert text_of(EMPTY, whole_pages=True) == ""
