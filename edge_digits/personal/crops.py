"""Cuts digits out of the pictures they stand in, and keeps with each crop where in it the digit is.

A crop is stored as PNG with one text chunk (PNG specification, third edition, 11.3.3.2, tEXt) under the keyword
"edge-digits": JSON with the digit's box in the crop and what is known of its origin. Other programs show the picture and
pass the chunk over.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.reading.reading import Box
from edge_digits.sources.frame import Frame

MARGIN_SHARE: Final = 0.25
"""Paper kept around a digit, of its longer side: enough to see what is paper, and for another crop later."""
READ_MARGIN_SHARE: Final = 0.1
"""Of that, what is looked at: less of a neighbour lies in it whole, and what crosses its border is left out as one."""
FEWEST_MARGIN_PX: Final = 2

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
KEYWORD: Final = b"edge-digits"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a crop comes from.

    box : of the digit, x, y, width, height in pixels of the crop; None where the whole crop is the digit.
    source, page : name of the picture without its folder, and its page. read : what the reader had seen, None for "?".
    """

    box: Box | None = None
    source: str = ""
    page: int = 1
    read: int | None = None


@dataclass(frozen=True, slots=True)
class Crop:
    """A digit as it was seen. picture : uint8 (h, w) grey or (h, w, 3) BGR."""

    picture: NDArray[np.uint8]
    origin: Origin = Origin()

    def close(self) -> NDArray[np.uint8]:
        """The digit with little around it; the whole picture where no box is known."""
        if self.origin.box is None:
            return self.picture
        return _around(self.picture, self.origin.box, READ_MARGIN_SHARE)[0]


def cut_out(frame: Frame, box: Box, read: int | None = None) -> Crop:
    """The frame's own pixels around a box, with a margin of paper; kept inside the frame.

    box : x, y, width, height in pixels of the frame. Raises InputDecodeError for a box that holds nothing of the frame.
    """
    picture, left, top = _around(frame.picture, box, MARGIN_SHARE)
    if picture.size == 0 or min(box[2:]) < 1:
        raise InputDecodeError(f"{frame.source}: box {list(box)} lies outside of the picture, {frame.width}x{frame.height}")
    within = (box[0] - left, box[1] - top, box[2], box[3])
    return Crop(np.ascontiguousarray(picture), Origin(within, Path(frame.source).name, frame.page, read))


def _around(picture: NDArray[np.uint8], box: Box, margin_share: float) -> tuple[NDArray[np.uint8], int, int]:
    """The pixels of a box and a margin around it, and where they begin: left, top."""
    x, y, width, height = box
    margin = max(FEWEST_MARGIN_PX, round(max(width, height) * margin_share))
    top, left = max(0, y - margin), max(0, x - margin)
    return picture[top : max(0, y + height + margin), left : max(0, x + width + margin)], left, top


def encode_crop(crop: Crop) -> bytes:
    """PNG bytes of a crop, its origin in a text chunk where there is anything to tell."""
    data = cv2.imencode(".png", crop.picture)[1].tobytes()
    if crop.origin == Origin():
        return data
    content = KEYWORD + b"\0" + json.dumps(asdict(crop.origin)).encode("ascii")
    chunk = struct.pack(">I", len(content)) + b"tEXt" + content + struct.pack(">I", zlib.crc32(b"tEXt" + content))
    # The first chunk, IHDR, has 13 bytes of content between length, name and checksum; others may follow it in any order.
    first = len(PNG_SIGNATURE) + 4 + 4 + 13 + 4
    return data[:first] + chunk + data[first:]


def read_origin(data: bytes) -> Origin:
    """The origin that a stored crop tells; an empty one for any other picture. data : bytes of a file."""
    at = len(PNG_SIGNATURE)
    if data[:at] != PNG_SIGNATURE:
        return Origin()
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + length]
        if name == b"tEXt" and content.startswith(KEYWORD + b"\0"):
            return _decode(content[len(KEYWORD) + 1 :])
        at += length + 12
    return Origin()


def _decode(content: bytes) -> Origin:
    """What cannot be understood is as if it were not there: the picture itself still is."""
    try:
        entry: dict[str, Any] = json.loads(content)
        box = entry["box"]
        placed = None if box is None else (int(box[0]), int(box[1]), int(box[2]), int(box[3]))
        return Origin(placed, str(entry["source"]), int(entry["page"]), None if entry["read"] is None else int(entry["read"]))
    except (ValueError, KeyError, TypeError, IndexError):
        return Origin()
