"""Table files: CSV, JSON lines, XLSX. Written beside their place and moved there whole, or not at all."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from edge_digits.batch.options import FORMATS, TableFormat
from edge_digits.batch.rows import COLUMNS, Row, rows_of
from edge_digits.errors import MissingExtraError, UsageError

SURE_CONFIDENCE: Final = 0.95
"""As the annotated picture colours digits; here of the whole number."""
SURE_FILL: Final = "D9F2D0"
DOUBTFUL_FILL: Final = "FFE2B3"
UNSURE_FILL: Final = "F8CBC6"
SHEET_ROWS: Final = 1_048_576
"""Rows that a sheet of XLSX may have; more go to a further sheet."""
COLUMN_WIDTHS: Final = (40, 6, 6, 8, 14, 14, 11, 7, 7, 7, 7, 60)
NOT_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Entries = Iterable[Mapping[str, Any]]


def table_format(out: Path, asked: str | None = None) -> TableFormat:
    """The format asked for, else that of the extension. Raises UsageError, MissingExtraError."""
    name = asked or out.suffix.lower().removeprefix(".")
    for known in FORMATS:
        if name == known:
            if known == "xlsx":
                _openpyxl()
            return known
    raise UsageError(f"--out {out}: no table format for '{out.suffix}'; name it .{', .'.join(FORMATS)}, or give --format")


def write_table(out: Path, form: TableFormat, entries: Entries) -> None:
    """Write the table: the file that was there stays as it is until the new one is complete.

    entries : JSON objects of pages and failures, in the order of the rows. Raises UsageError when it cannot be written.
    """
    draft = out.with_name(f".{out.name}.part")
    try:
        {"csv": _write_csv, "jsonl": _write_jsonl, "xlsx": _write_xlsx}[form](draft, entries)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(out)
    except OSError as error:
        raise UsageError(
            f"{out}: table cannot be written ({error.strerror or error}); make room or close it elsewhere, and give the same command again"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _write_csv(draft: Path, entries: Entries) -> None:
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for entry in entries:
            writer.writerows(map(_csv_cells, rows_of(entry)))


def _csv_cells(row: Row) -> list[str]:
    return ["" if cell is None else f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row]


def _write_jsonl(draft: Path, entries: Entries) -> None:
    with draft.open("w", encoding="utf-8") as file:
        for entry in entries:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _write_xlsx(draft: Path, entries: Entries) -> None:
    openpyxl = _openpyxl()
    book = openpyxl.Workbook(write_only=True)
    try:
        _fill_book(openpyxl, book, entries)
        book.save(draft)
    except BaseException:
        for sheet in book.worksheets:  # Else its half-written file is closed by chance, with complaints.
            sheet.close()
        raise


def _fill_book(openpyxl: Any, book: Any, entries: Entries) -> None:
    sheet, count = _new_sheet(openpyxl, book), 1
    for entry in entries:
        for row in rows_of(entry):
            if count == SHEET_ROWS:
                _close_sheet(sheet, count)
                sheet, count = _new_sheet(openpyxl, book), 1
            sheet.append(_xlsx_cells(openpyxl, sheet, row))
            count += 1
    _close_sheet(sheet, count)


def _new_sheet(openpyxl: Any, book: Any) -> Any:
    sheet = book.create_sheet(f"numbers {len(book.worksheets) + 1}" if book.worksheets else "numbers")
    sheet.freeze_panes = "A2"
    for index, width in enumerate(COLUMN_WIDTHS):
        sheet.column_dimensions[chr(ord("A") + index)].width = width
    sheet.append([_bold(openpyxl, sheet, name) for name in COLUMNS])
    return sheet


def _close_sheet(sheet: Any, rows: int) -> None:
    sheet.auto_filter.ref = f"A1:{chr(ord('A') + len(COLUMNS) - 1)}{rows}"


def _bold(openpyxl: Any, sheet: Any, text: str) -> Any:
    cell = openpyxl.cell.WriteOnlyCell(sheet, text)
    cell.font = openpyxl.styles.Font(bold=True)
    return cell


def _xlsx_cells(openpyxl: Any, sheet: Any, row: Row) -> list[Any]:
    """Cells of a row: what was read stays text ("05" keeps its zero), its confidence is coloured."""
    cells = []
    confidence, value = row[COLUMNS.index("confidence")], row[COLUMNS.index("value")]
    for name, content in zip(COLUMNS, row, strict=True):
        cell = openpyxl.cell.WriteOnlyCell(sheet, NOT_IN_XML.sub("�", content) if isinstance(content, str) else content)
        if isinstance(content, str):
            cell.number_format, cell.data_type = "@", "s"
        if name == "confidence" and isinstance(confidence, float):
            cell.number_format = "0.000"
            colour = UNSURE_FILL if value is None else SURE_FILL if confidence >= SURE_CONFIDENCE else DOUBTFUL_FILL
            cell.fill = openpyxl.styles.PatternFill("solid", fgColor=colour)
        cells.append(cell)
    return cells


def _openpyxl() -> Any:
    try:
        import openpyxl
        import openpyxl.cell
        import openpyxl.styles
    except ImportError as error:
        raise MissingExtraError('xlsx needs an extra; run: pip install "edge-digits[xlsx]"') from error
    return openpyxl
