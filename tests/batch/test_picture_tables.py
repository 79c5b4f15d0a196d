"""Tables that show the page or say where on it each number stands, and tables of forms."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.batch.tables import write_table
from edge_digits.reading.reading import Digit, Number, Sign
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


def signed() -> dict[str, Any]:
    """The entry of a page with a number of digits and signs, the last digit unsure."""
    digits = (Digit(4, 0.9, (30, 20, 20, 40)), Digit(None, 0.5, (60, 20, 20, 40), ((1, 0.5), (7, 0.4))))
    signs = (Sign("-", 0, (10, 40, 15, 4)), Sign(".", 1, (52, 55, 5, 5)))
    return {**reading([Number(digits, signs)], source="signed.png").to_dict(), "width": 300, "height": 200}


@cache
def alto_schema() -> Any:
    """ALTO 4.2 as the Library of Congress publishes it; CC BY-SA 4.0, as it says itself."""
    folder = Path(__file__).with_name("schemas")
    locations = {"http://www.w3.org/1999/xlink": str(folder / "xlink.xsd")}
    return pytest.importorskip("xmlschema").XMLSchema(str(folder / "alto-4-2.xsd"), locations=locations)


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


def test_alto_says_where_each_digit_and_sign_stands(tmp_path: Path) -> None:
    write_table(tmp_path / "t.alto", "alto", [page(tmp_path, "a&b.png"), signed(), FAILED])
    root = ET.parse(tmp_path / "t.alto").getroot()
    name = "{http://www.loc.gov/standards/alto/ns-v4#}"
    strings = root.findall(f".//{name}String")
    assert [(s.get("CONTENT"), s.get("HPOS"), s.get("WIDTH")) for s in strings[:2]] == [("05", "10", "30"), ("1?", "100", "60")]
    assert ["".join(str(g.get("CONTENT")) for g in s.findall(f"{name}Glyph")) for s in strings] == ["05", "1?", "-4.?"]
    assert [(v.get("CONTENT"), v.get("VC")) for v in root.iter(f"{name}Variant")] == [("1", "0.5000"), ("7", "0.4000")]
    pages = root.findall(f".//{name}Page")
    assert [(p.get("PAGECLASS"), p.get("QUALITY")) for p in pages] == [
        (str(tmp_path / "a&b.png"), None),
        ("signed.png", None),
        ("gone.png", "Missing"),
    ]
    assert pages[2].get("QUALITY_DETAIL") == "FormNotFoundError: gone.png: 0 of 4 corner markers found"


def test_alto_keeps_to_its_schema(tmp_path: Path) -> None:
    schema = alto_schema()
    awkward = {**page(tmp_path, "a&b.png"), "source": "\x01\"<'é].png"}
    empty = {**page(tmp_path), "lines": []}
    for entries in ([], [FAILED], [page(tmp_path), signed(), empty, awkward, {**FAILED, "page": 3}]):
        write_table(tmp_path / "t.alto", "alto", entries)
        # A Layout without a Page keeps to no schema: a pile without pages has nothing to archive.
        expected = [] if entries else ["Layout"]
        assert [str(error.path).rpartition("/")[2] for error in schema.iter_errors(str(tmp_path / "t.alto"))] == expected


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('WC="0.8100"', 'WC="1.8100"'),
        ('ID="p1l1n2"', 'ID="p1l1n1"'),
        ("<PrintSpace ", '<Glyph CONTENT="1"/><PrintSpace '),
        ('CONTENT="05" ', ""),
    ],
)
def test_the_schema_sees(tmp_path: Path, right: str, wrong: str) -> None:
    write_table(tmp_path / "t.alto", "alto", [page(tmp_path)])
    written = (tmp_path / "t.alto").read_text(encoding="utf-8")
    assert right in written
    (tmp_path / "t.alto").write_text(written.replace(right, wrong, 1), encoding="utf-8")
    assert not alto_schema().is_valid(str(tmp_path / "t.alto"))


def test_hocr_is_xml_that_says_where_each_number_stands(tmp_path: Path) -> None:
    awkward = {**page(tmp_path), "source": "\x01a&\"<'é].png"}
    write_table(tmp_path / "t.hocr", "hocr", [page(tmp_path), awkward, FAILED])
    root = ET.parse(tmp_path / "t.hocr").getroot()
    titles = {kind: [str(each.get("title")) for each in root.iter() if each.get("class") == kind] for kind in ("ocr_page", "ocrx_word")}
    assert [title.partition(";")[0] for title in titles["ocrx_word"][:2]] == ["bbox 10 20 40 60", "bbox 100 20 160 60"]
    assert titles["ocr_page"][1] == "image \"�a&'<'é].png\"; bbox 0 0 300 200; ppageno 0"
    assert titles["ocr_page"][2] == 'image "gone.png"'
    identities = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(identities) == len(set(identities))


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
