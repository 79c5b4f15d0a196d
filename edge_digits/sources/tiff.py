"""TIFF, page by page: the file's own directories are read here, the pixels are decoded by OpenCV.

OpenCV alone will not do: `imread` gives None for Orientation 5..8, shows page 1 only, and says no size before it
decodes. So each page's directory is parsed first (size against the pixel limit, orientation, extent of its data); then
OpenCV decodes a file that holds the one page, its orientation set to 1, and the orientation is applied once, by the
same function as for every other kind of picture.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.options import SourceOptions
from edge_digits.sources.frame import Frame
from edge_digits.sources.orientation import apply_orientation
from edge_digits.sources.pixels import check_size, eight_bit
from edge_digits.sources.tiff_file import ORIENTATION, SIGNATURES, Directory, TiffFile

__all__ = ["SIGNATURES", "TiffPages"]

# Tags and values of TIFF 6.0 (1992), sections 8 and 18.
NEW_SUBFILE_TYPE: Final = 254
IMAGE_WIDTH: Final = 256
IMAGE_LENGTH: Final = 257
BITS_PER_SAMPLE: Final = 258
PHOTOMETRIC: Final = 262
EXTRA_SAMPLES: Final = 338
WHITE_IS_ZERO: Final = 0
ASSOCIATED_ALPHA: Final = 1
NOT_A_PAGE: Final = 0b101
"""NewSubfileType bits of a smaller copy (thumbnail) and of a transparency mask."""


class TiffPages:
    """Pages of a TIFF file; thumbnails and masks are no pages.

    Grey, bilevel, palette, colour, CMYK; 8 bit and less, 16 bit; alpha is laid over white. Where the chain of pages is
    damaged, the place of the damage counts as the last page, and fails.
    """

    def __init__(self, file: BinaryIO, name: str, options: SourceOptions) -> None:
        """file : stays open as long as this is used. name : for messages and Frames. Raises InputDecodeError."""
        self._file, self._options = TiffFile(file, name), options
        self._pages: list[int] = []
        self._damage: InputDecodeError | None = None
        try:
            for page in self._file.directories():
                if not page.first(NEW_SUBFILE_TYPE) & NOT_A_PAGE:
                    self._pages.append(page.at)
        except InputDecodeError as error:
            self._damage = error
        if not self.count:
            raise InputDecodeError(f"{name}: TIFF holds no page; get the file again")

    @property
    def count(self) -> int:
        """Pages of the file."""
        return len(self._pages) + (self._damage is not None)

    def frame(self, number: int) -> Frame:
        """One page, decoded. Raises InputDecodeError, InputTooLargeError (before it is decoded)."""
        if not 1 <= number <= self.count:
            raise ValueError(f"page is {number}; {self._file.name} has {self.count}")
        if number > len(self._pages):
            assert self._damage is not None
            raise self._damage
        label, page = f"{self._file.name}: TIFF page {number}", self._file.directory(self._pages[number - 1], number)
        return Frame.from_array(_page_picture(self._file, page, label, self._options), self._file.name, number)

    def close(self) -> None:
        """Nothing is open but the caller's file."""


def _page_picture(file: TiffFile, page: Directory, label: str, options: SourceOptions) -> NDArray[np.uint8]:
    width, height = page.first(IMAGE_WIDTH), page.first(IMAGE_LENGTH)
    if not width or not height:
        raise InputDecodeError(f"{label} has no size; the file is damaged, get it again")
    check_size(width, height, label, options)
    if any(place + length > file.size for place, length in page.extents):
        raise InputDecodeError(f"{label} is cut off; get the file again")
    picture = _decode(file.page_file(page, label))
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


def _decode(coded: bytearray) -> NDArray[Any] | None:
    """Pixels of a file's first page as OpenCV gives them, not yet upright; None where it cannot."""
    for flag in (cv2.IMREAD_UNCHANGED, cv2.IMREAD_COLOR):
        try:
            picture = cv2.imdecode(np.frombuffer(coded, np.uint8), flag)
        except cv2.error:
            continue
        if picture is not None and picture.size:
            return np.asarray(picture)
    return None
