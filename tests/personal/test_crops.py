"""Crops: cut with paper around them, stored with where the digit is, read without their neighbours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_digits.errors import InputDecodeError
from edge_digits.personal.crops import Crop, Origin, cut_out, encode_crop, read_origin
from edge_digits.personal.samples import glyph_of
from edge_digits.sources.frame import Frame
from tests.strokes import draw_digit

PICTURE = np.random.default_rng(5).integers(0, 256, (40, 30), np.uint8)


def test_what_is_known_of_a_crop_is_stored_inside_the_png() -> None:
    crop = Crop(PICTURE, Origin((3, 4, 20, 30), "page 1.jpg", 2, None))
    data = encode_crop(crop)
    assert read_origin(data) == crop.origin
    assert (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) == PICTURE).all()


def test_a_picture_without_origin_is_plain_png() -> None:
    data = encode_crop(Crop(PICTURE))
    assert b"tEXt" not in data
    assert read_origin(data) == Origin()


@pytest.mark.parametrize("damage", [b"", b"no png", encode_crop(Crop(PICTURE, Origin((1, 1, 5, 5))))[:50]])
def test_whatever_cannot_be_understood_has_no_origin(damage: bytes) -> None:
    assert read_origin(damage) == Origin()


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"box": [1], "source": "", "page": 1, "read": null}', b'{"box": null}', b"\xff"])
def test_a_chunk_of_somebody_else_is_passed_over(text: bytes) -> None:
    data = encode_crop(Crop(PICTURE, Origin((1, 1, 5, 5))))
    start = data.index(b"edge-digits\0") + len(b"edge-digits\0")
    length = int.from_bytes(data[start - 16 - 4 : start - 16], "big") - len(b"edge-digits\0")
    assert read_origin(data[:start] + text.ljust(length) + data[start + length :]) == Origin()


def test_a_neighbour_in_the_margin_is_not_learned() -> None:
    digit, neighbour = draw_digit(8, 80, 7), draw_digit(1, 80, 7)
    page = np.full((160, 260), 250, np.uint8)
    page[40 : 40 + digit.shape[0], 80 : 80 + digit.shape[1]] -= np.minimum(digit, 240)
    left = 80 + digit.shape[1] + 6
    page[40 : 40 + neighbour.shape[0], left : left + neighbour.shape[1]] -= np.minimum(neighbour, 240)
    rows, columns = np.nonzero(digit)
    box = (80 + int(columns.min()), 40 + int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    crop = cut_out(Frame.from_array(page), box)
    assert crop.origin.box is not None
    assert crop.picture.shape[1] > box[2] + 20
    alone = np.flatnonzero(glyph_of(crop).any(axis=0))
    assert np.ptp(alone) + 1 <= box[2] + 6


@pytest.mark.parametrize("box", [(50, 5, 10, 10), (-40, 0, 10, 10), (5, 5, 0, 4)])
def test_a_box_outside_of_the_picture_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputDecodeError, match="outside of the picture"):
        cut_out(Frame.from_array(PICTURE), box)
