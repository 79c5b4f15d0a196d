"""TIFF files as they lie on the disk: directories are read one by one, and any page can be had as a small file of its own.

A scan of 900 pages need not be in memory for one of them to be decoded: of that page the tags that say how its pixels
are stored, and its strips or tiles, are put into a TIFF with this page alone.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from edge_digits.errors import InputDecodeError
from edge_digits.sources.contents import read_at, size_of

SIGNATURES: Final = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
"""Classic TIFF and BigTIFF, little and big endian."""

# Tags and values of TIFF 6.0 (1992), sections 8, 15, 18 and 22.
COMPRESSION: Final = 259
STRIP_OFFSETS: Final = 273
ORIENTATION: Final = 274
STRIP_BYTE_COUNTS: Final = 279
TILE_OFFSETS: Final = 324
TILE_BYTE_COUNTS: Final = 325
SUB_DIRECTORIES: Final = 330
OLD_JPEG: Final = 6
"""A compression whose tables lie anywhere in the file, at places that further tags give."""
DEFLATE: Final = (8, 32946)
CHECKED_AT_ONCE: Final = 1 << 20

SHORT: Final = 3
LONG8: Final = 16
TYPE_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8}
INTEGER_TYPES: Final = {1: "B", 3: "H", 4: "I", 16: "Q"}
MAX_VALUES: Final = 1 << 22
"""More values than this in one tag is damage: strips of one row in a picture of four million rows."""
MAX_DIRECTORIES: Final = 1 << 20
BIG_HEADER: Final = 16


@dataclass(frozen=True, slots=True)
class Directory:
    """One page of a TIFF file, as its image file directory describes it.

    at, following : byte positions of the directory and of the next one, 0 after the last. tags : the integer tags and their values.
    stored : type, number and bytes of every tag that says how pixels are stored.
    orientation_at : byte position of the Orientation value, None where the page has none.
    """

    at: int
    following: int
    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)
    stored: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    orientation_at: int | None = None

    def first(self, tag: int, default: int = 0) -> int:
        """First value of a tag."""
        return self.tags.get(tag, (default,))[0]

    @property
    def extents(self) -> list[tuple[int, int]]:
        """Place and length in bytes of each strip or tile, of as many as the tags tell both."""
        offsets = self.tags.get(STRIP_OFFSETS) or self.tags.get(TILE_OFFSETS) or ()
        sizes = self.tags.get(STRIP_BYTE_COUNTS) or self.tags.get(TILE_BYTE_COUNTS) or ()
        return list(zip(offsets, sizes, strict=False))

    @property
    def stands_alone(self) -> bool:
        """Whether its tags tell all places of the file that its pixels need."""
        places = len(self.tags.get(STRIP_OFFSETS) or self.tags.get(TILE_OFFSETS) or ())
        return 0 < places == len(self.extents) and self.first(COMPRESSION) != OLD_JPEG


class TiffFile:
    """An opened TIFF file, and how its numbers are stored."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """file : stays open as long as this is used. name : for messages. Raises InputDecodeError."""
        self.file, self.name = file, name
        head, self.size = read_at(file, name, 0, 8), size_of(file)
        if self.size < BIG_HEADER or head[:4] not in SIGNATURES:
            raise InputDecodeError(f"{name}: TIFF is cut off after {self.size} bytes; get the file again")
        self.order = "<" if head[:2] == b"II" else ">"
        big = 43 in (head[2], head[3])
        # Position of the first directory, then the formats of an offset, of the number of entries, and of one entry's inside.
        self.start, self.offset, self.count = (8, "Q", "Q") if big else (4, "I", "H")
        self.inline = struct.calcsize(self.offset)

    def directories(self) -> Iterator[Directory]:
        """Every directory in file order, thumbnails and masks too. Raises InputDecodeError at the first damaged one."""
        seen: set[int] = set()
        (at,) = self._unpack(self.offset, self.start)
        while at:
            if at in seen or len(seen) > MAX_DIRECTORIES:
                raise InputDecodeError(f"{self.name}: TIFF pages lead in a circle after {len(seen)}; the file is damaged, get it again")
            seen.add(at)
            directory = self.directory(at, len(seen))
            yield directory
            at = directory.following

    def directory(self, at: int, number: int) -> Directory:
        """The directory at a byte position. number : of the page, for the message. Raises InputDecodeError."""
        try:
            return self._directory(at)
        except (struct.error, ValueError, OverflowError) as error:
            raise InputDecodeError(f"{self.name}: TIFF page {number} is damaged or cut off; get the file again") from error

    def page_file(self, page: Directory, label: str) -> bytearray:
        """A TIFF file that holds this page alone, its orientation set to 1. label : of the page. Raises InputDecodeError.

        A file whose page does not say where its data lies, or keeps tables elsewhere, is given whole.
        """
        if not page.stands_alone:
            return self._whole(page)
        extents = page.extents
        if sum(length for _, length in set(extents)) > self.size:
            raise InputDecodeError(f"{label} has strips that lie over each other; the file is damaged, get it again")
        alone = bytearray((b"II" if self.order == "<" else b"MM") + struct.pack(self.order + "HHHQ", 43, 8, 0, 0))
        places: dict[tuple[int, int], int] = {}
        for extent in extents:
            if extent not in places:
                places[extent] = len(alone)
                coded = read_at(self.file, self.name, *extent)
                if page.first(COMPRESSION) in DEFLATE:
                    _check_deflated(coded, label)
                alone += coded
                alone += b"\0" * (-len(alone) % 8)
        starts = [places[extent] for extent in extents]
        stored = {**page.stored, ORIENTATION: (SHORT, 1, struct.pack(self.order + "H", 1))}
        stored[STRIP_OFFSETS if STRIP_OFFSETS in stored else TILE_OFFSETS] = (
            LONG8,
            len(starts),
            struct.pack(f"{self.order}{len(starts)}Q", *starts),
        )
        return self._with_directory(alone, stored)

    def _with_directory(self, alone: bytearray, stored: dict[int, tuple[int, int, bytes]]) -> bytearray:
        """The file completed by its only directory, as BigTIFF stores it."""
        entries = struct.pack(self.order + "Q", len(stored))
        for tag, (kind, number, value) in sorted(stored.items()):
            inside = value
            if len(value) > 8:
                inside = struct.pack(self.order + "Q", len(alone))
                alone += value + b"\0" * (-len(value) % 8)
            entries += struct.pack(self.order + "HHQ", tag, kind, number) + inside.ljust(8, b"\0")
        struct.pack_into(self.order + "Q", alone, 8, len(alone))
        return alone + entries + b"\0" * 8

    def _whole(self, page: Directory) -> bytearray:
        data = bytearray(read_at(self.file, self.name))
        struct.pack_into(self.order + self.offset, data, self.start, page.at)
        if page.orientation_at is not None:
            struct.pack_into(self.order + "H", data, page.orientation_at, 1)
        return data

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        form = self.order + form
        return struct.unpack(form, read_at(self.file, self.name, at, struct.calcsize(form)))

    def _directory(self, at: int) -> Directory:
        (count,) = self._unpack(self.count, at)
        entry, step = at + struct.calcsize(self.count), 4 + 2 * self.inline
        if count * step > self.size:
            raise ValueError(f"directory claims {count} entries")
        entries = read_at(self.file, self.name, entry, count * step + self.inline)
        (following,) = struct.unpack_from(self.order + self.offset, entries, count * step)
        tags: dict[int, tuple[int, ...]] = {}
        stored: dict[int, tuple[int, int, bytes]] = {}
        orientation_at = None
        for position in range(0, count * step, step):
            tag, kind, number = struct.unpack_from(self.order + "HH" + self.offset, entries, position)
            if kind not in TYPE_BYTES or not number or not _is_of_pixels(tag):
                continue
            value_at, value = self._value(entry + position + 4 + self.inline, entries[position + 4 + self.inline :], kind, number)
            stored[tag] = (kind, number, value)
            if kind in INTEGER_TYPES:
                tags[tag] = struct.unpack(f"{self.order}{number}{INTEGER_TYPES[kind]}", value)
            if tag == ORIENTATION and kind == SHORT:
                orientation_at = value_at
        return Directory(at, following, tags, stored, orientation_at)

    def _value(self, at: int, inside: bytes, kind: int, number: int) -> tuple[int, bytes]:
        """Byte position of a tag's values, and their bytes. at, inside : of what stands in the entry itself."""
        if number > MAX_VALUES:
            raise ValueError(f"a tag claims {number} values")
        length = number * TYPE_BYTES[kind]
        if length <= self.inline:
            return at, inside[:length]
        (place,) = struct.unpack_from(self.order + self.offset, inside)
        value = read_at(self.file, self.name, place, length)
        if len(value) < length:
            raise ValueError("a tag's values are cut off")
        return place, value


def _is_of_pixels(tag: int) -> bool:
    """Whether a tag is one of TIFF 6.0 or its first supplements (JPEG tables, YCbCr), and leads to no further directory."""
    return (254 <= tag <= 347 and tag != SUB_DIRECTORIES) or 512 <= tag <= 532


def _check_deflated(coded: bytes, label: str) -> None:
    """OpenCV shows what came before the damage, and noise after it, without a word; zlib's own sum tells. Raises InputDecodeError."""
    inflating = zlib.decompressobj()
    try:
        inflating.decompress(coded, CHECKED_AT_ONCE)
        while not inflating.eof and inflating.unconsumed_tail:
            inflating.decompress(inflating.unconsumed_tail, CHECKED_AT_ONCE)
        if inflating.eof:
            return
    except zlib.error:
        pass
    raise InputDecodeError(f"{label} is damaged; get the file again")
