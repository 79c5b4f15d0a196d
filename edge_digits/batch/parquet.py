"""Parquet: the rows of the CSV with types, for data frames and databases; written in groups of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from edge_digits.batch.rows import Cell, columns_and_rows
from edge_digits.errors import MissingExtraError

GROUP_ROWS: Final = 20_000
WHOLE: Final = ("page", "line", "number", "x", "y", "width", "height", "doubtful")

Entry = Mapping[str, Any]


def load_pyarrow() -> Any:
    """The library. Raises MissingExtraError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError('parquet needs an extra; run: pip install "edge-digits[parquet]"') from error
    return pa


def write_parquet(draft: Path, entries: Iterable[Entry]) -> None:
    """Columns are those of the CSV; whole numbers int32, confidence float64, all else text. Raises OSError."""
    arrow = load_pyarrow()
    columns, rows = columns_and_rows(entries)
    kinds = [arrow.int32() if name in WHOLE else arrow.float64() if name == "confidence" else arrow.string() for name in columns]
    # A field of a form may be called like a column of ours.
    schema = arrow.schema([arrow.field(name, kind) for name, kind in zip(columns, kinds, strict=True)])
    with draft.open("wb") as file, arrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        group: list[tuple[Cell, ...]] = []
        for row in rows:
            group.append(row)
            if len(group) == GROUP_ROWS:
                writer.write_table(_table(arrow, group, schema))
                group = []
        if group:
            writer.write_table(_table(arrow, group, schema))


def _table(arrow: Any, rows: list[tuple[Cell, ...]], schema: Any) -> Any:
    arrays = []
    for index, kind in enumerate(schema.types):
        cells = [row[index] for row in rows]
        arrays.append(arrow.array([None if cell is None else str(cell) for cell in cells] if kind == arrow.string() else cells, kind))
    return arrow.Table.from_arrays(arrays, schema=schema)
