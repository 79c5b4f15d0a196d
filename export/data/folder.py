"""Loads the digit sets of a local data folder: one function a set, all giving GlyphSets with ink 255 on paper 0.

Hold-outs are decided here and nowhere else: MNIST test, USPS test, Semeion, optdigits tes, a fifth of Chen-MNIST
(by hash of the picture, because 386 pictures occur twice) and the ORAND-CAR-A val strings never train.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError
from edge_digits.paper.tiles import PAPER_LEVEL
from export.data.glyphs import GlyphSet
from export.data.homes import MNIST_IDX_MD5

HOLDOUT_SHARE: Final = 5
"""One in so many, by hash, is held out of sets that come without a split of their own."""

# Magic number of an idx file: two zero bytes, type 0x08 (unsigned byte), number of dimensions.
IDX_UBYTE: Final = 0x08


class DataError(EdgeDigitsError):
    """A data folder lacks a file, or a file is damaged."""


def read_idx(path: Path, md5: str | None = None) -> NDArray[np.uint8]:
    """One idx file, gzipped or not, of unsigned bytes.

    md5 : digest that the unzipped content must have. Raises DataError.
    """
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; give a folder with mnist/*.gz by --data, or leave --data out to download") from error
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be unzipped ({error}); fetch it again") from error
    if md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise DataError(f"{path}: content is not the published one (md5 differs); fetch it again")
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != IDX_UBYTE:
        raise DataError(f"{path}: not an idx file of bytes; fetch it again")
    dimensions = content[3]
    shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if values.size != int(np.prod(shape)):
        raise DataError(f"{path}: {values.size} values for shape {shape}; fetch it again")
    return values.reshape(shape)


def load_mnist(folder: Path, part: str) -> GlyphSet:
    """MNIST; part is "train" (60,000) or "test" (10,000)."""
    prefix = {"train": "train", "test": "t10k"}[part]
    arrays = []
    for stem in (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"):
        path = folder / "mnist" / f"{stem}.gz"
        arrays.append(read_idx(path if path.is_file() else folder / "mnist" / stem, MNIST_IDX_MD5[stem]))
    return GlyphSet(f"mnist_{part}", list(arrays[0]), arrays[1])


def load_usps(folder: Path, part: str) -> GlyphSet:
    """USPS; part is "train" (7,291) or "test" (2,007)."""
    arrays = open_npz(folder / "usps" / "usps.npz")
    return GlyphSet(f"usps_{part}", list(arrays[f"{part}_images"]), arrays[f"{part}_labels"])


def load_optdigits(folder: Path, part: str) -> GlyphSet:
    """UCI optdigits, original 32x32 bitmaps; part is "tra" (1,934) or "tes" (946)."""
    arrays = open_npz(folder / "optdigits" / "optdigits32.npz")
    return GlyphSet(f"optdigits_{part}", list(arrays[f"orig_{part}_images"]), arrays[f"orig_{part}_labels"])


def load_semeion(folder: Path) -> GlyphSet:
    """Semeion, 1,593 digits of Italian writers; a hold-out as a whole."""
    arrays = open_npz(folder / "semeion" / "semeion.npz")
    return GlyphSet("semeion", list(arrays["images"]), arrays["labels"])


def load_chen(folder: Path, part: str) -> GlyphSet:
    """Chen-MNIST, Chinese writers; part is "train" (about 80 %) or "holdout". Equal pictures are on the same side."""
    arrays = open_npz(folder / "chen_mnist" / "chen_mnist.npz")
    ink = 255 - arrays["images"]
    held = np.array([is_held_out(image) for image in ink])
    return GlyphSet("chen", list(ink), arrays["labels"]).take(held if part == "holdout" else ~held, f"chen_{part}")


def is_held_out(image: NDArray[np.uint8]) -> bool:
    """Whether this picture's SHA-256 puts it into the held-out fifth."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()[0] % HOLDOUT_SHARE == 0


def open_npz(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an npz file. Raises DataError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; see export/README.md for the layout of a data folder") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error


def crop_to_ink(glyph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of a glyph that holds ink (one pixel at least), so that augmentation knows its size."""
    mask = glyph >= PAPER_LEVEL
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return glyph[:1, :1]
    return np.ascontiguousarray(glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def shrink(glyph: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    """Bring a glyph down to a longest side by area averaging; smaller ones are left as they are."""
    scale = longest_px / max(glyph.shape)
    if scale >= 1.0:
        return glyph
    size = max(1, round(glyph.shape[1] * scale)), max(1, round(glyph.shape[0] * scale))
    return cv2.resize(glyph, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


OPTIONAL_TRAINING_SETS: Final[dict[str, Callable[[Path], GlyphSet]]] = {
    "usps": lambda folder: load_usps(folder, "train"),
    "optdigits": lambda folder: load_optdigits(folder, "tra"),
    "chen_mnist": lambda folder: load_chen(folder, "train"),
}
"""Folder name -> loader of its training part; a folder that is absent is skipped."""
