"""Writes what calibration needs of a companion of the tile classifier: inputs that fix its int8 ranges, others that judge it.

    python -m export.companion_sets context --proposals runs/proposals --validation runs/validation --out runs/context/sets.npz
    python -m export.companion_sets strings --strips runs/strings.npz --validation runs/aside.npz --out runs/string/sets.npz

Calibration inputs are of what trained the network, judged is on what was kept aside of it: the same paths as training was
given. Calibration has no torch and no generators; it gets `kind` and, for both parts, named `calibration` and `held_out`,
the arrays that context_arrays and string_arrays tell.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.recognition.weights import COMPANIONS
from export.calibration_tiles import save_npz
from export.pages.proposals import Proposals, load_shards
from export.train_context import joined
from export.train_strings import Strips

CALIBRATION: Final = 768
HELD_OUT: Final = 8000
PARTS: Final = ("calibration", "held_out")


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        collect = context_arrays if options.kind == "context" else string_arrays
        arrays = collect(options)
        save_npz(options.out, {"kind": np.array(options.kind), **arrays})
    except EdgeDigitsError as error:
        print(f"export.companion_sets: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{options.out}: " + ", ".join(f"{part} {len(arrays[f'{part}_labels'])}" for part in PARTS), file=sys.stderr)
    return ExitCode.OK


def context_arrays(options: argparse.Namespace) -> dict[str, NDArray[Any]]:
    """`<part>_inputs` uint8 (n, 2, 48, 64), `<part>_log_probabilities` float16 (n, 11), `<part>_labels` uint8 (n,)."""
    parts = (joined([_shards(folder) for folder in options.proposals]), joined([_shards(folder) for folder in options.validation]))
    arrays: dict[str, NDArray[Any]] = {}
    for name, part, most in zip(PARTS, parts, (options.calibration, options.held_out), strict=True):
        chosen = _drawn(np.arange(len(part.labels)), most, options.seed)
        arrays[f"{name}_inputs"] = part.patches[chosen]
        arrays[f"{name}_log_probabilities"] = part.log_probabilities[chosen]
        arrays[f"{name}_labels"] = part.labels[chosen]
    return arrays


def _shards(folder: Path) -> Proposals:
    if not any(folder.glob("*.npz")):
        raise UsageError(f"{folder}: no proposals; make them with `python -m export.pages.proposals`")
    try:
        return load_shards(folder)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UsageError(f"{folder}: proposals cannot be read ({error}); make them anew") from error


def string_arrays(options: argparse.Namespace) -> dict[str, NDArray[Any]]:
    """`<part>_pixels` uint8, strip after strip; `<part>_widths` int32 (n,); `<part>_labels` uint8 (n, 8), filled up with 255."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, paths, most in zip(PARTS, (options.strips, options.validation), (options.calibration, options.held_out), strict=True):
        strips = _strips(paths)
        chosen = _drawn(np.arange(len(strips.widths)), most, options.seed)
        arrays[f"{name}_pixels"] = np.concatenate([strips.batch(chosen[at : at + 1]).ravel() for at in range(len(chosen))])
        arrays[f"{name}_widths"] = strips.widths[chosen].astype(np.int32)
        arrays[f"{name}_labels"] = strips.labels[chosen]
    return arrays


def _strips(paths: list[Path]) -> Strips:
    for path in (path for path in paths if path.is_dir()):
        _shards(path)
    strips = Strips.load(paths)
    if not len(strips.widths):
        raise UsageError(f"{', '.join(map(str, paths))}: no strips; make them with `python -m export.strings`")
    return strips


def _drawn(indices: NDArray[np.intp], most: int, seed: int) -> NDArray[np.intp]:
    """At most so many of them, in their order."""
    if len(indices) <= most:
        return indices
    return np.sort(np.random.default_rng(seed).choice(indices, most, replace=False))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m export.companion_sets", description="Write calibration and judging inputs of a companion."
    )
    parser.add_argument("kind", choices=COMPANIONS, help="which network")
    parser.add_argument("--proposals", type=Path, action="append", default=[], metavar="DIR", help="context: shards it was trained on")
    parser.add_argument("--strips", type=Path, action="append", default=[], metavar="PATH", help="strings: what it was trained on")
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
    wanted, other = ("proposals", "strips") if options.kind == "context" else ("strips", "proposals")
    if not getattr(options, wanted) or getattr(options, other):
        parser.error(f"{options.kind} wants --{wanted} and --validation, each once or more, and no --{other}")
    return options


if __name__ == "__main__":
    sys.exit(main())
