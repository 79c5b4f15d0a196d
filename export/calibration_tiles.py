"""Writes tiles for the calibration room: `python -m export.calibration_tiles --data DIR --out runs/calibration/tiles.npz`.

Calibration has no torch and no loaders. It gets `calibration_tiles`, a mixture as in training and from training glyphs
only, `temperature_tiles` and `temperature_labels`, the glyphs kept aside of the training sets, to fit confidence on,
every hold-out as `<set>_tiles` and `<set>_labels` to judge with, and marks that are not one digit kind by kind as
`marks_<kind>_tiles`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from export.data.collect import find_data, load_training
from export.holdouts import holdout_tiles
from export.mark_kinds import marks_by_kind
from export.mixture import Mixture, MixtureOptions
from export.tuning import tuning_tiles

TILES: Final = 1024


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m export.calibration_tiles", description="Write tiles for calibration and judging.")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="folder of handwriting fonts")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .npz file to write")
    parser.add_argument("--tiles", type=int, default=TILES, help=f"calibration tiles (default: {TILES})")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many glyphs of each set, for a trial run")
    options = parser.parse_args(arguments)
    if options.tiles < 1:
        parser.error(f"--tiles is {options.tiles}; give a number of at least 1")
    try:
        cv2.setNumThreads(1)
        folder = find_data(options.data)
        arrays = collect_tiles(folder, options.fonts, options.tiles, options.seed, options.limit)
        save_npz(options.out, arrays)
    except EdgeDigitsError as error:
        print(f"export.calibration_tiles: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"{options.out}: " + ", ".join(f"{name} {len(array)}" for name, array in arrays.items() if name.endswith("_tiles")), file=sys.stderr
    )
    return ExitCode.OK


def collect_tiles(folder: Path, fonts: Path | None, count: int, seed: int, limit: int | None) -> dict[str, NDArray[Any]]:
    """All arrays of the file: each hold-out's two, the marks by kind, and for tuning the tiles and labels kept aside.

    `calibration_tiles` uint8 (n, 28, 28), `calibration_labels` uint8 (n,); so are the others.
    """
    data = load_training(folder, fonts, None, limit)
    mixture = Mixture(data, seed, MixtureOptions(tiles=2 * count, batch=count))
    # Epoch numbers of training start at 0: this one belongs to none.
    mixture.start_epoch(1_000_000, strength=0.7)
    tiles, labels = mixture[0]
    arrays: dict[str, NDArray[Any]] = {
        "calibration_tiles": tiles.numpy()[:, 0],
        "calibration_labels": labels.numpy().astype(np.uint8),
    }
    tuning, tuning_labels = tuning_tiles(data, seed)
    if len(tuning):
        arrays["temperature_tiles"], arrays["temperature_labels"] = tuning, tuning_labels
    for name, (held, held_labels) in holdout_tiles(folder, limit).items():
        arrays[f"{name}_tiles"], arrays[f"{name}_labels"] = held, held_labels
    for kind, marks in marks_by_kind(folder, limit).items():
        arrays[f"marks_{kind}_tiles"] = marks
    return arrays


def save_npz(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write a compressed npz, whole or not at all. Raises UsageError."""
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


if __name__ == "__main__":
    sys.exit(main())
