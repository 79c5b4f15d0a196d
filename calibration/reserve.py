"""Chooses the reserve that ships beside the model: base tiles that adapting to one person's hand must not forget.

    python -m calibration.reserve --data FOLDER [--out edge_digits/weights/reserve.npz]

Digits come from the MNIST training set (the same number of each, drawn by seed), and glyphs that are not one digit are
made of them: halves and touching pairs. Tiles are in turn of their labels, so that every stretch holds all of them.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode, InputDecodeError, InputNotFoundError
from edge_digits.paper.tiles import make_tile
from edge_digits.personal.reserve import RESERVE_NAME
from edge_digits.recognition.weights import NOT_ONE_DIGIT, WEIGHTS_FOLDER

PER_LABEL: Final = 60
SEED: Final = 20
LARGEST_BYTES: Final = 150_000
ABOUT: Final = (
    "Tiles of the MNIST training set (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0), by the rule of edge_digits/paper/tiles.py; "
    "label 10: halves and touching pairs made of them."
)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """A gzipped idx file of bytes. Raises InputNotFoundError, InputDecodeError."""
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise InputNotFoundError(f"{path}: no such file; --data names a folder with MNIST's idx files in mnist/") from error
    except (OSError, EOFError) as error:
        raise InputDecodeError(f"{path}: cannot be unzipped ({error}); fetch it again") from error
    if content[:3] != b"\0\0\x08":
        raise InputDecodeError(f"{path}: not an idx file of bytes; fetch it again")
    header = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:header], ">u4").astype(int)
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def choose(
    pictures: NDArray[np.uint8], labels: NDArray[np.uint8], per_label: int, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw the reserve. pictures : uint8 (n, 28, 28). Returns tiles uint8 (11 * per_label, 28, 28) and their labels."""
    generator = np.random.default_rng(seed)
    drawn = np.stack([generator.choice(np.flatnonzero(labels == digit), per_label, replace=False) for digit in range(10)], axis=1)
    others = generator.choice(len(pictures), (per_label, 2), replace=False)
    tiles, names = [], []
    for turn in range(per_label):
        glyphs = [pictures[index] for index in drawn[turn]]
        first, second = pictures[others[turn][0]], pictures[others[turn][1]]
        glyphs.append(_half(first, turn // 2) if turn % 2 else _pair(first, second))
        tiles += [make_tile(glyph) for glyph in glyphs]
        names += [*range(10), NOT_ONE_DIGIT]
    return np.stack(tiles), np.array(names, np.uint8)


def _half(picture: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    ink = _cropped(picture)
    height, width = ink.shape
    parts = (ink[: height // 2], ink[height // 2 :], ink[:, : max(1, width // 2)], ink[:, width // 2 :])
    return np.ascontiguousarray(parts[turn % 4])


def _pair(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    left, right = _cropped(first), _cropped(second)
    height = max(len(left), len(right))
    pair = np.zeros((height, left.shape[1] + right.shape[1] - 1), np.uint8)
    pair[height - len(left) :, : left.shape[1]] = left
    beside = pair[height - len(right) :, left.shape[1] - 1 :]
    np.maximum(beside, right, out=beside)
    return pair


def _cropped(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def main(argv: list[str] | None = None) -> int:
    """Write the reserve; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m calibration.reserve", description="Choose the tiles that adapting must not forget.")
    parser.add_argument("--data", type=Path, required=True, help="data folder, MNIST's gzipped idx files in its mnist/")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FOLDER / RESERVE_NAME)
    parser.add_argument("--per-label", type=int, default=PER_LABEL, help="tiles of each label (default %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args(argv)
    try:
        pictures = read_idx(arguments.data / "mnist" / "train-images-idx3-ubyte.gz")
        labels = read_idx(arguments.data / "mnist" / "train-labels-idx1-ubyte.gz")
    except EdgeDigitsError as error:
        print(f"calibration.reserve: {error}", file=sys.stderr)
        return int(error.exit_code)
    tiles, names = choose(pictures, labels, arguments.per_label, arguments.seed)
    np.savez_compressed(arguments.out, tiles=tiles, labels=names, about=np.array(ABOUT))
    size = arguments.out.stat().st_size
    print(f"{arguments.out}: {len(tiles)} tiles, {size} bytes")
    if size > LARGEST_BYTES:
        print(f"calibration.reserve: {size} bytes are over the limit of {LARGEST_BYTES}; lower --per-label", file=sys.stderr)
        return int(ExitCode.USAGE)
    return int(ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
