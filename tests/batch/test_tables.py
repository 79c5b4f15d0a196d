"""The table in each format: what stands in it, and that it is written whole or not at all."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_digits.batch import tables, workbook
from edge_digits.batch.options import FORMATS
from edge_digits.batch.rows import COLUMNS, rows_of, safe_source
from edge_digits.batch.tables import table_format, write_table
from edge_digits.batch.workbook import DOUBTFUL_FILL, EXTRA_COLUMNS, SURE_FILL, UNSURE_FILL
from edge_digits.errors import MissingExtraError, UsageError
from edge_digits.reading.command import CSV_COLUMNS
from tests.doubles.pages import number, reading

ENTRIES: list[dict[str, Any]] = [
    reading(
        [number("05", (1, 2, 30, 40), 0.999), number("1?", (50, 2, 30, 40), 0.9)], [number("7", (1, 60, 9, 9), 0.6)], source="a.png"
    ).to_dict(),
    reading(source="=1+1.png").to_dict(),
    {"source": "c.png", "error": {"type": "InputDecodeError", "message": 'c.png: bad, "very"'}},
    {"source": "d.pdf", "page": 2, "error": {"type": "InputDecodeError", "message": "d.pdf: PDF page 2 is damaged"}},
]


def test_rows_and_their_columns() -> None:
    rows = [dict(zip(COLUMNS, row, strict=True)) for entry in ENTRIES for row in rows_of(entry)]
    assert [(row["source"], row["line"], row["number"], row["text"], row["value"]) for row in rows] == [
        ("a.png", 1, 1, "05", "05"),
        ("a.png", 1, 2, "1?", None),
        ("a.png", 2, 1, "7", "7"),
        ("./=1+1.png", None, None, None, None),
        ("c.png", None, None, None, None),
        ("d.pdf", None, None, None, None),
    ]
    assert [row["page"] for row in rows] == [1, 1, 1, 1, None, 2]
    assert (rows[0]["x"], rows[0]["y"], rows[0]["width"], rows[0]["height"]) == (1, 2, 30, 40)
    assert rows[4]["error"] == 'InputDecodeError: c.png: bad, "very"'


def test_the_columns_are_those_of_read() -> None:
    assert COLUMNS == CSV_COLUMNS


@pytest.mark.parametrize("name", ["=1.png", "+1.png", "-1.png", "@a.png"])
def test_a_name_is_no_formula_and_still_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    assert safe_source(name)[0] == "."
    assert Path(safe_source(name)).exists()


def test_csv(tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    write_table(out, "csv", ENTRIES)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert rows[1] == ["a.png", "1", "1", "1", "05", "05", "0.9980", "1", "2", "30", "40", ""]
    assert rows[4] == ["./=1+1.png", "1", *[""] * 10]
    assert rows[5][-1] == 'InputDecodeError: c.png: bad, "very"'
    assert rows[6][:2] == ["d.pdf", "2"]
    assert len(rows) == 7


def test_json_lines_are_the_objects_of_read(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    write_table(out, "jsonl", ENTRIES)
    assert [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] == ENTRIES


def test_xlsx_keeps_zeros_and_colours_confidence(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    out = tmp_path / "t.xlsx"
    write_table(out, "xlsx", ENTRIES)
    book = openpyxl.load_workbook(out)
    sheet = book["numbers"]
    rows = list(sheet.iter_rows(values_only=True))
    confidence = COLUMNS.index("confidence") + 1
    fills = [sheet.cell(row, confidence).fill.fgColor.rgb[-6:] for row in (2, 3, 4)]
    book.close()
    assert rows[0] == (*COLUMNS, *EXTRA_COLUMNS)
    assert [row[12] for row in rows[1:]] == ["no", "yes", "yes", None, None, None]
    assert rows[1][4:7] == ("05", "05", 0.998)
    assert rows[2][4:6] == ("1?", None)
    assert rows[4][0] == "./=1+1.png"
    assert fills == [SURE_FILL, UNSURE_FILL, DOUBTFUL_FILL]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:N7")


def test_xlsx_bears_names_that_xml_cannot_and_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    monkeypatch.setattr(workbook, "SHEET_ROWS", 3)
    out = tmp_path / "t.xlsx"
    write_table(out, "xlsx", [{**ENTRIES[1], "source": f"a\x01{index}.png"} for index in range(5)])
    book = openpyxl.load_workbook(out)
    found = [[row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in book]
    book.close()
    assert found == [["a�0.png", "a�1.png"], ["a�2.png", "a�3.png"], ["a�4.png"]]
    assert book.sheetnames == ["numbers", "numbers 2", "numbers 3"]


@pytest.mark.parametrize("form", FORMATS)
def test_no_entries_make_an_empty_table(tmp_path: Path, form: tables.TableFormat) -> None:
    need(form)
    write_table(tmp_path / "t", form, [])
    assert (tmp_path / "t").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_the_old_table_stays_until_the_new_one_is_whole(tmp_path: Path, form: tables.TableFormat, error: type[BaseException]) -> None:
    need(form)
    pytest.importorskip("xlsxwriter")
    out = tmp_path / "t"
    out.write_text("old", encoding="utf-8")

    def entries() -> Iterator[dict[str, Any]]:
        yield ENTRIES[0]
        raise error(28, "No space left on device")

    expected = UsageError if error is OSError else KeyboardInterrupt
    with pytest.raises(expected, match="No space left on device"):
        write_table(out, form, entries())
    assert out.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [("a.csv", None, "csv"), ("a.JSONL", None, "jsonl"), ("a.txt", "csv", "csv"), ("a.csv", "jsonl", "jsonl")],
)
def test_the_extension_chooses_unless_asked(name: str, asked: str | None, expected: str) -> None:
    assert table_format(Path(name), asked) == expected


@pytest.mark.parametrize("name", ["table.ods", "table", ".csv"])
def test_an_unknown_extension(name: str) -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.jsonl, \.parquet, \.xlsx, \.pdf, \.alto, \.hocr, or give --format"):
        table_format(Path(name))


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [("a.xlsx", "xlsxwriter", "xlsx"), ("a.parquet", "pyarrow", "parquet"), ("a.pdf", "reportlab.pdfgen.canvas", "forms")],
)
def test_a_format_without_its_extra(monkeypatch: pytest.MonkeyPatch, name: str, library: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf'pip install "edge-digits\[{extra}\]"'):
        table_format(Path(name))


def need(form: str) -> None:
    """Skip where the library of a format is not installed."""
    library = {"xlsx": "xlsxwriter", "parquet": "pyarrow", "pdf": "reportlab"}.get(form)
    if library is not None:
        pytest.importorskip(library)
