"""TIFF pages: upright once, in eight bits, and refused with a reason where they cannot be."""

from __future__ import annotations

import io
from contextlib import suppress
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.errors import InputDecodeError, InputError, InputTooLargeError
from edge_digits.options import SourceOptions
from edge_digits.sources.frame import Frame
from edge_digits.sources.tiff import TiffPages
from tests.document_files import G4_STRIPE, TiffPage, tiff

NOISE = np.random.default_rng(5).integers(0, 256, (40, 24, 4), dtype=np.uint8)
GREY = np.ascontiguousarray(NOISE[:, :, 0])
RGB = np.ascontiguousarray(NOISE[:, :, :3])
BGR = RGB[:, :, ::-1]

# What each orientation asks for, written down without the function under test: EXIF 2.32, tag 0x0112.
UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p[::-1].swapaxes(0, 1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: p[:, ::-1].swapaxes(0, 1),
}


def frames(data: bytes, limit: float = 100.0) -> list[Frame]:
    pages = TiffPages(io.BytesIO(data), "scan.tif", SourceOptions(max_megapixels=limit))
    return [pages.frame(number) for number in range(1, pages.count + 1)]


def picture(page: TiffPage, **options: bool) -> np.ndarray:
    (frame,) = frames(tiff([page], **options))
    return frame.picture


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("pixels", [GREY, RGB, GREY.astype(np.uint16) * 257], ids=["grey", "colour", "16-bit"])
def test_upright_exactly_once(orientation: int, pixels: np.ndarray) -> None:
    expected = BGR if pixels.ndim == 3 else GREY
    assert np.array_equal(picture(TiffPage(pixels, {274: orientation})), UPRIGHT[orientation](expected))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("deflate", [False, True])
def test_all_orders_of_bytes(order: str, big: bool, deflate: bool) -> None:
    (frame,) = frames(tiff([TiffPage(RGB, {274: 6}, deflate=deflate)], order, big=big))
    assert np.array_equal(frame.picture, UPRIGHT[6](BGR))


def test_pages_of_different_kinds_each_turned_by_its_own_tag() -> None:
    data = tiff([TiffPage(GREY, {274: 8}), TiffPage(RGB), TiffPage(GREY[:20], {274: 3})])
    first, second, third = frames(data)
    assert np.array_equal(first.picture, UPRIGHT[8](GREY))
    assert np.array_equal(second.picture, BGR)
    assert np.array_equal(third.picture, UPRIGHT[3](GREY[:20]))
    assert [(frame.source, frame.page) for frame in (first, second, third)] == [("scan.tif", 1), ("scan.tif", 2), ("scan.tif", 3)]


def test_bilevel_group_4() -> None:
    page = TiffPage(np.zeros((8, 32), np.uint8), {258: 1, 259: 4, 262: 0}, coded=G4_STRIPE)
    expected = np.full((8, 32), 255, np.uint8)
    expected[:, 8:16] = 0
    assert np.array_equal(picture(page), expected)


def test_jpeg_compressed() -> None:
    flat = np.full((32, 48), 77, np.uint8)
    page = TiffPage(flat, {259: 7}, coded=cv2.imencode(".jpg", flat)[1].tobytes())
    assert np.array_equal(picture(page), flat)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_may_be_zero(dtype: type) -> None:
    scale = np.iinfo(dtype).max // 255
    assert np.array_equal(picture(TiffPage(GREY.astype(dtype) * scale, {262: 0})), 255 - GREY)


def test_sixteen_bits_keep_their_scale_and_twelve_are_stretched() -> None:
    ramp = np.linspace(0, 65535, 24 * 40).reshape(40, 24).astype(np.uint16)
    assert np.abs(picture(TiffPage(ramp)).astype(float) - ramp / 257).max() <= 0.5
    assert picture(TiffPage(ramp // 16)).max() == 255


@pytest.mark.parametrize("extra", [1, 2], ids=["multiplied in", "apart"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_laid_over_white(extra: int, dtype: type) -> None:
    scale = np.iinfo(dtype).max // 255
    alpha, colour = 100, np.array([200, 40, 90])
    stored = np.rint(colour * alpha / 255) if extra == 1 else colour
    pixels = np.empty((20, 20, 4), dtype)
    pixels[:] = np.append(stored, alpha) * scale
    expected = (colour * alpha + 255 * (255 - alpha)) / 255
    seen = picture(TiffPage(pixels, {338: extra}))
    assert seen.shape == (20, 20, 3)
    assert np.abs(seen[0, 0, ::-1] - expected).max() <= 2


def test_thumbnails_and_masks_are_no_pages() -> None:
    small = TiffPage(GREY[::4, ::4], {254: 1})
    mask = TiffPage(GREY, {254: 4})
    found = frames(tiff([small, TiffPage(GREY), mask, TiffPage(RGB, {254: 2})]))
    assert [frame.page for frame in found] == [1, 2]
    assert np.array_equal(found[0].picture, GREY)


def test_too_large_is_refused_before_decoding() -> None:
    page = TiffPage(GREY, {256: 20000, 257: 20000})
    with pytest.raises(
        InputTooLargeError, match=r"scan.tif: TIFF page 1: 20000x20000 is 400 megapixels, the limit is 100; .*--max-megapixels"
    ):
        frames(tiff([page]))
    assert len(frames(tiff([TiffPage(GREY)]), limit=40 * 24 / 1e6)) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"II*\x00", "cut off after 4 bytes"),
        (b"II*\x00" + b"\0" * 60, "no page"),
        (tiff([TiffPage(GREY)])[:-40], "page 1 is damaged or cut off"),
        (tiff([TiffPage(GREY, {279: 60000})]), "page 1 is cut off"),
        (tiff([TiffPage(GREY, {256: 0})]), "page 1 has no size"),
        (tiff([TiffPage(GREY, {259: 50000}, coded=b"zstd, which OpenCV does not read")]), "cannot be decoded"),
        (tiff([TiffPage(NOISE.view(np.uint8), {258: (32,), 277: 1, 339: 3, 262: 1})]), "32-bit samples|cannot be decoded"),
        (tiff([TiffPage(GREY, {254: 1})]), "no page"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(data: bytes, says: str) -> None:
    with pytest.raises(InputDecodeError, match=says) as caught:
        frames(data)
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value)


def test_pages_in_a_circle() -> None:
    data = bytearray(tiff([TiffPage(GREY)]))
    data[-4:] = data[4:8]
    with pytest.raises(InputDecodeError, match="circle"):
        frames(bytes(data))


def test_an_offset_beyond_all_memory() -> None:
    data = bytearray(tiff([TiffPage(GREY)], big=True))
    data[8:16] = b"\xff" * 8
    with pytest.raises(InputDecodeError, match="page 1 is damaged or cut off"):
        frames(bytes(data))


def test_good_pages_come_before_the_damaged_one() -> None:
    data = tiff([TiffPage(GREY), TiffPage(RGB), TiffPage(GREY)])
    pages = TiffPages(io.BytesIO(data[:-60]), "scan.tif", SourceOptions())
    assert pages.count == 3
    with pytest.raises(InputDecodeError, match="page 3"):
        pages.frame(3)
    assert [pages.frame(2).page, pages.frame(1).page] == [2, 1]


def test_a_page_with_damaged_data_leaves_the_pages_after_it() -> None:
    broken = TiffPage(GREY, {259: 8}, coded=b"no deflated bytes at all")
    pages = TiffPages(io.BytesIO(tiff([TiffPage(GREY), broken, TiffPage(RGB)])), "scan.tif", SourceOptions())
    with pytest.raises(InputDecodeError, match="page 2 is damaged"):
        pages.frame(2)
    assert np.array_equal(pages.frame(3).picture, BGR)


class CountedReads(io.BytesIO):
    """Notes how many bytes are read at once at most."""

    largest = 0

    def read(self, count: int | None = -1) -> bytes:
        data = super().read(count)
        self.largest = max(self.largest, len(data))
        return data


def test_no_more_than_a_page_is_fetched() -> None:
    file = CountedReads(tiff([TiffPage(RGB, deflate=bool(index % 2)) for index in range(50)]))
    pages = TiffPages(file, "scan.tif", SourceOptions())
    assert pages.count == 50
    assert all(np.array_equal(pages.frame(number).picture, BGR) for number in (50, 1, 2))
    assert file.largest < 2 * RGB.nbytes


@pytest.mark.parametrize("compression", ["group4", "group3", "jpeg", "tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_pages_as_scanners_compress_them(compression: str) -> None:
    pictures = pytest.importorskip("PIL.Image")
    sheet = np.full((64, 96), 255, np.uint8)
    sheet[10:40, 20:50] = 0
    bilevel = compression.startswith("group")
    first, second = (pictures.fromarray(page).convert("1" if bilevel else "L") for page in (sheet, sheet[::-1].copy()))
    data = io.BytesIO()
    first.save(data, "TIFF", save_all=True, append_images=[second], compression=compression)
    one, two = frames(data.getvalue())
    assert np.abs(one.picture.astype(int) - sheet).max() <= (30 if compression == "jpeg" else 0)
    assert np.abs(two.picture.astype(int) - sheet[::-1]).max() <= (30 if compression == "jpeg" else 0)


def test_strips_over_each_other_are_refused() -> None:
    page = TiffPage(np.zeros((400, 8), np.uint8), {279: tuple([3200] * 25)})
    with pytest.raises(InputDecodeError, match=r"over each other|cut off"):
        frames(tiff([page]) + b" " * 3200)


WHOLE = tiff([TiffPage(GREY, {274: 6}, deflate=True), TiffPage(RGB)])


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(WHOLE)))
def test_damage_gives_pictures_or_one_of_our_errors(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    with suppress(InputError):
        for before, after in pairwise(frames(bytes(data[:length]), limit=1)):
            assert before.page + 1 == after.page
