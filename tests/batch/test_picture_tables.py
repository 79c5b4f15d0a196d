"""Tables that show the page or say where on it each number stands, and tables of forms."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.batch.tables import write_table
from tests.doubles.pages import number, reading

FORM: dict[str, Any] = {
    "template": "small",
    "fields": [
        {"name": "date", "text": "2021-04-03", "value": "2021-04-03", "doubtful": False, "reasons": []},
        {"name": "total", "text": "3?7", "value": None, "doubtful": True, "reasons": ["unsure digit", "sum equals total"]},
    ],
}
FAILED = {"source": "gone.png", "error": {"type": "FormNotFoundError", "message": "gone.png: 0 of 4 corner markers found"}}


def page(folder: Path, name: str = "page.png") -> dict[str, Any]:
    """The entry of a page that lies in a folder, with a sure and an unsure number."""
    picture = np.full((200, 300), 240, np.uint8)
    picture[20:60, 10:40], picture[20:60, 100:160] = 30, 90
    cv2.imwrite(str(folder / name), picture)
    found = reading([number("05", (10, 20, 30, 40), 0.999), number("1?", (100, 20, 60, 40), 0.9)], source=str(folder / name)).to_dict()
    return {**found, "width": 300, "height": 200}


def test_xlsx_shows_the_crop_of_each_number(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    entries = [page(tmp_path), {**page(tmp_path), "source": str(tmp_path / "gone.png")}]
    write_table(tmp_path / "t.xlsx", "xlsx", entries)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    pictures = book["numbers"]._images
    rows = [picture.anchor._from.row for picture in pictures]
    levels = [
        int(np.median(cv2.imdecode(np.frombuffer(picture._data(), np.uint8), cv2.IMREAD_GRAYSCALE)[8:-8, 8:-8])) for picture in pictures
    ]
    book.close()
    assert rows == [1, 2]  # of a page that is gone, the numbers stand without
    assert levels == [30, 90]


def test_xlsx_of_forms_has_a_row_a_sheet(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    write_table(tmp_path / "t.xlsx", "xlsx", [{**page(tmp_path), "form": FORM}, FAILED])
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    rows = list(book["sheets"].iter_rows(values_only=True))
    frozen, filtered = book["sheets"].freeze_panes, book["sheets"].auto_filter.ref
    book.close()
    assert rows[0] == ("source", "page", "date", "total", "doubtful", "error")
    assert rows[1][2:] == ("2021-04-03", "3?7", "total: unsure digit, sum equals total", None)
    assert rows[2][-1] == "FormNotFoundError: gone.png: 0 of 4 corner markers found"
    assert (frozen, filtered) == ("C2", "A1:F3")


def test_csv_of_forms_has_named_columns_even_when_the_first_sheet_failed(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", "csv", [FAILED, {**page(tmp_path), "form": FORM}])
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "source,page,date,total,doubtful,error"
    assert lines[1] == "gone.png,,,,,FormNotFoundError: gone.png: 0 of 4 corner markers found"
    assert lines[2].endswith('page.png,1,2021-04-03,3?7,"total: unsure digit, sum equals total",')


def test_parquet_has_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(tmp_path / "t.parquet", "parquet", [page(tmp_path), FAILED])
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column("text").to_pylist() == ["05", "1?", None]
    assert table.column("value").to_pylist() == ["05", None, None]
    assert table.column("x").to_pylist() == [10, 100, None]
    assert [str(table.schema.field(name).type) for name in ("page", "text", "confidence")] == ["int32", "string", "double"]


def test_alto_says_where_each_digit_stands(tmp_path: Path) -> None:
    write_table(tmp_path / "t.alto", "alto", [page(tmp_path, "a&b.png"), FAILED])
    root = ET.parse(tmp_path / "t.alto").getroot()
    name = "{http://www.loc.gov/standards/alto/ns-v4#}"
    strings = root.findall(f".//{name}String")
    assert [(s.get("CONTENT"), s.get("HPOS"), s.get("WIDTH")) for s in strings] == [("05", "10", "30"), ("1?", "100", "60")]
    assert [g.get("CONTENT") for g in strings[1].findall(f"{name}Glyph")] == ["1", "?"]
    assert len(root.findall(f".//{name}Page")) == 2
    identities = [element.get("ID") for element in root.iter() if element.get("ID")]
    assert len(identities) == len(set(identities))


def test_hocr_says_where_each_number_stands(tmp_path: Path) -> None:
    found: list[str] = []

    class Words(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            named = dict(attrs)
            if named.get("class") == "ocrx_word":
                found.append(str(named["title"]).partition(";")[0])

    write_table(tmp_path / "t.hocr", "hocr", [page(tmp_path), FAILED])
    Words().feed((tmp_path / "t.hocr").read_text(encoding="utf-8"))
    assert found == ["bbox 10 20 40 60", "bbox 100 20 160 60"]


def test_annotated_pdf_can_be_searched_and_shows_the_page(tmp_path: Path) -> None:
    documents = pytest.importorskip("pypdfium2")
    pytest.importorskip("reportlab")
    write_table(tmp_path / "t.pdf", "pdf", [page(tmp_path), FAILED])
    document = documents.PdfDocument(tmp_path / "t.pdf")
    texts = [document[index].get_textpage().get_text_bounded() for index in range(len(document))]
    picture = document[0].render(scale=300 / 842, grayscale=True).to_numpy()
    document.close()
    assert "05" in texts[0]
    assert "1?" in texts[0]
    assert "0 of 4 corner markers" in texts[1]
    assert picture[45, 25] < 80 < picture[150, 250]


def test_json_lines_keep_the_form(tmp_path: Path) -> None:
    write_table(tmp_path / "t.jsonl", "jsonl", [{**page(tmp_path), "form": FORM}])
    assert json.loads((tmp_path / "t.jsonl").read_text(encoding="utf-8"))["form"] == FORM
