"""Chooses the reserve that ships beside the model: base tiles that adapting to one person's hand must not forget.

    python -m calibration.reserve --data FOLDER [--out edge_digits/weights/reserve.npz]

They come from the MNIST training set, the same number of each digit, drawn by seed, in turn of their labels, so that every
stretch holds all of them. "Not one digit" needs no reserve: adapting leaves its probability alone.
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
from edge_digits.recognition.weights import WEIGHTS_FOLDER

PER_DIGIT: Final = 80
SEED: Final = 20
LARGEST_BYTES: Final = 150_000
ABOUT: Final = "Tiles of the MNIST training set (Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0), by the rule of edge_digits/paper/tiles.py."


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
    pictures: NDArray[np.uint8], labels: NDArray[np.uint8], per_digit: int, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw the reserve. pictures : uint8 (n, 28, 28). Returns tiles uint8 (10 * per_digit, 28, 28) and their labels."""
    generator = np.random.default_rng(seed)
    drawn = np.stack([generator.choice(np.flatnonzero(labels == digit), per_digit, replace=False) for digit in range(10)], axis=1)
    tiles = np.stack([make_tile(pictures[index]) for index in drawn.ravel()])
    return tiles, np.tile(np.arange(10, dtype=np.uint8), per_digit)


def main(argv: list[str] | None = None) -> int:
    """Write the reserve; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m calibration.reserve", description="Choose the tiles that adapting must not forget.")
    parser.add_argument("--data", type=Path, required=True, help="data folder, MNIST's gzipped idx files in its mnist/")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FOLDER / RESERVE_NAME)
    parser.add_argument("--per-digit", type=int, default=PER_DIGIT, help="tiles of each digit (default %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args(argv)
    try:
        pictures = read_idx(arguments.data / "mnist" / "train-images-idx3-ubyte.gz")
        labels = read_idx(arguments.data / "mnist" / "train-labels-idx1-ubyte.gz")
    except EdgeDigitsError as error:
        print(f"calibration.reserve: {error}", file=sys.stderr)
        return int(error.exit_code)
    tiles, names = choose(pictures, labels, arguments.per_digit, arguments.seed)
    np.savez_compressed(arguments.out, tiles=tiles, labels=names, about=np.array(ABOUT))
    size = arguments.out.stat().st_size
    print(f"{arguments.out}: {len(tiles)} tiles, {size} bytes")
    if size > LARGEST_BYTES:
        print(f"calibration.reserve: {size} bytes are over the limit of {LARGEST_BYTES}; lower --per-digit", file=sys.stderr)
        return int(ExitCode.USAGE)
    return int(ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
