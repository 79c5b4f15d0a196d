"""What the package adds to the libraries it stands on: import time and memory, and memory while reading a large page.

Every figure comes from fresh processes that take turns, so that a slow moment of the machine falls on all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from edge_digits.bench import timing
from edge_digits.bench.children import ChildDiedError, run_child
from edge_digits.bench.cold_start import median, run_once
from edge_digits.bench.pages import LARGE_SIZE_PX, large_page
from edge_digits.errors import EdgeDigitsError

LIBRARIES: Final = "import numpy, cv2, onnxruntime"
PACKAGE: Final = "import edge_digits"
READER: Final = "from edge_digits import Reader"
READER_AND_RUNTIME: Final = "from edge_digits import Reader; import onnxruntime"
READER_BUILT: Final = "from edge_digits import Reader; Reader()"
STATEMENTS: Final = (LIBRARIES, PACKAGE, READER, READER_AND_RUNTIME, READER_BUILT)

JUDGED: Final = (PACKAGE, READER, READER_AND_RUNTIME)
"""Held against the goals. The last is what importing onnxruntime with the package, and not on first use, would cost."""

TIME_GOAL: Final = 2.0
MEMORY_GOAL: Final = 1.3
"""Largest import time and memory of edge_digits, as multiples of its libraries' own."""

LARGE_PAGE_GOAL_MB: Final = 150.0
"""Largest memory above its libraries while a 12-megapixel page is read."""

CODE: Final = """
started = perf_counter()
exec(argument)
result["ms"] = (perf_counter() - started) * 1000
result["resident_mb"], result["peak_mb"] = memory_mb("VmRSS"), memory_mb("VmHWM")
result["onnxruntime"] = "onnxruntime" in sys.modules
"""


def measure_footprint(rounds: int, model: str = "default", on_round: Callable[[], Any] = lambda: None) -> dict[str, Any]:
    """Import and memory costs. rounds : counted rounds, after one that is not. Raises EdgeDigitsError, ModelError.

    Returns {"imports": [one entry a statement], "goals": [...], "large_page": {...}}.
    """
    imports = _imports(rounds, on_round)
    return {"imports": list(imports.values()), "goals": list(_goals(imports)), "large_page": _large_page(rounds, model, on_round)}


def _imports(rounds: int, on_round: Callable[[], Any]) -> dict[str, dict[str, Any]]:
    results: dict[str, list[dict[str, Any]]] = {statement: [] for statement in STATEMENTS}
    for turn in range(rounds + 1):
        for statement in STATEMENTS:
            result = _run(statement)
            if turn:
                results[statement].append(result)
        on_round()
    return {
        statement: {
            "statement": statement,
            "ms": timing.summarize([run["ms"] for run in runs]),
            "process_ms": timing.summarize([run["process_ms"] for run in runs]),
            "resident_mb": median([run["resident_mb"] for run in runs]),
            "peak_mb": median([run["peak_mb"] for run in runs]),
            "imports_onnxruntime": runs[0]["onnxruntime"],
        }
        for statement, runs in results.items()
    }


def _run(statement: str) -> dict[str, Any]:
    try:
        result, process_ms = run_child(CODE, statement)
    except ChildDiedError as error:
        raise EdgeDigitsError(f"'{statement}' failed in a fresh process ({error.reason}); run `edge-digits doctor`") from error
    return {**result, "process_ms": process_ms}


def _goals(imports: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    base = imports[LIBRARIES]
    for statement in JUDGED:
        entry = imports[statement]
        time_ratio = entry["ms"]["p50"] / base["ms"]["p50"]
        known = entry["peak_mb"] is not None and base["peak_mb"] is not None
        memory_ratio = entry["peak_mb"] / base["peak_mb"] if known else None
        yield {
            "statement": statement,
            "against": LIBRARIES,
            "time_ratio": round(time_ratio, 3),
            "time_goal": TIME_GOAL,
            "memory_ratio": None if memory_ratio is None else round(memory_ratio, 3),
            "memory_goal": MEMORY_GOAL,
            "met": time_ratio <= TIME_GOAL and (memory_ratio is None or memory_ratio <= MEMORY_GOAL),
        }


def _large_page(rounds: int, model: str, on_round: Callable[[], Any]) -> dict[str, Any]:
    """Resident memory of a process that reads one 12-megapixel JPEG with one thread."""
    page, runs = large_page(model), []
    assert isinstance(page.source, bytes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.jpg")
        path.write_bytes(page.source)
        for _ in range(rounds):
            runs.append(run_once({"source": str(path), "reader": {"model": model, "threads": 1}}))
            on_round()
    memory = {key: median([run[key] for run in runs]) for key in ("libraries_mb", "reader_mb", "peak_mb")}
    known = memory["peak_mb"] is not None and memory["libraries_mb"] is not None
    above = round(memory["peak_mb"] - memory["libraries_mb"], 1) if known else None  # type: ignore[operator]
    return {
        "what": f"{page.name}, {LARGE_SIZE_PX[0]}x{LARGE_SIZE_PX[1]} JPEG",
        **memory,
        "above_libraries_mb": above,
        "goal_mib": LARGE_PAGE_GOAL_MB,
        "met": None if above is None else above <= LARGE_PAGE_GOAL_MB,
        "digits_found": runs[0]["digits"],
        "first_read_ms": timing.summarize([run["first_read_ms"] for run in runs]),
    }
