"""Opens whatever a user points at: path, bytes or array; gives Frames, or one clear error.

Kinds are told by their first bytes, never by the file name. Sizes are read from the header, so that a picture over
the pixel limit is refused before a byte of it is decoded.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.options import SourceOptions
from edge_digits.sources.contents import open_contents, read_at
from edge_digits.sources.documents import HEAD_BYTES, is_document, open_document
from edge_digits.sources.frame import Frame
from edge_digits.sources.orientation import apply_orientation, read_orientation
from edge_digits.sources.pages import Pages
from edge_digits.sources.pixels import check_size, eight_bit

READABLE: Final = "JPEG, PNG, WebP, BMP, TIFF or PDF"

Source = str | Path | bytes | NDArray[Any]


def open_frames(source: Source, options: SourceOptions) -> Iterator[Frame]:
    """Frames of a source, one a page; the first page that is damaged ends them. See `open_pages`."""
    with closing(open_pages(source, options)) as pages:
        for number in range(1, pages.count + 1):
            yield pages.frame(number)


def open_pages(source: Source | BinaryIO, options: SourceOptions, name: str | None = None) -> Pages:
    """Pages of a source.

    source : path of a picture or document, an opened file, the bytes of one, or a uint8 array (h, w) or (h, w, 3) BGR.
    name : for messages and Frames; the path, "bytes" or "array" by default. An opened file stays open and stays the caller's.
    Raises InputNotFoundError, InputIsFolderError, InputPermissionError, InputDecodeError, InputTooLargeError,
    InputNeedsExtraError, each with the source's name.
    """
    if isinstance(source, np.ndarray):
        check_size(source.shape[1] if source.ndim > 1 else 0, source.shape[0] if source.ndim else 0, name or "array", options)
        picture = source
        return _OnePicture(name or "array", lambda: Frame.from_array(picture, name or "array"))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _pages_of(io.BytesIO(source), name or "bytes", options)
    if isinstance(source, (str, Path)):
        file = open_contents(Path(source))
        try:
            return _Owned(_pages_of(file, name or str(source), options), file)
        except BaseException:
            file.close()
            raise
    return _pages_of(source, name or "file", options)


def _pages_of(file: BinaryIO, name: str, options: SourceOptions) -> Pages:
    head = read_at(file, name, 0, HEAD_BYTES)
    kind = _sniff(head, name)
    if is_document(head):
        return open_document(file, name, options)
    return _OnePicture(name, lambda: Frame.from_array(_decode(kind, read_at(file, name), name, options), name))


class _OnePicture:
    """A picture, which is its own only page."""

    count = 1

    def __init__(self, name: str, decode: Callable[[], Frame]) -> None:
        self._name, self._decode = name, decode

    def frame(self, number: int) -> Frame:
        if number != 1:
            raise ValueError(f"page is {number}; {self._name} has 1")
        return self._decode()

    def close(self) -> None:
        """Nothing is open."""


class _Owned:
    """Pages of a file that is closed with them."""

    def __init__(self, pages: Pages, file: BinaryIO) -> None:
        self._pages, self._file = pages, file

    @property
    def count(self) -> int:
        return self._pages.count

    def frame(self, number: int) -> Frame:
        return self._pages.frame(number)

    def close(self) -> None:
        self._pages.close()
        self._file.close()


def _sniff(head: bytes, name: str) -> str:
    if not head:
        raise InputDecodeError(f"{name}: file is empty (0 bytes); give a {READABLE} file")
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:2] == b"BM":
        return "BMP"
    if is_document(head):
        return "document"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif"):
        raise InputDecodeError(f"{name}: HEIC and AVIF pictures are not read; save it as JPEG (iPhone: Camera > Formats > Most Compatible)")
    raise InputDecodeError(f"{name}: not a picture (starts with {head[:8]!r}); give a {READABLE} file")


def _decode(kind: str, data: bytes, name: str, options: SourceOptions) -> NDArray[np.uint8]:
    try:
        width, height = {"JPEG": _jpeg_size, "PNG": _png_size, "WebP": _webp_size, "BMP": _bmp_size}[kind](data)
        truncated = _is_truncated(kind, data)
    except (struct.error, IndexError, ValueError) as error:
        raise InputDecodeError(f"{name}: {kind} header is damaged or cut off; get the file again") from error
    check_size(width, height, name, options)
    if truncated:
        raise InputDecodeError(f"{name}: {kind} file is cut off after {len(data)} bytes; get the file again")
    # UNCHANGED keeps alpha and 16 bits but leaves EXIF alone; the other flag applies EXIF by itself.
    keeps_all = kind == "PNG" or (kind == "WebP" and _webp_has_alpha(data))
    flag = cv2.IMREAD_UNCHANGED if keeps_all else cv2.IMREAD_ANYCOLOR
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        raise InputDecodeError(f"{name}: {kind} cannot be decoded ({error.err}); get the file again") from error
    if picture is None or picture.size == 0:
        raise InputDecodeError(f"{name}: {kind} cannot be decoded; the file is damaged, get it again")
    if keeps_all:
        picture = apply_orientation(picture, read_orientation(_png_exif(data) if kind == "PNG" else _webp_chunk(data, b"EXIF")))
    return eight_bit(picture)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment up to and including the first scan header."""
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError("marker expected")
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, at + 4, at + 2 + length
        if marker == 0xDA:
            return
        at += 2 + length


def _jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, start, _ in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, start + 1)
            return width, height
    raise ValueError("no frame header")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at + 8, at + 8 + length
        at += 12 + length


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _png_exif(data: bytes) -> bytes:
    return next((data[start:end] for name, start, end in _png_chunks(data) if name == b"eXIf"), b"")


def _webp_chunk(data: bytes, wanted: bytes) -> bytes:
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name == wanted:
            return data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
    return b""


def _webp_size(data: bytes) -> tuple[int, int]:
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _webp_has_alpha(data: bytes) -> bool:
    return (data[12:16] == b"VP8X" and bool(data[20] & 0x10)) or (data[12:16] == b"VP8L" and bool(data[24] & 0x10))


def _bmp_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _is_truncated(kind: str, data: bytes) -> bool:
    if kind == "JPEG":
        # Inside the coded data 0xFF is always followed by 0x00 or a restart marker: the first FF D9 is the true end.
        scan = max(end for _, _, end in _jpeg_segments(data))
        return data.find(b"\xff\xd9", scan) < 0
    if kind == "PNG":
        return all(name != b"IEND" for name, _, _ in _png_chunks(data))
    if kind == "WebP":
        return bool(len(data) < struct.unpack_from("<I", data, 4)[0] + 8)
    return _is_bmp_truncated(data)


def _is_bmp_truncated(data: bytes) -> bool:
    (start,), (bits, packing) = struct.unpack_from("<I", data, 10), struct.unpack_from("<HI", data, 28)
    width, height = _bmp_size(data)
    row = (width * bits + 31) // 32 * 4  # rows are filled up to four bytes
    # Run lengths (1 and 2) say nothing of the file's size.
    return packing not in (1, 2) and len(data) < start + row * height
