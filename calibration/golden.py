"""Golden tiles: the few tiles whose logits a published model file carries, so that a runtime can prove its kernels.

Real tiles of the MNIST training part, and marks made of them: halves of one digit and pairs of two, which are not one
digit. Only tiles that both files name rightly and with a margin: rounding on another processor must not change a
label, while a broken kernel changes them all.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.errors import CalibrationError
from calibration.figures import Logits
from calibration.tile_sets import LabelledTiles, Labels, Tiles
from edge_digits.paper.tiles import TILE_SIDE_PX, make_tile
from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT

GOLDEN_A_LABEL: Final = 4
LEAST_MARGIN: Final = 2.0
"""Of the label's logit over every other; int8 logits move by some tenths from one processor to another."""

CANDIDATES: Final = 2000
IMAGE_HEADER_BYTES: Final = 16
LABEL_HEADER_BYTES: Final = 8


def mnist_training_part(folder: Path, count: int = CANDIDATES) -> LabelledTiles:
    """The first `count` digits of train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz.

    Raises CalibrationError when they are missing or damaged.
    """
    side = TILE_SIDE_PX
    pixels = _read(folder, "train-images-idx3-ubyte", IMAGE_HEADER_BYTES + count * side * side)[IMAGE_HEADER_BYTES:]
    labels = _read(folder, "train-labels-idx1-ubyte", LABEL_HEADER_BYTES + count)[LABEL_HEADER_BYTES:]
    images = np.frombuffer(pixels, np.uint8).reshape(count, side, side)
    checked = np.frombuffer(labels, np.uint8).astype(np.int64)
    if checked.max() >= NOT_ONE_DIGIT:
        raise CalibrationError(f"{folder}: labels up to {checked.max()}; these are no MNIST labels")
    return LabelledTiles(np.stack([make_tile(image) for image in images]), checked)


def _read(folder: Path, name: str, count: int) -> bytes:
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        with plain.open("rb") if plain.is_file() else gzip.open(packed) as file:
            data: bytes = file.read(count)
    except (OSError, EOFError) as error:
        raise CalibrationError(f"{packed}: cannot be read ({error}); give the folder of the MNIST idx files") from error
    if len(data) != count:
        raise CalibrationError(f"{packed}: ends after {len(data)} bytes, {count} wanted; fetch it again")
    return data


def marks_that_are_no_digit(digits: Tiles) -> Tiles:
    """Halves and pairs. digits : uint8 (n, 28, 28). Returns uint8 (2 * (n // 2), 28, 28): a half, a pair, a half, ..."""
    marks = []
    for first, second in zip(digits[0::2], digits[1::2], strict=False):
        marks.append(make_tile(first[: TILE_SIDE_PX // 2]))
        marks.append(make_tile(np.concatenate([first[:, 3:-3], second[:, 3:-3]], axis=1)))
    return np.stack(marks) if marks else np.zeros((0, TILE_SIDE_PX, TILE_SIDE_PX), np.uint8)


def choose_golden(pool: LabelledTiles, judges: list[Callable[[Tiles], Logits]]) -> LabelledTiles:
    """The first tiles of each label that all judges name rightly by LEAST_MARGIN.

    pool : digits. judges : functions of tiles uint8 (n, 28, 28) that give logits float32 (n, 11).
    Raises CalibrationError when a label has too few.
    """
    marks = marks_that_are_no_digit(pool.tiles[: len(pool) // 2])
    tiles = np.concatenate([pool.tiles, marks])
    labels = np.concatenate([pool.labels, np.full(len(marks), NOT_ONE_DIGIT, np.int64)])
    clear = np.logical_and.reduce([_margins(judge(tiles), labels) >= LEAST_MARGIN for judge in judges])
    chosen: list[int] = []
    for label in range(len(LABELS)):
        found = np.flatnonzero(clear & (labels == label))[:GOLDEN_A_LABEL]
        if len(found) < GOLDEN_A_LABEL:
            raise CalibrationError(
                f"golden tiles: only {len(found)} of {int((labels == label).sum())} candidates for '{LABELS[label]}' are clear "
                f"to both files, {GOLDEN_A_LABEL} wanted; this model is not fit to be published"
            )
        chosen.extend(int(i) for i in found)
    return LabelledTiles(tiles[chosen], labels[chosen])


def _margins(logits: Logits, labels: Labels) -> NDArray[np.float32]:
    own = logits[np.arange(len(labels)), labels]
    others = logits.copy()
    others[np.arange(len(labels)), labels] = -np.inf
    margins: NDArray[np.float32] = own - others.max(axis=1)
    return margins


def as_npz(tiles: Tiles, logits: Logits) -> bytes:
    """The bytes of a golden file: `tiles` uint8 (k, 28, 28), `logits` float32 (k, 11)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, tiles=tiles, logits=logits.astype(np.float32))
    return buffer.getvalue()
