"""A row of JPEG files cut out of bytes, however they come."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_digits.sources import jpeg_stream
from edge_digits.sources.jpeg_stream import JpegSplitter
from tests.doubles.cameras import noisy


def jpeg(seed: int) -> bytes:
    return cv2.imencode(".jpg", noisy(90, seed))[1].tobytes()


def with_preview(picture: bytes) -> bytes:
    """The same picture with a smaller one inside its first segment, as cameras put it into Exif."""
    inside = b"Exif\0\0" + cv2.imencode(".jpg", np.zeros((16, 16), np.uint8))[1].tobytes()
    return picture[:2] + b"\xff\xe1" + (len(inside) + 2).to_bytes(2, "big") + inside + picture[2:]


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 1 << 20])
def test_pictures_are_found_whatever_the_size_of_the_pieces(size: int) -> None:
    pictures = [jpeg(0), with_preview(jpeg(1)), jpeg(2)]
    stream = b"".join(pictures)
    splitter = JpegSplitter()
    found = [picture for at in range(0, len(stream), size) for picture in splitter.feed(stream[at : at + size])]
    assert found == pictures


def test_what_lies_between_pictures_is_dropped() -> None:
    splitter = JpegSplitter()
    assert splitter.feed(b"\xff\xd8 rubbish" + jpeg(0) + b"\r\n--frame\r\n" + jpeg(1) + b"\xff") == [jpeg(0), jpeg(1)]


def test_a_stream_entered_in_the_middle_finds_the_next_picture() -> None:
    assert jpeg(1) in JpegSplitter().feed(jpeg(0)[100:] + jpeg(1))


def test_a_damaged_header_costs_one_picture() -> None:
    broken = bytearray(jpeg(0))
    broken[20] = 0x00  # where the marker of the second segment stands
    assert JpegSplitter().feed(bytes(broken) + jpeg(1))[-1] == jpeg(1)


def test_nothing_gives_nothing() -> None:
    splitter = JpegSplitter()
    assert splitter.feed(b"") == []
    assert splitter.feed(b"\0" * 10_000) == []
    assert len(splitter._bytes) < 3


def test_a_picture_without_an_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_stream, "MOST_BYTES", 5000)
    splitter = JpegSplitter()
    splitter.feed(jpeg(0)[:-2])
    for _ in range(20):
        splitter.feed(b"\x01" * 1000)
    assert len(splitter._bytes) <= 5000
    assert splitter.feed(b"\xff\xd9" + jpeg(1))[-1] == jpeg(1)
