"""PDF, page by page, by pypdfium2 (extra `documents`).

A page is drawn as a printer would draw it, at `dpi`; a text layer is drawn as ink like everything else, never read as
text. The file stays on the disk: PDFium fetches from it what the page at hand needs.
"""

from __future__ import annotations

import io
import math
from threading import Lock
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError, InputNeedsExtraError
from edge_digits.options import SourceOptions
from edge_digits.sources.frame import Frame
from edge_digits.sources.pixels import check_size

SIGNATURE: Final = b"%PDF-"
POINTS_PER_INCH: Final = 72.0

PAGES_BEFORE_REOPENING: Final = 16
"""PDFium keeps what it has fetched of every page until the document is closed: 300 scanned pages of 0.7 MB took 225 MB."""

_PDFIUM: Final = Lock()
"""PDFium may not be entered by two threads at once, not even for two documents."""


def is_pdf(head: bytes) -> bool:
    """Whether a file that starts with `head` is a PDF; white space and a byte order mark before it are forgiven."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(SIGNATURE)


class PdfPages:
    """Pages of a PDF."""

    def __init__(self, file: BinaryIO, name: str, options: SourceOptions) -> None:
        """file : stays open as long as this is used. name : of the file, for messages and Frames.

        Raises InputDecodeError (damaged, encrypted, no page), InputNeedsExtraError.
        """
        try:
            import pypdfium2
        except ImportError as error:
            raise InputNeedsExtraError(f'{name}: PDF needs an extra; run: pip install "edge-digits[documents]"') from error
        self._pdfium, self._file, self._name, self._options = pypdfium2, file, name, options
        self._document, self._drawn = _open(pypdfium2, file, name), 0
        with _PDFIUM:
            self._count = len(self._document)
        if not self._count:
            self.close()
            raise InputDecodeError(f"{name}: PDF holds no page; get the file again")

    @property
    def count(self) -> int:
        """Pages of the document."""
        return self._count

    def frame(self, number: int) -> Frame:
        """One page, drawn. Raises InputDecodeError, InputTooLargeError (before it is drawn)."""
        if not 1 <= number <= self._count:
            raise ValueError(f"page is {number}; {self._name} has {self._count}")
        if self._drawn == PAGES_BEFORE_REOPENING:
            self.close()
            self._document, self._drawn = _open(self._pdfium, self._file, self._name), 0
        self._drawn += 1
        return Frame.from_array(self._draw(number), self._name, number)

    def close(self) -> None:
        """Close the document; the file stays open."""
        with _PDFIUM:
            self._document.close()

    def _draw(self, number: int) -> NDArray[np.uint8]:
        """One page as uint8 (h, w, 3) BGR at options.dpi."""
        options, label, scale = self._options, f"{self._name}: PDF page {number}", self._options.dpi / POINTS_PER_INCH
        with _PDFIUM:
            try:
                page = self._document[number - 1]
            except self._pdfium.PdfiumError as error:
                raise InputDecodeError(f"{label} is damaged; get the file again") from error
            try:
                width, height = (math.ceil(side * scale) for side in page.get_size())
                check_size(width, height, f"{label} at {options.dpi} dpi", options)
                if not width or not height:
                    raise InputDecodeError(f"{label} has no size; the file is damaged, get it again")
                bitmap = page.render(scale=scale)
                try:
                    # The bitmap's memory is PDFium's and goes with it.
                    return np.array(bitmap.to_numpy(), dtype=np.uint8)
                finally:
                    bitmap.close()
            except self._pdfium.PdfiumError as error:
                raise InputDecodeError(f"{label} cannot be drawn; get the file again") from error
            finally:
                page.close()


def _open(pypdfium2: Any, file: BinaryIO, name: str) -> Any:
    source = file.getvalue() if isinstance(file, io.BytesIO) else file
    try:
        with _PDFIUM:
            return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputDecodeError(f"{name}: PDF is encrypted; save a copy without the password and read that") from error
        raise InputDecodeError(f"{name}: PDF is damaged or cut off; get the file again") from error
