"""PDF and TIFF files made byte by byte: any orientation, depth and order of bytes, encryption, damage."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SHORT, LONG, LONG8 = 3, 4, 16
LETTERS = {SHORT: "H", LONG: "I", LONG8: "Q"}
STRIP_ROWS = 16

G4_STRIPE = int("001" + "10011" + "000101" + "1" + "111" * 7 + "000000000001" * 2 + "0" * 4, 2).to_bytes(8, "big")
"""CCITT Group 4 (T.6): 32 columns and 8 rows, white with black in columns 8 to 15. Row 1 in horizontal mode (8 white,
8 black), the rest of it and the other rows as the row above, then the end of the block."""


@dataclass
class TiffPage:
    """One page of a TIFF file.

    pixels : (h, w) or (h, w, c), channels in RGB order, stored as they are. tags : further tags of type SHORT, or in
    place of those that the pixels give. coded : bytes to store in place of the pixels. deflate : compress the pixels.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    tags: dict[int, int | tuple[int, ...]] = field(default_factory=dict)
    coded: bytes | None = None
    deflate: bool = False

    def strips(self, order: str) -> list[bytes]:
        if self.coded is not None:
            return [self.coded]
        rows = np.ascontiguousarray(self.pixels.astype(self.pixels.dtype.newbyteorder(order)))
        raw = [rows[top : top + STRIP_ROWS].tobytes() for top in range(0, len(rows), STRIP_ROWS)]
        return [zlib.compress(strip) for strip in raw] if self.deflate else raw

    def short_tags(self) -> dict[int, tuple[int, ...]]:
        channels = 1 if self.pixels.ndim == 2 else self.pixels.shape[2]
        tags: dict[int, int | tuple[int, ...]] = {
            256: self.pixels.shape[1],
            257: self.pixels.shape[0],
            258: (self.pixels.itemsize * 8,) * channels,
            259: 8 if self.deflate else 1,
            262: 2 if channels > 2 else 1,
            277: channels,
            278: self.pixels.shape[0] if self.coded is not None else STRIP_ROWS,
        }
        if channels == 4:
            tags[338] = 2
        return {tag: value if isinstance(value, tuple) else (value,) for tag, value in (tags | self.tags).items()}


def tiff(pages: Sequence[TiffPage], order: str = "<", *, big: bool = False) -> bytes:
    """A TIFF file. order : "<" or ">". big : BigTIFF, with offsets of 64 bits."""
    offset, count, inline = ("Q", "Q", 8) if big else ("I", "H", 4)
    data = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42))
    data += struct.pack(order + "HH", 8, 0) if big else b""
    link = len(data)
    data += b"\0" * inline
    for page in pages:
        strips = page.strips(order)
        starts = []
        for strip in strips:
            starts.append(len(data))
            data += strip + b"\0" * (len(strip) % 2)
        wide = LONG8 if big else LONG
        tags = {273: (wide, tuple(starts)), 279: (wide, tuple(map(len, strips)))}
        tags |= {tag: (SHORT, values) for tag, values in page.short_tags().items()}
        entries = b""
        for tag, (kind, values) in sorted(tags.items()):
            packed = struct.pack(f"{order}{len(values)}{LETTERS[kind]}", *values)
            if len(packed) > inline:
                place = struct.pack(order + offset, len(data))
                data += packed + b"\0" * (len(packed) % 2)
                packed = place
            entries += struct.pack(order + "HH" + offset, tag, kind, len(values)) + packed.ljust(inline, b"\0")
        struct.pack_into(order + offset, data, link, len(data))
        data += struct.pack(order + count, len(tags)) + entries
        link = len(data)
        data += b"\0" * inline
    return bytes(data)


def pdf(pictures: Sequence[NDArray[np.uint8]], *, size_pt: tuple[float, float] = (216, 144), encrypted: bool = False) -> bytes:
    """A PDF file with one grey picture (h, w) a page that fills it. encrypted : no password known to anyone opens it."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pictures)} /Kids [{' '.join(f'{3 + 3 * i} 0 R' for i in range(len(pictures)))}] >>".encode(),
    ]
    width, height = size_pt
    for index, picture in enumerate(pictures):
        first, coded, drawing = 3 + 3 * index, zlib.compress(picture.tobytes()), f"{width} 0 0 {height} 0 0 cm /P Do".encode()
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents {first + 1} 0 R "
            f"/Resources << /XObject << /P {first + 2} 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
            b"<< /Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
            b" /Width %d /Height %d /Length %d >>\nstream\n%s\nendstream" % (picture.shape[1], picture.shape[0], len(coded), coded),
        ]
    data, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    lock = b" /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"5a" * 32, b"a5" * 32) if encrypted else b""
    ends = (len(objects) + 1, b"41" * 16, b"41" * 16, lock, len(data))
    data += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    data += b"trailer\n<< /Size %d /Root 1 0 R /ID [<%s> <%s>]%s >>\nstartxref\n%d\n%%%%EOF\n" % ends
    return bytes(data)
