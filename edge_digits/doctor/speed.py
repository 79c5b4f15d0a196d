"""Which precision is faster on this very processor: the networks of a page timed as int8 and as float, turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from edge_digits.doctor.finding import Finding
from edge_digits.options import Precision

SLOWER: Final = 1.1
"""int8 is called slower than float from this ratio on; below it, two runs disagree."""

STAGES: Final = ("classifier", "orientation", "finder", "context", "strings")
"""Stages of a page that are networks; the others do not know the precision."""

BUDGET_S: Final = 4.0


def time_precisions(model: str, precisions: Sequence[Precision]) -> dict[str, Any]:
    """Milliseconds of all networks for one page of golden digits on the CPU with one thread, {precision: median}."""
    from edge_digits.bench import timing
    from edge_digits.bench.pages import opencv_threads, synthetic_page
    from edge_digits.reader import Reader

    readers = {precision: Reader(model=model, provider="cpu", precision=precision, threads=1) for precision in precisions}
    source = synthetic_page(model).source
    samples: dict[str, list[float]] = {precision: [] for precision in readers}

    def read(precision: str) -> None:
        elapsed_ms = readers[precision].read(source).elapsed_ms  # type: ignore[index]
        samples[precision].append(sum(elapsed_ms.get(stage, 0.0) for stage in STAGES))

    with opencv_threads(1):
        timing.interleave({precision: partial(read, precision) for precision in readers}, timing.Effort(15, 1, BUDGET_S))
    return {precision: timing.summarize(found)["p50"] for precision, found in samples.items()}


def faster(ms: Mapping[str, float]) -> Precision:
    """What to remember: "float" where int8 is clearly slower, else "auto", which is int8 on the CPU and float on CUDA."""
    return "float" if ms.get("int8", 0.0) > SLOWER * ms.get("float", float("inf")) else "auto"


def look_at_speed(ms: Mapping[str, float]) -> Finding:
    """What time_precisions found."""
    found = ", ".join(f"{precision} {value:.1f}" for precision, value in ms.items()) + " ms for the networks of a page, one thread"
    if faster(ms) == "float":
        return Finding("speed", "warn", found, "float is faster on this CPU: use --precision float, or `edge-digits doctor --apply`")
    return Finding("speed", "ok", found)
