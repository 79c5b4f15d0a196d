"""Writes what calibration needs of a companion of the tile classifier: inputs that fix its int8 ranges, others that judge it.

    python -m export.companion_sets context --proposals runs/proposals --validation runs/validation --out runs/context/sets.npz
    python -m export.companion_sets strings --strips runs/strings.npz --validation runs/aside.npz --out runs/string/sets.npz
    python -m export.companion_sets finder --crops runs/crops --validation runs/crops-aside --out runs/finder/sets.npz

Calibration inputs are of what trained the network, judged is on what was kept aside of it: the same paths as training was
given. Calibration has no torch and no generators; it gets `kind` and, for both parts, named `calibration` and `held_out`,
the arrays that context_arrays, string_arrays and finder_arrays tell.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.recognition.weights import COMPANIONS
from export.calibration_tiles import save_npz
from export.pages.crops import joined, load_crops
from export.train_strings import Strips

CALIBRATION: Final = 768
HELD_OUT: Final = 8000
PARTS: Final = ("calibration", "held_out")
ENOUGH: Final = 4
"""Shards are read until they hold so many times what is wanted."""
STORED: Final = {"patches": "inputs", "log_probabilities": "log_probabilities", "labels": "labels"}
"""Array of a shard -> what it is called here."""


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        arrays = COLLECT[options.kind](options)
        save_npz(options.out, {"kind": np.array(options.kind), **arrays})
    except EdgeDigitsError as error:
        print(f"export.companion_sets: {error}", file=sys.stderr)
        return error.exit_code
    counted = "strokes" if options.kind == "finder" else "labels"
    print(f"{options.out}: " + ", ".join(f"{part} {len(arrays[f'{part}_{counted}'])}" for part in PARTS), file=sys.stderr)
    return ExitCode.OK


def context_arrays(options: argparse.Namespace) -> dict[str, NDArray[Any]]:
    """`<part>_inputs` uint8 (n, 2, 48, 64), `<part>_log_probabilities` float16 (n, 11), `<part>_labels` uint8 (n,)."""
    arrays: dict[str, NDArray[Any]] = {}
    for part, folders, most in zip(PARTS, (options.proposals, options.validation), (options.calibration, options.held_out), strict=True):
        rng = np.random.default_rng(options.seed)
        shards = _some_shards(folders, ENOUGH * most, rng)
        chosen = _drawn(len(shards["labels"]), most, rng)
        arrays |= {f"{part}_{stored}": shards[name][chosen] for name, stored in STORED.items()}
    return arrays


def _some_shards(folders: list[Path], enough: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """What so many proposals of shards drawn at random hold: all of a training's shards together would not fit into memory.

    Raises UsageError.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.npz"))]
    found: list[dict[str, NDArray[Any]]] = []
    for index in rng.permutation(len(paths)):
        try:
            with np.load(paths[index]) as shard:
                found.append({name: shard[name] for name in STORED})
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise UsageError(f"{paths[index]}: proposals cannot be read ({error}); make them anew") from error
        if sum(len(shard["labels"]) for shard in found) >= enough:
            break
    if not sum(len(shard["labels"]) for shard in found):
        raise UsageError(f"{', '.join(map(str, folders))}: no proposals; make them with `python -m export.pages.proposals`")
    return {name: np.concatenate([shard[name] for shard in found]) for name in STORED}


def string_arrays(options: argparse.Namespace) -> dict[str, NDArray[Any]]:
    """`<part>_pixels` uint8, strip after strip; `<part>_widths` int32 (n,); `<part>_labels` uint8 (n, 8), filled up with 255."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, paths, most in zip(PARTS, (options.strips, options.validation), (options.calibration, options.held_out), strict=True):
        strips = _strips(paths)
        chosen = _drawn(len(strips.widths), most, np.random.default_rng(options.seed))
        arrays[f"{name}_pixels"] = np.concatenate([strips.batch(chosen[at : at + 1]).ravel() for at in range(len(chosen))])
        arrays[f"{name}_widths"] = strips.widths[chosen].astype(np.int32)
        arrays[f"{name}_labels"] = strips.labels[chosen]
    return arrays


def _strips(paths: list[Path]) -> Strips:
    try:
        strips = Strips.load(paths)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{', '.join(map(str, paths))}: strips cannot be read ({error}); make them anew") from error
    if not len(strips.widths):
        raise UsageError(f"{', '.join(map(str, paths))}: no strips; make them with `python -m export.strings`")
    return strips


def finder_arrays(options: argparse.Namespace) -> dict[str, NDArray[Any]]:
    """`<part>_inputs` uint8 (n, 1, 128, 128), `<part>_strokes` uint8 (n, 128, 128), see export/pages/crops.py."""
    arrays: dict[str, NDArray[Any]] = {}
    for part, folders, most in zip(PARTS, (options.crops, options.validation), (options.calibration, options.held_out), strict=True):
        crops = joined([load_crops(folder) for folder in folders])
        chosen = _drawn(len(crops.pictures), most, np.random.default_rng(options.seed))
        arrays |= {f"{part}_inputs": crops.pictures[chosen, None], f"{part}_strokes": crops.strokes[chosen]}
    return arrays


COLLECT: Final = {"context": context_arrays, "strings": string_arrays, "finder": finder_arrays}
WANTED: Final = {"context": "proposals", "strings": "strips", "finder": "crops"}
"""The option that names what a network was trained on."""


def _drawn(count: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """At most so many of `count` indices, in their order."""
    return np.sort(rng.choice(count, min(count, most), replace=False))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export.companion_sets", description="Write calibration and judging inputs of a companion."
    )
    parser.add_argument("kind", choices=COMPANIONS, help="which network")
    parser.add_argument("--proposals", type=Path, action="append", default=[], metavar="DIR", help="context: shards it was trained on")
    parser.add_argument("--strips", type=Path, action="append", default=[], metavar="PATH", help="strings: what it was trained on")
    parser.add_argument("--crops", type=Path, action="append", default=[], metavar="DIR", help="finder: shards it was trained on")
    parser.add_argument("--validation", type=Path, action="append", required=True, metavar="PATH", help="the same, kept aside")
    parser.add_argument(
        "--calibration", type=int, default=CALIBRATION, metavar="N", help="inputs that fix the ranges (default: %(default)s)"
    )
    parser.add_argument("--held-out", type=int, default=HELD_OUT, metavar="N", help="inputs that judge, at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .npz file to write")
    options = parser.parse_args(arguments)
    for name in ("calibration", "held_out"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} is {getattr(options, name)}; give a number of at least 1")
    given = [name for name in WANTED.values() if getattr(options, name)]
    if given != [WANTED[options.kind]]:
        parser.error(f"{options.kind} wants --{WANTED[options.kind]} and --validation, each once or more, and none of the others")
    return options


if __name__ == "__main__":
    sys.exit(main())
