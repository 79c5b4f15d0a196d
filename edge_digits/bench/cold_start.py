"""What the first page costs: import, building a Reader, the first read, and the memory that each step takes.

Measured in fresh processes, since a second time in the same one is a warm start.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from edge_digits.bench import timing
from edge_digits.bench.children import ChildDiedError, run_child
from edge_digits.errors import EdgeDigitsError

CODE: Final = """
result["python_mb"] = memory_mb("VmRSS")
started = perf_counter()
import numpy, cv2, onnxruntime
libraries = perf_counter()
result["libraries_mb"] = memory_mb("VmRSS")
from edge_digits import Reader
imported = perf_counter()
if argument["reader"].get("threads"):
    cv2.setNumThreads(argument["reader"]["threads"])
reader = Reader(**argument["reader"])
built = perf_counter()
result["reader_mb"] = memory_mb("VmRSS")
reading = reader.read(argument["source"])
read = perf_counter()
result["peak_mb"] = memory_mb("VmHWM")
result["libraries_ms"] = (libraries - started) * 1000
result["import_ms"] = (imported - started) * 1000
result["reader_ms"] = (built - imported) * 1000
result["first_read_ms"] = (read - built) * 1000
result["digits"] = len(reading.digits)
result["pixels"] = reading.width * reading.height
"""

MEMORY_KEYS: Final = ("python_mb", "libraries_mb", "reader_mb", "peak_mb")
TIME_KEYS: Final = ("libraries_ms", "import_ms", "reader_ms", "first_read_ms", "process_ms")


def measure_cold_start(source: str | bytes, reader: Mapping[str, Any], runs: int, budget_s: float | None = None) -> dict[str, Any]:
    """Read one picture in each of `runs` fresh processes, after one that fills the file cache and is not counted.

    source : path or bytes of a picture. reader : keyword arguments of Reader; OpenCV is held to its `threads`.
    budget_s : no further process starts after so many seconds, once one is counted.
    Returns summaries: libraries_ms (numpy, cv2 and onnxruntime imported), import_ms (those and edge_digits),
    reader_ms (model loaded and self-tested), first_read_ms, process_ms (from start to exit, interpreter included); and
    medians in MiB of resident memory: python_mb, libraries_mb, reader_mb (Reader built) and peak_mb (the whole run);
    None where the system does not tell. Raises EdgeDigitsError when a child dies.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = source
        if isinstance(source, bytes):
            path = str(Path(folder, "page.jpg"))
            Path(path).write_bytes(source)
        started, results = perf_counter(), []
        for turn in range(runs + 1):
            if budget_s is not None and turn > 1 and perf_counter() - started > budget_s:
                break
            results.append(run_once({"source": str(path), "reader": dict(reader)}))
    counted = results[1:]
    times = {key: timing.summarize([result[key] for result in counted]) for key in TIME_KEYS}
    memory = {key: median([result[key] for result in counted]) for key in MEMORY_KEYS}
    return {**times, **memory, "digits": counted[0]["digits"], "pixels": counted[0]["pixels"]}


def run_once(argument: Mapping[str, Any]) -> dict[str, Any]:
    """One cold start in a child. Raises EdgeDigitsError when it dies."""
    try:
        result, process_ms = run_child(CODE, argument)
    except ChildDiedError as error:
        raise EdgeDigitsError(f"a fresh process could not read the page ({error.reason}); run `edge-digits doctor`") from error
    return {**result, "process_ms": process_ms}


def median(values: list[float | None]) -> float | None:
    """Median, one decimal; None when any value is unknown."""
    known = [value for value in values if value is not None]
    return round(float(timing.summarize(known)["p50"]), 1) if known and len(known) == len(values) else None
