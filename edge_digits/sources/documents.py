"""Files that hold pages: PDF and TIFF (a TIFF of one page too). Pages are opened one at a time, when asked for.

PDF needs the extra `documents` (pypdfium2). A page is drawn as a printer would draw it, at `dpi`; a text layer is
drawn as ink like everything else, never read as text.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError, InputNeedsExtraError
from edge_digits.options import SourceOptions
from edge_digits.sources.contents import read_contents
from edge_digits.sources.frame import Frame
from edge_digits.sources.pixels import check_size
from edge_digits.sources.tiff import SIGNATURES, tiff_frames

PDF_SIGNATURE: Final = b"%PDF-"
POINTS_PER_INCH: Final = 72.0

_PDFIUM: Final = Lock()
"""PDFium may not be entered by two threads at once, not even for two documents."""


def is_document(head: bytes) -> bool:
    """Whether a file that starts with `head` is opened here. head : its first bytes, 64 are plenty."""
    return is_pdf(head) or head[:4] in SIGNATURES


def is_pdf(head: bytes) -> bool:
    """Whether a file that starts with `head` is a PDF; white space and a byte order mark before it are forgiven."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(PDF_SIGNATURE)


def document_frames(path: Path, data: bytes | None, options: SourceOptions) -> Iterator[Frame]:
    """Frames of a PDF or TIFF file, one a page.

    path : the file, or only its name for messages where `data`, its bytes, are given. Each Frame's source is str(path).
    Raises InputDecodeError (damaged, encrypted, no page), InputTooLargeError (before a page is decoded or drawn),
    InputNeedsExtraError (PDF without pypdfium2), InputNotFoundError, InputPermissionError.
    """
    head = data[:64] if data is not None else read_contents(path, 64)
    if is_pdf(head):
        yield from _pdf_frames(path, data, options)
    else:
        yield from tiff_frames(data if data is not None else read_contents(path), str(path), options)


def _pdf_frames(path: Path, data: bytes | None, options: SourceOptions) -> Iterator[Frame]:
    try:
        import pypdfium2
    except ImportError as error:
        raise InputNeedsExtraError(f'{path}: PDF needs an extra; run: pip install "edge-digits[documents]"') from error
    # The file is opened here, not by PDFium, so that a missing or forbidden one gives the same error as any other file.
    with contextlib.ExitStack() as stack:
        document = _open_pdf(pypdfium2, path, data, stack)
        count = len(document)
        if not count:
            raise InputDecodeError(f"{path}: PDF holds no page; get the file again")
        for index in range(count):
            yield Frame.from_array(_draw_page(pypdfium2, document, index, path, options), str(path), index + 1)


def _open_pdf(pypdfium2: Any, path: Path, data: bytes | None, stack: contextlib.ExitStack) -> Any:
    """The document, closed with the stack; so is its file, after it."""
    source: Any = data
    if data is None:
        try:
            source = stack.enter_context(path.open("rb"))
        except OSError:
            read_contents(path, 1)
            raise
    try:
        with _PDFIUM:
            document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputDecodeError(f"{path}: PDF is encrypted; save a copy without the password and read that") from error
        raise InputDecodeError(f"{path}: PDF is damaged or cut off; get the file again") from error

    def close() -> None:
        with _PDFIUM:
            document.close()

    stack.callback(close)
    return document


def _draw_page(pypdfium2: Any, document: Any, index: int, path: Path, options: SourceOptions) -> NDArray[np.uint8]:
    """One page as uint8 (h, w, 3) BGR at options.dpi."""
    label, scale = f"{path}: PDF page {index + 1}", options.dpi / POINTS_PER_INCH
    with _PDFIUM:
        try:
            page = document[index]
        except pypdfium2.PdfiumError as error:
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
        except pypdfium2.PdfiumError as error:
            raise InputDecodeError(f"{label} cannot be drawn; get the file again") from error
        finally:
            page.close()
