"""Makes the tiles of many epochs once, for many trainings: `python -m export.tile_pool --data DIR --only mnist_train --out runs/pool`.

Making a tile costs as much as a step of a small network on it. Five seeds of two networks, and the teachers whose answers they
learn, all take their tiles from one pool; seeds then differ in first weights and order, not in the tiles.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.paper.tiles import TILE_SIDE_PX
from export.data.collect import TrainingData, find_data, load_training
from export.mixture import Mixture, MixtureOptions, start_worker
from export.record import describe_commit, write_record
from export.tuning import tuning_tiles

BATCH: Final = 256
GENTLE_STRENGTH: Final = 0.5
TILES_NAME: Final = "tiles.npy"
LABELS_NAME: Final = "labels.npy"
TUNING_NAME: Final = "tuning.npz"
POOL_NAME: Final = "pool.json"


@dataclass(frozen=True, slots=True)
class TilePool:
    """Tiles of whole epochs on disk.

    tiles : uint8 (e, n, 28, 28), read-only memory map. labels : uint8 (e, n). tuning_tiles : uint8 (t, 28, 28), of
    glyphs kept aside, tuning_labels : uint8 (t,). gentle : the last so many of the e epochs are half as
    strongly changed. settings : what made them.
    """

    tiles: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    tuning_tiles: NDArray[np.uint8]
    tuning_labels: NDArray[np.uint8]
    gentle: int
    settings: dict[str, Any]

    def epoch_for(self, epoch: int, *, gentle: bool) -> int:
        """Which epoch of the pool the given epoch of a training takes: those of a kind in turn. A pool without gentle ones gives others."""
        strong = len(self.tiles) - self.gentle
        return strong + epoch % self.gentle if gentle and self.gentle else epoch % strong


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        cv2.setNumThreads(1)
        make_pool(options)
    except EdgeDigitsError as error:
        print(f"export.tile_pool: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.tile_pool: interrupted; give the command again", file=sys.stderr)
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def load_pool(folder: Path) -> TilePool:
    """The pool of a folder. Raises UsageError when there is none, or it is not finished."""
    try:
        settings = json.loads((folder / POOL_NAME).read_text(encoding="utf-8"))
        tiles = np.load(folder / TILES_NAME, mmap_mode="r")
        labels = np.load(folder / LABELS_NAME)
        with np.load(folder / TUNING_NAME) as tuning:
            aside, aside_labels = tuning["tiles"], tuning["labels"]
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: no finished pool of tiles; make one by `python -m export.tile_pool --out {folder}`") from error
    return TilePool(tiles, labels, aside, aside_labels, int(settings["gentle"]), settings)


def select(data: TrainingData, names: list[str] | None) -> TrainingData:
    """The training data with only the sets of those names; all without names. Raises UsageError for a name that is not there."""
    if not names:
        return data
    known = [each.name for each in (*data.digits, *data.negatives)]
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise UsageError(f"--only {unknown[0]}: no such training set; there are {', '.join(known)}")
    kept = [
        tuple(each for each in sets if each.name in names)
        for sets in (data.digits, data.negatives, data.tuning_digits, data.tuning_negatives)
    ]
    if not kept[0]:
        raise UsageError("--only names no set of digits; name one, such as mnist_train")
    return TrainingData(kept[0], kept[1], kept[2], kept[3], data.missing)


def make_pool(options: argparse.Namespace) -> None:
    """Write tiles, labels and settings; the settings last, so that an unfinished pool is not taken for one."""
    data = select(load_training(find_data(options.data), options.fonts, options.mined, options.limit), options.only)
    mixing = MixtureOptions(tiles=options.epoch_tiles, batch=BATCH, negative_share=options.negative_share)
    mixture = Mixture(data, options.seed, mixing)
    mixture.start_epoch(0)
    size = len(mixture) * BATCH
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / POOL_NAME).unlink(missing_ok=True)
    epochs = options.epochs + options.gentle
    tiles = np.lib.format.open_memmap(options.out / TILES_NAME, "w+", np.uint8, (epochs, size, TILE_SIDE_PX, TILE_SIDE_PX))
    labels = np.zeros((epochs, size), np.uint8)
    with tqdm(total=epochs * len(mixture), desc="tiles", unit="batch", file=sys.stderr, mininterval=2.0) as bar:
        for epoch in range(epochs):
            mixture.start_epoch(epoch, 1.0 if epoch < options.epochs else GENTLE_STRENGTH)
            loader: Any = DataLoader(mixture, batch_size=None, num_workers=options.workers, worker_init_fn=start_worker)
            for index, (batch, wanted) in enumerate(loader):
                tiles[epoch, index * BATCH : (index + 1) * BATCH] = batch.numpy()[:, 0]
                labels[epoch, index * BATCH : (index + 1) * BATCH] = wanted.numpy()
                bar.update()
    tiles.flush()
    np.save(options.out / LABELS_NAME, labels)
    aside, aside_labels = tuning_tiles(data, options.seed)
    np.savez(options.out / TUNING_NAME, tiles=aside, labels=aside_labels)
    sizes = {each.name: len(each) for each in (*data.digits, *data.negatives)}
    settings = {
        "epochs": epochs,
        "gentle": options.gentle,
        "seed": options.seed,
        "mixture": asdict(mixing),
        "glyphs": sizes,
        **describe_commit(),
    }
    write_record(options.out / POOL_NAME, settings)
    print(f"{options.out}: {epochs} epochs of {size} tiles", file=sys.stderr)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export.tile_pool", description="Make the tiles of many epochs once, for many trainings."
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="folder of handwriting fonts: their letters are further negatives")
    parser.add_argument("--mined", type=Path, metavar="FILE", help="npz of `python -m export.mine`: further negatives")
    parser.add_argument("--only", nargs="+", metavar="SET", help="take only these training sets, such as mnist_train letters_train")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of fully changed tiles (default: 20)")
    parser.add_argument("--gentle", type=int, default=5, help="further epochs, changed half as strongly (default: 5)")
    parser.add_argument("--epoch-tiles", type=int, default=80_000, metavar="N", help="tiles an epoch (default: 80000)")
    parser.add_argument("--negative-share", type=float, default=MixtureOptions().negative_share, help='share of "not one digit", 0..1')
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many glyphs of each set, for a trial run")
    parser.add_argument("--workers", type=int, default=2, help="processes that make tiles; 0 makes them in the main process")
    options = parser.parse_args(arguments)
    for name, least in (("epochs", 1), ("gentle", 0), ("epoch_tiles", BATCH), ("workers", 0), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name.replace('_', '-')} is {getattr(options, name)}; give a number of at least {least}")
    if not 0.0 <= options.negative_share < 1.0:
        parser.error(f"--negative-share is {options.negative_share}; give a share of at least 0 and below 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
