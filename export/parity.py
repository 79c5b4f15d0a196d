"""Compares torch with ONNX Runtime on the same tiles: `python -m export.parity --run runs/small --onnx digits.float.onnx`.

Prints the largest difference of a logit and of a feature; the exit code is 1 beyond the tolerance, so that a script stops there.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode
from edge_digits.paper.tiles import TILE_SIDE_PX, as_model_input, make_tile
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import DEFAULT_NOT_ONE_DIGIT_SHARE, find_model
from export.data.folder import load_mnist
from export.data.glyphs import GlyphSet
from export.holdouts import tiles_of
from export.negatives import letter, scribble, symbol
from export.networks import ConvNetwork
from export.to_onnx import load_network, shift_share, to_onnx, training_share

TOLERANCE: Final = 1e-4
TILES: Final = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest absolute differences over n tiles, and on how many tiles the best class differs."""

    n: int
    logits: float
    features: float
    labels: int


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m export.parity", description="Compare torch with ONNX Runtime on the same tiles.")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="run folder of `python -m export.train`")
    parser.add_argument("--onnx", type=Path, metavar="FILE", help="the ONNX file (default: exported now, in memory)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder: MNIST test digits instead of random strokes")
    parser.add_argument("--tiles", type=int, default=TILES, help=f"number of tiles (default: {TILES})")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help=f"largest difference allowed (default: {TOLERANCE})")
    options = parser.parse_args(arguments)
    if options.tiles < 1:
        parser.error(f"--tiles is {options.tiles}; give a number of at least 1")
    try:
        network, state = load_network(options.run)
        if options.onnx:
            data = find_model(str(options.onnx), "float").data
        else:
            data = to_onnx(network, state.get("temperature", 1.0), {}, training_share(state["settings"]))
        shift_share_like(network, state, data)
        tiles = mnist_tiles(options.data, options.tiles) if options.data else random_tiles(options.tiles)
        found = compare(network, data, tiles)
    except EdgeDigitsError as error:
        print(f"export.parity: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"tiles {found.n}: largest difference of a logit {found.logits:.3g}, of a feature {found.features:.3g}, other labels {found.labels}"
    )
    if not max(found.logits, found.features) <= options.tolerance:
        print(f"export.parity: beyond the tolerance of {options.tolerance:g}; is the ONNX file of this run?", file=sys.stderr)
        return ExitCode.SOME_INPUTS_FAILED
    return ExitCode.OK


def shift_share_like(network: ConvNetwork, state: dict[str, Any], model: bytes) -> None:
    """Give the network the share of "not one digit" for which the file says that its probabilities hold."""
    metadata = Engine(model, "cpu", threads=1, name="parity").metadata
    share = float(metadata.get("not_one_digit_share", DEFAULT_NOT_ONE_DIGIT_SHARE))
    temperature = float(state.get("temperature", 1.0))
    seen = training_share(state["settings"])
    if not math.isclose(share, seen, rel_tol=1e-5):
        shift_share(network, temperature, seen, share)


def compare(network: ConvNetwork, model: bytes, tiles: NDArray[np.uint8]) -> Difference:
    """Run both on tiles uint8 (n, 28, 28). Raises ModelDamagedError when ONNX Runtime cannot load the model."""
    engine = Engine(model, "cpu", threads=1, name="parity")
    inputs = as_model_input(tiles)
    with torch.inference_mode():
        features = network.eval().features(torch.from_numpy(inputs))
        logits = network.head(features)
    theirs = engine.run("logits", inputs)
    return Difference(
        n=len(tiles),
        logits=float(np.abs(theirs - logits.numpy()).max(initial=0.0)),
        features=float(np.abs(engine.run("features", inputs) - features.numpy()).max(initial=0.0)),
        labels=int((theirs.argmax(axis=1) != logits.numpy().argmax(axis=1)).sum()),
    )


def random_tiles(count: int) -> NDArray[np.uint8]:
    """Tiles uint8 (n, 28, 28) of drawn marks, the same ones every time: parity needs ink, not digits."""
    rng = np.random.default_rng(0)
    nothing = GlyphSet("nothing", [], np.zeros(0, np.uint8))
    makers = (letter, scribble, symbol)
    tiles = [make_tile(makers[index % len(makers)](rng, nothing)) for index in range(count)]
    return np.array(tiles, np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)


def mnist_tiles(folder: Path, count: int) -> NDArray[np.uint8]:
    """The first MNIST test digits as tiles. Raises DataError."""
    digits = load_mnist(folder, "test")
    return tiles_of(GlyphSet(digits.name, digits.glyphs[:count], digits.labels[:count]))


if __name__ == "__main__":
    sys.exit(main())
