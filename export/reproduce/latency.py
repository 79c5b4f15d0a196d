"""Microseconds a digit of many ONNX files: one thread, all in one run, turn by turn.

Turn by turn for the reason told in calibration/latency.py. The files differ a thousandfold in speed, hence turns of a
fixed time instead of a fixed number of digits. What is measured is the processor time of the one thread: on an idle machine
the same as the clock's, and on a shared one free of the time that others were running.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import thread_time_ns
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.engine import Engine, load_onnxruntime
from export.parity import random_tiles
from export.record import describe_machine
from export.reproduce.judging import open_engine

BATCHES: Final = (1, 64)
ROUNDS: Final = 25
TURN_NS: Final = 10_000_000
"""A turn is at least one batch and otherwise about this long: long against the clock, short against a machine's moods."""
KINDS: Final = ("float", "int8")


def find_files(folder: Path) -> dict[str, dict[str, Path]]:
    """NAME -> kind -> NAME.KIND.onnx of a folder, for names that have both kinds."""
    found = {path.name.removesuffix(".float.onnx"): path for path in sorted(folder.glob("*.float.onnx"))}
    pairs = {name: {kind: path.with_name(f"{name}.{kind}.onnx") for kind in KINDS} for name, path in found.items()}
    return {name: pair for name, pair in pairs.items() if pair["int8"].is_file()}


def measure_files(files: Mapping[str, Mapping[str, Path]], rounds: int = ROUNDS) -> dict[str, Any]:
    """The median over rounds of all files: {"machine", "threads", "rounds", "figures": {NAME: {kind: {"1": us, "64": us}}}}.

    Raises ModelDamagedError for a file that ONNX Runtime cannot load.
    """
    engines = {(name, kind): open_engine(path, threads=1) for name, kinds in files.items() for kind, path in kinds.items()}
    tiles = as_model_input(random_tiles(max(BATCHES)))
    figures: dict[str, Any] = {name: {kind: {} for kind in kinds} for name, kinds in files.items()}
    for batch in BATCHES:
        for (name, kind), micros in _interleaved(engines, tiles[:batch], rounds).items():
            figures[name][kind][str(batch)] = round(micros, 2)
    machine = describe_machine(torch.device("cpu"))
    machine["versions"]["onnxruntime"] = load_onnxruntime().__version__
    return {"machine": machine, "threads": 1, "rounds": rounds, "figures": figures}


def _interleaved(engines: Mapping[Any, Engine], tiles: NDArray[np.float32], rounds: int) -> dict[Any, float]:
    calls = {key: max(1, TURN_NS // max(1, _best_of(engine, tiles))) for key, engine in engines.items()}
    taken: dict[Any, list[float]] = {key: [] for key in engines}
    for _ in tqdm(range(rounds), desc=f"batch {len(tiles)}"):
        for key, engine in engines.items():
            began = thread_time_ns()
            for _ in range(calls[key]):
                engine.run("logits", tiles)
            taken[key].append((thread_time_ns() - began) / 1000.0 / calls[key] / len(tiles))
    return {key: float(np.median(values)) for key, values in taken.items()}


def _best_of(engine: Engine, tiles: NDArray[np.float32], tries: int = 3) -> int:
    """Nanoseconds of the shortest of a few calls, which warm the engine up as well."""
    taken = []
    for _ in range(tries):
        began = thread_time_ns()
        engine.run("logits", tiles)
        taken.append(thread_time_ns() - began)
    return min(taken)
