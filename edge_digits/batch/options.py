"""What a user may choose about a batch; names equal those of the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Literal

from edge_digits.errors import UsageError

TableFormat = Literal["csv", "jsonl", "parquet", "xlsx", "pdf", "alto", "hocr"]
Engine = Literal["local", "ray"]

FORMATS: Final[tuple[TableFormat, ...]] = ("csv", "jsonl", "parquet", "xlsx", "pdf", "alto", "hocr")
ENGINES: Final = ("local", "ray")
DEFAULT_TIMEOUT_S: Final = 120.0
"""A page that takes a hundred times the usual second, on the slowest board, is not going to end."""
DEFAULT_PAGE_MEMORY_MB: Final = 2048
"""Five times what the largest picture that is decoded by default (100 megapixels) needs in three channels, and some for reading it."""
MAX_WORKERS: Final = 256


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How the work is shared out.

    workers : processes, 1..256; 0 takes one a core that this process may use (local), or that the cluster has (ray).
    timeout_s : seconds that one page may take before its worker is replaced, > 0.
    page_memory_mb : megabytes (10**6) that a worker may take beyond what the loaded model takes, >= 16; enforced on Linux.
    engine : "local" for processes of this machine, "ray" for a Ray cluster.
    """

    workers: int = 0
    timeout_s: float = DEFAULT_TIMEOUT_S
    page_memory_mb: int = DEFAULT_PAGE_MEMORY_MB
    engine: Engine = "local"

    def __post_init__(self) -> None:
        if not 0 <= self.workers <= MAX_WORKERS:
            raise UsageError(f"workers is {self.workers}; give 0 (one a core) or a number up to {MAX_WORKERS}")
        if not self.timeout_s > 0:
            raise UsageError(f"timeout is {self.timeout_s}; give seconds above 0")
        if not self.page_memory_mb >= 16:
            raise UsageError(f"page-memory is {self.page_memory_mb}; give megabytes, 16 or more")
        if self.engine not in ENGINES:
            raise UsageError(f"engine is '{self.engine}'; choose one of {', '.join(ENGINES)}")


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
