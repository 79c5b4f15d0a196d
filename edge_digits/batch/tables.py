"""Table files: CSV, JSON lines, Parquet, XLSX, annotated PDF, ALTO, hOCR.

Written beside their place and moved there whole, or not at all.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from edge_digits.batch.archive import load_reportlab, write_alto, write_hocr, write_pdf
from edge_digits.batch.options import FORMATS, TableFormat
from edge_digits.batch.parquet import load_pyarrow, write_parquet
from edge_digits.batch.rows import Row, columns_and_rows
from edge_digits.batch.workbook import load_xlsxwriter, write_xlsx
from edge_digits.errors import UsageError

Entries = Iterable[Mapping[str, Any]]

LIBRARIES: Final[Mapping[TableFormat, Callable[[], Any]]] = {"xlsx": load_xlsxwriter, "parquet": load_pyarrow, "pdf": load_reportlab}
"""Of the formats that need one, what loads it or says how to install it."""


def table_format(out: Path, asked: str | None = None) -> TableFormat:
    """The format asked for, else that of the extension. Raises UsageError, MissingExtraError."""
    name = asked or out.suffix.lower().removeprefix(".")
    for known in FORMATS:
        if name == known:
            if known in LIBRARIES:
                LIBRARIES[known]()
            return known
    raise UsageError(f"--out {out}: no table format for '{out.suffix}'; name it .{', .'.join(FORMATS)}, or give --format")


def write_table(out: Path, form: TableFormat, entries: Entries) -> None:
    """Write the table: the file that was there stays as it is until the new one is complete.

    entries : JSON objects of pages and failures, in the order of the rows. Raises UsageError when it cannot be written.
    """
    draft = out.with_name(f".{out.name}.part")
    try:
        _WRITERS[form](draft, entries)
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
    columns, rows = columns_and_rows(entries)
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(map(_csv_cells, rows))


def _csv_cells(row: Row) -> list[str]:
    return ["" if cell is None else f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row]


def _write_jsonl(draft: Path, entries: Entries) -> None:
    with draft.open("w", encoding="utf-8") as file:
        for entry in entries:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


_WRITERS: Final[Mapping[TableFormat, Callable[[Path, Entries], None]]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "parquet": write_parquet,
    "xlsx": write_xlsx,
    "pdf": write_pdf,
    "alto": write_alto,
    "hocr": write_hocr,
}
