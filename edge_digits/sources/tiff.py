"""TIFF, page by page: the file's own directories are read here, the pixels are decoded by OpenCV.

OpenCV alone will not do: `imread` gives None for Orientation 5..8, shows page 1 only, and says no size before it
decodes. So each page's directory is parsed first (size against the pixel limit, orientation, extent of its data); then
the header is pointed at that page with the orientation set to 1, OpenCV decodes the one page, and the orientation is
applied once, by the same function as for every other kind of picture.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.options import SourceOptions
from edge_digits.sources.frame import Frame
from edge_digits.sources.orientation import apply_orientation
from edge_digits.sources.pixels import check_size, eight_bit

SIGNATURES: Final = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
"""Classic TIFF and BigTIFF, little and big endian."""

# Tags and values of TIFF 6.0 (1992), sections 8, 15 and 18.
NEW_SUBFILE_TYPE: Final = 254
IMAGE_WIDTH: Final = 256
IMAGE_LENGTH: Final = 257
BITS_PER_SAMPLE: Final = 258
PHOTOMETRIC: Final = 262
STRIP_OFFSETS: Final = 273
ORIENTATION: Final = 274
STRIP_BYTE_COUNTS: Final = 279
TILE_OFFSETS: Final = 324
TILE_BYTE_COUNTS: Final = 325
EXTRA_SAMPLES: Final = 338
WHITE_IS_ZERO: Final = 0
ASSOCIATED_ALPHA: Final = 1
NOT_A_PAGE: Final = 0b101
"""NewSubfileType bits of a smaller copy (thumbnail) and of a transparency mask."""

INTEGER_TYPES: Final = {1: "B", 3: "H", 4: "I", 16: "Q"}
MAX_VALUES: Final = 1 << 22
"""More values than this in one tag is damage: strips of one row in a picture of four million rows."""


@dataclass(frozen=True, slots=True)
class Directory:
    """One page of a TIFF file, as its image file directory describes it.

    at : byte position of the directory. tags : the integer tags and their values.
    orientation_at : byte position of the Orientation value, None where the page has none.
    """

    at: int
    tags: dict[int, tuple[int, ...]]
    orientation_at: int | None

    def first(self, tag: int, default: int = 0) -> int:
        """First value of a tag."""
        return self.tags.get(tag, (default,))[0]


class TiffFile:
    """The bytes of a TIFF file, and how its numbers are stored."""

    def __init__(self, data: bytes | bytearray, name: str) -> None:
        """data : the whole file. name : for messages. Raises InputDecodeError."""
        self.data = bytearray(data)
        self.name = name
        if len(data) < 16 or bytes(data[:4]) not in SIGNATURES:
            raise InputDecodeError(f"{name}: TIFF is cut off after {len(data)} bytes; get the file again")
        self.order = "<" if data[:2] == b"II" else ">"
        big = 43 in (data[2], data[3])
        # Position of the first directory, then the formats of an offset, of the number of entries, and of one entry's inside.
        self.start, self.offset, self.count = (8, "Q", "Q") if big else (4, "I", "H")
        self.inline = struct.calcsize(self.offset)

    def directories(self) -> Iterator[Directory]:
        """Every directory in file order, thumbnails and masks too. Raises InputDecodeError at the first damaged one."""
        seen: set[int] = set()
        (at,) = self._unpack(self.offset, self.start)
        while at:
            if at in seen:
                raise InputDecodeError(f"{self.name}: TIFF pages lead in a circle after {len(seen)}; the file is damaged, get it again")
            seen.add(at)
            try:
                directory, at = self._directory(at)
            except (struct.error, ValueError, OverflowError) as error:
                raise InputDecodeError(f"{self.name}: TIFF page {len(seen)} is damaged or cut off; get the file again") from error
            yield directory

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + form, self.data, at)

    def _directory(self, at: int) -> tuple[Directory, int]:
        (count,) = self._unpack(self.count, at)
        entry, step = at + struct.calcsize(self.count), 4 + 2 * self.inline
        tags: dict[int, tuple[int, ...]] = {}
        orientation_at = None
        for position in range(entry, entry + count * step, step):
            tag, kind, number = self._unpack("HH" + self.offset, position)
            if kind not in INTEGER_TYPES or not number:
                continue
            if number > MAX_VALUES:
                raise ValueError(f"tag {tag} claims {number} values")
            form, value_at = f"{number}{INTEGER_TYPES[kind]}", position + 4 + self.inline
            if struct.calcsize("=" + form) > self.inline:
                (value_at,) = self._unpack(self.offset, value_at)
            tags[tag] = self._unpack(form, value_at)
            if tag == ORIENTATION and kind == 3:
                orientation_at = value_at
        (following,) = self._unpack(self.offset, entry + count * step)
        return Directory(at, tags, orientation_at), following

    def is_cut_off(self, page: Directory) -> bool:
        """Whether the page's coded data reaches past the end of the file."""
        offsets = page.tags.get(STRIP_OFFSETS) or page.tags.get(TILE_OFFSETS) or ()
        sizes = page.tags.get(STRIP_BYTE_COUNTS) or page.tags.get(TILE_BYTE_COUNTS) or ()
        return any(offset + size > len(self.data) for offset, size in zip(offsets, sizes, strict=False))

    def decode(self, page: Directory) -> NDArray[Any] | None:
        """The page's pixels as OpenCV gives them, not yet upright; None where it cannot."""
        struct.pack_into(self.order + self.offset, self.data, self.start, page.at)
        if page.orientation_at is not None:
            struct.pack_into(self.order + "H", self.data, page.orientation_at, 1)
        coded = np.frombuffer(self.data, np.uint8)
        for flag in (cv2.IMREAD_UNCHANGED, cv2.IMREAD_COLOR):
            try:
                picture = cv2.imdecode(coded, flag)
            except cv2.error:
                continue
            if picture is not None and picture.size:
                return np.asarray(picture)
        return None


def tiff_frames(data: bytes | bytearray, name: str, options: SourceOptions) -> Iterator[Frame]:
    """Frames of a TIFF file, one a page, decoded when asked for; thumbnails and masks are no pages.

    data : the whole file. Grey, bilevel, palette, colour, CMYK; 8 bit and less, 16 bit; alpha is laid over white.
    Raises InputDecodeError, InputTooLargeError.
    """
    file = TiffFile(data, name)
    number = 0
    for directory in file.directories():
        if directory.first(NEW_SUBFILE_TYPE) & NOT_A_PAGE:
            continue
        number += 1
        yield Frame.from_array(_page_picture(file, directory, f"{name}: TIFF page {number}", options), name, number)
    if not number:
        raise InputDecodeError(f"{name}: TIFF holds no page; get the file again")


def _page_picture(file: TiffFile, page: Directory, label: str, options: SourceOptions) -> NDArray[np.uint8]:
    width, height = page.first(IMAGE_WIDTH), page.first(IMAGE_LENGTH)
    if not width or not height:
        raise InputDecodeError(f"{label} has no size; the file is damaged, get it again")
    check_size(width, height, label, options)
    if file.is_cut_off(page):
        raise InputDecodeError(f"{label} is cut off; get the file again")
    picture = file.decode(page)
    if picture is None:
        raise InputDecodeError(f"{label} cannot be decoded: damaged, or of a compression that OpenCV lacks; save it again as PNG")
    if picture.dtype not in (np.uint8, np.uint16):
        raise InputDecodeError(f"{label} has {page.first(BITS_PER_SAMPLE)}-bit samples ({picture.dtype}); save it with 8 or 16 bits")
    return np.ascontiguousarray(apply_orientation(_opaque_eight_bit(picture, page), page.first(ORIENTATION, 1)))


def _opaque_eight_bit(picture: NDArray[Any], page: Directory) -> NDArray[np.uint8]:
    """uint8 (h, w) or (h, w, 3), or (h, w, 4) with an alpha that has not been multiplied in."""
    deep = picture.dtype == np.uint16
    if deep and page.first(PHOTOMETRIC, 1) == WHITE_IS_ZERO:
        # OpenCV turns 8-bit pages of this kind round, 16-bit ones not.
        picture = np.iinfo(np.uint16).max - picture
    pixels = eight_bit(picture)
    premultiplied = not deep or page.first(EXTRA_SAMPLES) == ASSOCIATED_ALPHA
    if pixels.ndim == 3 and pixels.shape[2] == 4 and premultiplied:
        # libtiff's RGBA road, which OpenCV takes for 8 bits, multiplies colour by alpha: only the paper's share is added.
        return cv2.add(pixels[:, :, :3], cv2.merge([255 - pixels[:, :, 3]] * 3)).astype(np.uint8, copy=False)
    return pixels
