"""Picture files made byte by byte where no encoder will make them: orientations, giants, damage."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "BMP": ".bmp", "TIFF": ".tiff"}


def encode(kind: str, picture: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """A picture as a file of a kind, without loss where the kind allows."""
    settings = {"JPEG": [cv2.IMWRITE_JPEG_QUALITY, 100], "WebP": [cv2.IMWRITE_WEBP_QUALITY, 101]}.get(kind, [])
    done, data = cv2.imencode(SUFFIXES[kind], picture, settings)
    assert done
    return bytes(data)


def exif(orientation: int, order: str = "<") -> bytes:
    """A TIFF block that holds nothing but the orientation."""
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    return mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg_oriented(data: bytes, orientation: int, order: str = "<") -> bytes:
    """A JPEG file with an EXIF orientation."""
    body = b"Exif\x00\x00" + exif(orientation, order)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def png_oriented(data: bytes, orientation: int) -> bytes:
    """A PNG file with an eXIf chunk, before its pixels."""
    at = data.index(b"IDAT") - 4
    return data[:at] + png_chunk(b"eXIf", exif(orientation)) + data[at:]


def webp_oriented(data: bytes, width: int, height: int, orientation: int) -> bytes:
    """A WebP file in its extended form with an EXIF chunk."""
    flags = 0x08 | (0x10 if data[12:16] == b"VP8L" and data[24] & 0x10 else 0)
    extended = b"VP8X" + struct.pack("<IB3x", 10, flags) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = exif(orientation)
    content = b"WEBP" + extended + data[12:] + b"EXIF" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(content)) + content


def png_chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def giant_png(width: int, height: int) -> bytes:
    """A sound PNG of white pixels, one bit each: a page of 400 megapixels in some 50 kB."""
    packer = zlib.compressobj(9)
    row = b"\x00" + b"\xff" * ((width + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def giant_header(kind: str, width: int, height: int) -> bytes:
    """A file whose header promises a size and that holds no pixel: nothing can be decoded from it."""
    if kind == "PNG":
        return PNG_SIGNATURE + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + png_chunk(b"IEND", b"")
    if kind == "JPEG":
        frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
        scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0)
        return b"\xff\xd8" + frame + scan + b"\x00\xff\xd9"
    if kind == "BMP":
        return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    if kind == "WebP":
        extended = b"VP8X" + struct.pack("<II", 10, 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return b"RIFF" + struct.pack("<I", len(extended) + 4) + b"WEBP" + extended
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, 1),
    ]
    table = b"".join(struct.pack("<HHII", tag, kind_code, 1, value) for tag, kind_code, value in entries)
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + table + struct.pack("<I", 0) + b"\x00"
