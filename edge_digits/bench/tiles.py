"""Latency of the tile classifier alone: int8 beside float, batch by batch, in the same run and turn by turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from edge_digits.bench import machine, timing
from edge_digits.bench.sample import golden_digits
from edge_digits.errors import ModelNotFoundError
from edge_digits.options import Precision, Provider, RecognitionOptions
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition import engine
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.companions import companion_files

MOST_THREADS: Final = 16
"""Tiles are small: more threads only wait for each other."""

Case = tuple[str, str, int, int]
"""Precision, provider obtained, threads, batch."""


def measure_tiles(
    options: RecognitionOptions, threads: Sequence[int], batches: Sequence[int], effort: timing.Effort
) -> list[dict[str, Any]]:
    """Time every precision at every batch size and number of threads, each round calling each of them once.

    Returns one entry a case: {"precision", "provider", "threads", "batch", "call_ms": summary, "us_per_digit",
    "digits_per_second"}, the last two from the median. Raises ModelError, ProviderError.
    """
    digits = as_model_input(golden_digits(options.model))
    tiles = {batch: np.ascontiguousarray(np.resize(digits, (batch, *digits.shape[1:]))) for batch in batches}
    cases: dict[Case, Callable[[], Any]] = {}
    for count in threads:
        for classifier in load_precisions(replace(options, threads=count)):
            for batch in batches:
                cases[classifier.precision, classifier.provider, count, batch] = partial(classifier.logits, tiles[batch])
    samples = timing.interleave(cases, effort, primed=True)
    return [_entry(case, samples[case]) for case in cases]


def load_precisions(options: RecognitionOptions) -> list[Classifier]:
    """The model as int8 and as float on the CPU, and as float on CUDA where `options.provider` obtains it.

    A model that is a single file, or has one precision only, gives one classifier. Raises ModelError, ProviderError.
    """
    loaded: dict[tuple[str, str], Classifier] = {}
    wanted: tuple[tuple[Precision, Provider], ...] = (("int8", "cpu"), ("float", "cpu"), ("float", options.provider))
    for precision, provider in wanted:
        try:
            classifier = Classifier(RecognitionOptions(options.model, provider, precision, options.threads))
        except ModelNotFoundError:
            if not loaded and precision == "float":
                raise
            continue
        loaded.setdefault((classifier.sha256, classifier.provider), classifier)
    return list(loaded.values())


def _entry(case: Case, samples_ms: Sequence[float]) -> dict[str, Any]:
    precision, provider, threads, batch = case
    summary = timing.summarize(samples_ms)
    us_per_digit = summary["p50"] * 1000.0 / batch
    return {
        "precision": precision,
        "provider": provider,
        "threads": threads,
        "batch": batch,
        "call_ms": summary,
        "us_per_digit": round(us_per_digit, 3),
        "digits_per_second": round(1e6 / us_per_digit) if us_per_digit else None,
    }


def model_facts(classifiers: Sequence[Classifier]) -> dict[str, Any]:
    """Name of the model, of each precision the SHA-256 and the bytes of its file, and the same of its companions by kind.

    As a Reader takes them: those of the model's own folder, and the shipped ones where it holds none.
    """
    files = {c.precision: {"sha256": c.sha256, "bytes": len(c.file.data)} for c in classifiers}
    return {"name": classifiers[0].name} | files | {"companions": companion_files() | companion_files(classifiers[0].file.folder)}


def crossover(entries: Sequence[Mapping[str, Any]]) -> int | None:
    """The smallest batch from which on CUDA takes less time for a digit than int8 on the CPU; None where it never does, or was not run.

    entries : of measure_tiles; each side at its best number of threads.
    """
    best: dict[tuple[str, int], float] = {}
    for entry in entries:
        if entry["provider"] == engine.CUDA or entry["precision"] == "int8":
            case = (entry["provider"], entry["batch"])
            best[case] = min(entry["us_per_digit"], best.get(case, entry["us_per_digit"]))
    both = sorted(batch for provider, batch in best if provider == engine.CUDA and (engine.CPU, batch) in best)
    faster = [batch for batch in both if best[engine.CUDA, batch] < best[engine.CPU, batch]]
    lost = [batch for batch in both if batch not in faster]
    return next((batch for batch in faster if not lost or batch > lost[-1]), None)


def threads_to_try() -> list[int]:
    """1, 2, 4 and so on up to the cores that may be used, and as many as a Reader takes by itself."""
    cores = machine.usable_cores()
    doubled = [2**power for power in range(MOST_THREADS.bit_length()) if 2**power <= min(cores, MOST_THREADS)]
    return sorted({*doubled, min(cores, MOST_THREADS), engine.default_threads()})
