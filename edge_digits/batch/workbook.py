"""XLSX: the crop of each number beside its value, its confidence in colour, a filter on the doubtful ones.

XlsxWriter writes it: it keeps a row in memory, not the table, and takes pictures as bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from edge_digits.batch.page_pictures import PagePictures, Picture, cut
from edge_digits.batch.rows import COLUMNS, SURE_CONFIDENCE, Cell, form_columns, form_row, is_doubtful, rows_of
from edge_digits.errors import MissingExtraError

SURE_FILL: Final = "D9F2D0"
DOUBTFUL_FILL: Final = "FFE2B3"
UNSURE_FILL: Final = "F8CBC6"
SHEET_ROWS: Final = 1_048_576
"""Rows that a sheet of XLSX may have; more go to a further sheet."""
MOST_CROPS: Final = 20_000
"""Numbers of which the crop is shown; beyond, those of doubtful ones only: spreadsheets grow slow."""
CROP_HEIGHT_PX: Final = 30
WIDEST_CROP_PX: Final = 240
ROW_HEIGHT_PX: Final = 34
EXTRA_COLUMNS: Final = ("doubtful", "picture")
COLUMN_WIDTHS: Final = (40, 6, 6, 8, 14, 14, 11, 7, 7, 7, 7, 60, 9, 34)
NOT_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Entry = Mapping[str, Any]


def load_xlsxwriter() -> Any:
    """The library. Raises MissingExtraError."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtraError('xlsx needs an extra; run: pip install "edge-digits[xlsx]"') from error
    return xlsxwriter


def write_xlsx(draft: Path, entries: Iterable[Entry]) -> None:
    """The workbook of a batch; with forms a first sheet "sheets" has a row for each. Raises OSError."""
    library = load_xlsxwriter()
    book = library.Workbook(str(draft), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    try:
        _Book(book).fill(entries)
        book.close()
    except library.exceptions.FileCreateError as error:
        raise OSError(getattr(error.args[0], "errno", None), getattr(error.args[0], "strerror", None) or str(error)) from error
    except BaseException:
        # Its temporary files are those of its sheets.
        for sheet in book.worksheets():
            sheet._opt_close()  # noqa: SLF001 - else closed by chance, with complaints
        raise


class _Book:
    """A workbook being filled."""

    def __init__(self, book: Any) -> None:
        self.book = book
        # The same entries give the same bytes, whenever they are written.
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=timezone.utc)})
        self.bold = book.add_format({"bold": True})
        self.text = book.add_format({"num_format": "@"})
        self.fills = {
            colour: book.add_format({"bg_color": f"#{colour}", "num_format": "0.000"}) for colour in (SURE_FILL, DOUBTFUL_FILL, UNSURE_FILL)
        }
        self.doubts = book.add_format({"num_format": "@", "bg_color": f"#{UNSURE_FILL}"})
        self.pictures, self.shown, self.count, self.rows = PagePictures(), 0, 0, 0
        self.sheet: Any = None

    def fill(self, entries: Iterable[Entry]) -> None:
        overview: _Overview | None = None
        for entry in entries:
            if "form" in entry and overview is None and self.sheet is None:
                overview = _Overview(self, entry)
            if overview is not None:
                overview.add(entry)
            self._add(entry)
        if self.sheet is None:
            self._begin()
        self._end()
        if overview is not None:
            overview.end()

    def _add(self, entry: Entry) -> None:
        numbers = [number for line in entry.get("lines", ()) for number in line["numbers"]]
        wanted = [self.shown < MOST_CROPS or is_doubtful(number) for number in numbers]
        picture = self.pictures.picture(entry) if any(wanted) else None
        for index, row in enumerate(rows_of(entry)):
            if self.sheet is None or self.rows == SHEET_ROWS:
                self._begin()
            number = numbers[index] if index < len(numbers) else None
            self._write(row, number)
            if number is not None and picture is not None and wanted[index]:
                self._show(cut(picture, number["box"]))
            self.rows += 1

    def _begin(self) -> None:
        if self.sheet is not None:
            self._end()
        self.count += 1
        self.sheet = self.book.add_worksheet("numbers" if self.count == 1 else f"numbers {self.count}")
        self.sheet.freeze_panes(1, 0)
        for index, width in enumerate(COLUMN_WIDTHS):
            self.sheet.set_column(index, index, width)
        for index, name in enumerate((*COLUMNS, *EXTRA_COLUMNS)):
            self.sheet.write_string(0, index, name, self.bold)
        self.rows = 1

    def _end(self) -> None:
        self.sheet.autofilter(0, 0, max(0, self.rows - 1), len(COLUMNS) + len(EXTRA_COLUMNS) - 1)

    def _write(self, row: tuple[Cell, ...], number: Mapping[str, Any] | None) -> None:
        self.sheet.set_row_pixels(self.rows, ROW_HEIGHT_PX if number is not None else 20)
        for index, (name, content) in enumerate(zip(COLUMNS, row, strict=True)):
            if isinstance(content, str):
                # What was read stays text: "05" keeps its zero.
                self.sheet.write_string(self.rows, index, printable(content), self.text)
            elif name == "confidence" and content is not None and number is not None:
                self.sheet.write_number(self.rows, index, content, self.fills[fill_of(number)])
            elif content is not None:
                self.sheet.write_number(self.rows, index, content)
        if number is not None:
            self.sheet.write_string(self.rows, len(COLUMNS), "yes" if is_doubtful(number) else "no", self.text)

    def _show(self, crop: Picture) -> None:
        scale = min(CROP_HEIGHT_PX / crop.shape[0], WIDEST_CROP_PX / crop.shape[1])
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        data = io.BytesIO(cv2.imencode(".png", np.asarray(small))[1].tobytes())
        options = {"image_data": data, "x_offset": 2, "y_offset": 2, "object_position": 1}
        self.sheet.insert_image(self.rows, len(COLUMNS) + 1, f"{self.count}-{self.rows}.png", options)
        self.shown += 1


class _Overview:
    """The sheet with one row a form."""

    def __init__(self, book: _Book, first: Entry) -> None:
        self.book, self.columns, self.rows = book, form_columns(first), 1
        self.sheet = book.book.add_worksheet("sheets")
        self.sheet.freeze_panes(1, 2)
        self.sheet.set_column(0, 0, 40)
        for index, name in enumerate(self.columns):
            self.sheet.write_string(0, index, printable(name), book.bold)

    def add(self, entry: Entry) -> None:
        """One more form, or a failure."""
        doubtful = {each["name"] for each in entry.get("form", {}).get("fields", ()) if each["doubtful"]}
        for index, content in enumerate(form_row(entry, self.columns)):
            if isinstance(content, str):
                style = self.book.doubts if self.columns[index] in doubtful else self.book.text
                self.sheet.write_string(self.rows, index, printable(content), style)
            elif content is not None:
                self.sheet.write_number(self.rows, index, content)
        self.rows += 1

    def end(self) -> None:
        """A filter over all of it."""
        self.sheet.autofilter(0, 0, self.rows - 1, len(self.columns) - 1)


def fill_of(number: Mapping[str, Any]) -> str:
    """The colour of a number's confidence, RRGGBB."""
    return UNSURE_FILL if number["value"] is None else SURE_FILL if number["confidence"] >= SURE_CONFIDENCE else DOUBTFUL_FILL


def printable(text: str) -> str:
    """The text as XML can hold it."""
    return NOT_IN_XML.sub("�", text)
