"""Cuts a row of JPEG pictures, one directly after the other, out of a stream of bytes."""

from __future__ import annotations

from typing import Final

START: Final = b"\xff\xd8\xff"
END: Final = b"\xff\xd9"
SCAN: Final = 0xDA
"""Start of scan: from here on come coded pixels, in which a byte 255 is always followed by 0 or by a restart marker."""
ALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a segment (TEM, RST0 to RST7). ITU-T T.81, table B.1."""
MOST_BYTES: Final = 64_000_000
"""Longest picture that is waited for: many times a JPEG of 16384x16384 pixels of paper; more is a broken stream."""


class JpegSplitter:
    """Takes bytes as they come and gives whole JPEG files. What lies between pictures is dropped."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._seen = 0  # up to here the end of the picture has been looked for
        self._in_scan = False

    def feed(self, data: bytes) -> list[bytes]:
        """Pictures that these bytes complete, oldest first."""
        self._bytes += data
        pictures = []
        while (end := self._end()) > 0:
            pictures.append(bytes(self._bytes[:end]))
            self._drop(end)
        if len(self._bytes) > MOST_BYTES:
            self._drop(len(START))  # go on at the next picture
        return pictures

    def _end(self) -> int:
        """Length of the picture at the front, 0 while it is not whole."""
        if not self._seek_start():
            return 0
        while not self._in_scan:
            # A preview inside a segment has an end of its own, so segments are stepped over by their lengths.
            if len(self._bytes) < self._seen + 4:
                return 0
            if self._bytes[self._seen] != 0xFF:  # no marker where one must be: damaged
                self._drop(len(START))
                if not self._seek_start():
                    return 0
                continue
            marker = self._bytes[self._seen + 1]
            if marker == 0xFF:  # fill byte
                self._seen += 1
            elif marker in ALONE:
                self._seen += 2
            else:
                self._in_scan = marker == SCAN
                self._seen += 2 + int.from_bytes(self._bytes[self._seen + 2 : self._seen + 4], "big")
        at = self._bytes.find(END, self._seen)
        if at < 0:
            self._seen = max(self._seen, len(self._bytes) - 1)
            return 0
        return at + len(END)

    def _seek_start(self) -> bool:
        if self._seen:
            return True
        at = self._bytes.find(START)
        if at < 0:
            del self._bytes[: max(0, len(self._bytes) - len(START) + 1)]
            return False
        del self._bytes[:at]
        self._seen = 2
        return True

    def _drop(self, count: int) -> None:
        del self._bytes[:count]
        self._seen, self._in_scan = 0, False
