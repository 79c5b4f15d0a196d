"""Files that hold pages: PDF and TIFF (a TIFF of one page too). A page is decoded or drawn when it is asked for."""

from __future__ import annotations

from typing import BinaryIO, Final

from edge_digits.options import SourceOptions
from edge_digits.sources.contents import read_at
from edge_digits.sources.pages import Pages
from edge_digits.sources.pdf import PdfPages, is_pdf
from edge_digits.sources.tiff import SIGNATURES, TiffPages

HEAD_BYTES: Final = 64


def is_document(head: bytes) -> bool:
    """Whether a file that starts with `head` is opened here. head : its first bytes, 64 are plenty."""
    return is_pdf(head) or head[:4] in SIGNATURES


def open_document(file: BinaryIO, name: str, options: SourceOptions) -> Pages:
    """Pages of a PDF or TIFF file, of which no more than a page is held in memory.

    file : stays open as long as its pages are read. name : of the file, for messages and Frames.
    Raises InputDecodeError (damaged, encrypted, no page), InputNeedsExtraError (PDF without pypdfium2).
    """
    if is_pdf(read_at(file, name, 0, HEAD_BYTES)):
        return PdfPages(file, name, options)
    return TiffPages(file, name, options)
