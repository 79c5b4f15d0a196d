"""PDF and the door to TIFF: what is a document, page by page, and every way in which one cannot be read."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_digits.errors import InputDecodeError, InputNeedsExtraError, InputNotFoundError, InputTooLargeError
from edge_digits.options import SourceOptions
from edge_digits.sources.documents import is_document, open_document
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames
from tests.document_files import TiffPage, pdf, tiff

LEFT_HALF_BLACK = np.repeat(np.array([[0] * 30 + [255] * 30], np.uint8), 40, axis=0)
GREY = np.full((40, 60), 128, np.uint8)


def frames(data: bytes, **options: float) -> list[Frame]:
    pages = open_document(io.BytesIO(data), "scan", SourceOptions(**options))  # type: ignore[arg-type]
    return [pages.frame(number) for number in range(1, pages.count + 1)]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"%PDF-1.7\n", True),
        (b"\xef\xbb\xbf\r\n%PDF-1.4", True),
        (b"II*\x00", True),
        (b"MM\x00*", True),
        (b"II+\x00", True),
        (b"MM\x00+", True),
        (b"IIU\x00", False),
        (b"\xff\xd8\xff\xe0", False),
        (b"words about %PDF-1.7", False),
        (b"", False),
    ],
)
def test_documents_are_told_by_their_first_bytes(head: bytes, expected: bool) -> None:
    assert is_document(head) is expected


def test_every_page_of_a_pdf_at_the_asked_resolution() -> None:
    pytest.importorskip("pypdfium2")
    pages = frames(pdf([LEFT_HALF_BLACK, GREY], size_pt=(216, 144)), dpi=100)
    assert [(page.width, page.height, page.page, page.source) for page in pages] == [(300, 200, 1, "scan"), (300, 200, 2, "scan")]
    assert pages[0].picture[:, :140].max() < 10
    assert pages[0].picture[:, 160:].min() > 245
    assert abs(int(np.median(pages[1].picture)) - 128) <= 1


def test_a_long_pdf_is_let_go_of_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    opened, real = [], pdfium.PdfDocument
    monkeypatch.setattr(pdfium, "PdfDocument", lambda source: opened.append(real(source)) or opened[-1])
    levels = [20 * (index % 10) for index in range(40)]
    pages = frames(pdf([np.full((8, 8), level, np.uint8) for level in levels], size_pt=(36, 36)), dpi=36)
    assert [int(np.median(page.picture)) for page in pages] == levels
    assert len(opened) == 3
    assert [document.raw is None for document in opened] == [True, True, False]


def test_a_pdf_file_is_read_from_its_path_and_closed(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    path = tmp_path / "two pages.pdf"
    path.write_bytes(pdf([LEFT_HALF_BLACK, GREY]))
    opened = open_frames(path, SourceOptions())
    first = next(opened)
    opened.close()  # type: ignore[attr-defined]
    path.unlink()
    assert (first.page, first.source) == (1, str(path))
    assert first.picture[:, :10].max() < 10


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pdf([GREY], encrypted=True), "encrypted"),
        (b"%PDF-1.4\nnothing that a PDF is made of", "damaged"),
        (pdf([]), "no page|damaged"),
        (pdf([GREY], size_pt=(0, 0)), ""),
    ],
)
def test_a_pdf_that_cannot_be_read(data: bytes, says: str) -> None:
    pytest.importorskip("pypdfium2")
    if not says:  # PDFium takes a sheet of US Letter for a page without a size.
        assert frames(data, dpi=36)[0].width == 306
        return
    with pytest.raises(InputDecodeError, match=says) as caught:
        frames(data)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("scan: PDF ")


def test_a_pdf_page_over_the_limit_is_refused_before_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    monkeypatch.setattr(pdfium.PdfPage, "render", None)
    with pytest.raises(InputTooLargeError, match=r"scan: PDF page 1 at 200 dpi: 40000x40000 is 1600 megapixels, the limit is 100"):
        frames(pdf([GREY], size_pt=(14400, 14400)))


def test_a_pdf_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(InputNeedsExtraError, match=r'scan: .*pip install "edge-digits\[documents\]"'):
        frames(pdf([GREY]))


def test_a_tiff_needs_no_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    path = tmp_path / "scan.tif"
    path.write_bytes(tiff([TiffPage(GREY), TiffPage(LEFT_HALF_BLACK)]))
    pages = list(open_frames(path, SourceOptions()))
    assert [page.page for page in pages] == [1, 2]
    assert np.array_equal(pages[1].picture, LEFT_HALF_BLACK)


@pytest.mark.parametrize("extra", ["", "pypdfium2"])
def test_a_file_that_has_gone(tmp_path: Path, extra: str) -> None:
    if extra:
        pytest.importorskip(extra)
    with pytest.raises(InputNotFoundError, match="no such file"):
        next(open_frames(tmp_path / "gone.pdf", SourceOptions()))
