"""Picture files of every kind, each upright once, and everything that is no picture refused in one clear line."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.errors import (
    InputDecodeError,
    InputError,
    InputIsFolderError,
    InputNotFoundError,
    InputPermissionError,
    InputTooLargeError,
    UsageError,
)
from edge_digits.options import DEFAULT_MAX_MEGAPIXELS, SourceOptions
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames
from tests.picture_files import SUFFIXES, encode, giant_header, giant_png, jpeg_oriented, png_oriented, webp_oriented

OPTIONS = SourceOptions()
KINDS = list(SUFFIXES)
ORIENTATIONS = range(1, 9)
JPEG_LOSS = 12


def one(source: str | Path | bytes | NDArray[np.uint8], options: SourceOptions = OPTIONS) -> Frame:
    """The only frame of a source."""
    frames = list(open_frames(source, options))
    assert len(frames) == 1
    return frames[0]


def scene(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    """A colour picture whose four quarters differ, smooth enough for JPEG."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = (rows * 255 / height, columns * 255 / width, np.full((height, width), 90.0))
    return np.stack(planes, axis=2).astype(np.uint8)


def turned(picture: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """What a camera held the wrong way stores of an upright picture, by the definition of EXIF: where row 0 and column 0 lie."""
    stored = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.swapaxes(0, 1),
        6: np.rot90(picture, 1),
        7: np.rot90(picture, 2).swapaxes(0, 1),
        8: np.rot90(picture, -1),
    }
    return np.ascontiguousarray(stored[orientation])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", ["colour", "grey"])
def test_every_kind_gives_the_picture(kind: str, channels: str, tmp_path: Path) -> None:
    picture = scene() if channels == "colour" else scene()[:, :, 1]
    path = tmp_path / "page.dat"
    path.write_bytes(encode(kind, picture))
    for source in (path, str(path), path.read_bytes()):
        frame = one(source)
        shown = frame.picture if channels == "colour" else frame.grey()
        assert shown.shape == picture.shape
        assert np.abs(shown.astype(int) - picture).max() <= (JPEG_LOSS if kind == "JPEG" else 0)
        assert (frame.width, frame.height, frame.page) == (60, 40, 1)
        assert not frame.picture.flags.writeable
    assert one(path).source == str(path)
    assert one(path.read_bytes()).source == "bytes"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(kind: str) -> None:
    picture = scene()[:, :, 1].astype(np.uint16) * 257
    assert (one(encode(kind, picture)).grey() == scene()[:, :, 1]).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_twelve_bits_in_sixteen_are_stretched(kind: str) -> None:
    picture = scene()[:, :, 1].astype(np.uint16) * 16
    assert one(encode(kind, picture)).grey().max() == 255


@pytest.mark.parametrize("kind", ["PNG", "WebP"])
def test_alpha_is_laid_over_white(kind: str) -> None:
    picture = np.zeros((20, 30, 4), np.uint8)
    picture[:, :10, 3] = 255
    picture[:, 10:20, 3] = 51
    shown = one(encode(kind, picture)).picture
    assert shown.shape == (20, 30, 3)
    assert [int(shown[5, column, 0]) for column in (5, 15, 25)] == [0, 204, 255]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_jpeg_orientation_is_applied_once(orientation: int, order: str) -> None:
    shown = one(jpeg_oriented(encode("JPEG", turned(scene(), orientation)), orientation, order)).picture
    assert shown.shape == scene().shape
    assert np.abs(shown.astype(int) - scene()).max() <= JPEG_LOSS


@pytest.mark.parametrize("channels", ["colour", "grey", "alpha"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_png_orientation_is_applied_once(orientation: int, channels: str) -> None:
    opaque = np.dstack([scene(), np.full((40, 60), 255, np.uint8)])
    upright = {"colour": scene(), "grey": scene()[:, :, 1], "alpha": opaque}[channels]
    shown = one(png_oriented(encode("PNG", turned(upright, orientation)), orientation)).picture
    assert (shown == (scene() if channels == "alpha" else upright)).all()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_webp_orientation_is_applied_once(orientation: int) -> None:
    stored = turned(scene(), orientation)
    shown = one(webp_oriented(encode("WebP", stored), stored.shape[1], stored.shape[0], orientation)).picture
    assert (shown == scene()).all()


def test_an_orientation_that_does_not_exist_is_ignored() -> None:
    shown = one(jpeg_oriented(encode("JPEG", scene()), 9)).picture
    assert shown.shape == scene().shape


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4), (1, 1)])
def test_arrays_are_taken(shape: tuple[int, ...]) -> None:
    assert one(np.full(shape, 255, np.uint8)).picture.shape[:2] == shape[:2]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((5, 7), np.float32),
        np.zeros((5, 7, 2), np.uint8),
        np.zeros((0, 7), np.uint8),
        np.zeros(9, np.uint8),
        np.zeros((), np.uint8),
    ],
)
def test_other_arrays_are_refused(array: NDArray[np.uint8]) -> None:
    with pytest.raises(InputDecodeError, match=r"^array: picture .*; give "):
        one(array)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shade", [0, 255])
def test_pictures_of_one_pixel_and_one_shade(kind: str, shade: int) -> None:
    for shape in ((1, 1), (1, 300), (64, 48)):
        frame = one(encode(kind, np.full(shape, shade, np.uint8)))
        assert (frame.height, frame.width) == shape
        assert abs(int(frame.grey().mean()) - shade) <= 1


# What is no picture ------------------------------------------------------------------------------------------------


def refusal(source: Path | bytes, wanted: type[InputError], options: SourceOptions = OPTIONS) -> str:
    """The message with which a source is refused: one line, the source's name first, what to do last."""
    with pytest.raises(wanted) as caught:
        list(open_frames(source, options))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("bytes: " if isinstance(source, bytes) else f"{source}: ")
    assert "; " in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    refusal(tmp_path / "missing.jpg", InputNotFoundError)


def test_folder(tmp_path: Path) -> None:
    assert "batch" in refusal(tmp_path, InputIsFolderError)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert "0 bytes" in refusal(path, InputDecodeError)
    refusal(b"", InputDecodeError)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Simulated, because a superuser may read everything.
    path = tmp_path / "locked.png"
    path.write_bytes(encode("PNG", scene()))

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    refusal(path, InputPermissionError)


def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", str(self))

    monkeypatch.setattr(Path, "open", fail)
    assert "Input/output error" in refusal(tmp_path / "page.png", InputDecodeError)


def test_a_name_that_cannot_be_a_file() -> None:
    with pytest.raises(InputError):
        list(open_frames("page\0.png", OPTIONS))


@pytest.mark.parametrize("content", [b"42 people came.\n", b"\x00" * 100, b"GIF89a" + b"\x00" * 50, b"\xff", b"MZ\x90\x00" * 20])
def test_other_files_named_jpg(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.jpg"
    path.write_bytes(content)
    assert "JPEG, PNG" in refusal(path, InputDecodeError)


def test_heic_is_told_what_to_do() -> None:
    assert "JPEG" in refusal(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 40, InputDecodeError)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_a_truncated_file_is_refused(kind: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 90, 3), dtype=np.uint8)
    whole = encode(kind, noise)
    refusal(whole[: max(4, int(len(whole) * share))], InputDecodeError)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", KINDS)
def test_damage_gives_a_picture_or_one_error(kind: str) -> None:
    # Bytes turned over anywhere: decoders may mend or refuse, but nothing else may come out.
    chance = np.random.default_rng(3)
    whole = bytearray(encode(kind, scene()))
    for _ in range(60):
        hurt = bytearray(whole)
        for at in chance.integers(0, min(len(whole), 400), 3):
            hurt[at] = chance.integers(0, 256)
        try:
            frames, message = list(open_frames(bytes(hurt), OPTIONS)), None
        except InputError as error:
            frames, message = [], str(error)
        assert all(frame.picture.dtype == np.uint8 for frame in frames)
        assert message is None or re.fullmatch(r"bytes: [^\n]+; [^\n]+", message)


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_pixels_are_refused_before_decoding(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        pytest.fail("a picture over the limit was decoded")

    if kind == "WebP":  # the format ends at 16383
        width, height = 16383, 16383
    else:
        width, height = 20000, 20000
    monkeypatch.setattr(cv2, "imdecode", decode)
    monkeypatch.setattr(cv2, "imdecodemulti", decode, raising=False)
    monkeypatch.setattr(cv2, "imread", decode)
    message = refusal(giant_header(kind, width, height), InputTooLargeError)
    assert f"{width}x{height}" in message
    assert f"{DEFAULT_MAX_MEGAPIXELS:g}" in message
    assert "--max-megapixels" in message


def test_arrays_have_the_same_limit() -> None:
    with pytest.raises(InputTooLargeError, match="11x10"):
        one(np.zeros((10, 11), np.uint8), SourceOptions(max_megapixels=100e-6))


def test_the_limit_can_be_raised() -> None:
    data = giant_png(10400, 10000)
    refusal(data, InputTooLargeError)
    frame = one(data, SourceOptions(max_megapixels=110))
    assert (frame.width, frame.height) == (10400, 10000)
    assert frame.grey()[5000, 5000] == 255


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_is_none(limit: float) -> None:
    with pytest.raises(UsageError, match="max-megapixels"):
        SourceOptions(max_megapixels=limit)
