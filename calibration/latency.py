"""How long float and int8 take for a digit, one thread, in the same run, turn by turn.

Turn by turn, because a shared or warming machine changes speed within seconds; measured one after the other, the
later model would carry the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter_ns
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.recognition.engine import Engine

BATCHES: Final = (1, 64)
ROUNDS: Final = 40
WARM_UP_ROUNDS: Final = 5
TILES_A_TURN: Final = 512
"""A turn takes some milliseconds: long against the clock, short against a machine's moods."""


def measure(
    engines: Mapping[str, Engine], tiles: NDArray[np.float32], rounds: int = ROUNDS, output: str = "logits"
) -> dict[str, dict[str, dict[str, float]]]:
    """Microseconds a digit, {engine: {"batch_1": {"p50": ..., "p95": ...}}}, p50 and p95 over rounds.

    engines : sessions of one thread, by name. tiles : float32 (n, 1, 28, 28), or what else they take; batches walk through
    them. output : of the graphs.
    """
    result: dict[str, dict[str, dict[str, float]]] = {name: {} for name in engines}
    for batch in BATCHES:
        taken: dict[str, list[float]] = {name: [] for name in engines}
        for turn in range(WARM_UP_ROUNDS + rounds):
            for name, engine in engines.items():
                micros = _one_turn(engine, tiles, batch, output)
                if turn >= WARM_UP_ROUNDS:
                    taken[name].append(micros)
        for name, values in taken.items():
            result[name][f"batch_{batch}"] = {f"p{q}": round(float(np.percentile(values, q)), 2) for q in (50, 95)}
    return result


def _one_turn(engine: Engine, tiles: NDArray[np.float32], batch: int, output: str) -> float:
    starts = [start % max(1, len(tiles) - batch + 1) for start in range(0, TILES_A_TURN, batch)]
    pieces = [tiles[start : start + batch] for start in starts]
    begin = perf_counter_ns()
    for piece in pieces:
        engine.run(output, piece)
    return (perf_counter_ns() - begin) / 1000.0 / sum(len(piece) for piece in pieces)
