"""What a user may choose about a batch; names equal those of the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Literal

from edge_digits.errors import UsageError

TableFormat = Literal["csv", "jsonl", "xlsx"]

FORMATS: Final = ("csv", "jsonl", "xlsx")
DEFAULT_TIMEOUT_S: Final = 120.0
"""A page that takes a hundred times the usual second, on the slowest board, is not going to end."""
MAX_WORKERS: Final = 256


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How the work is shared out.

    workers : processes, 1..256; 0 takes one a core that this process may use.
    timeout_s : seconds that one page may take before its worker is replaced, > 0.
    """

    workers: int = 0
    timeout_s: float = DEFAULT_TIMEOUT_S

    def __post_init__(self) -> None:
        if not 0 <= self.workers <= MAX_WORKERS:
            raise UsageError(f"workers is {self.workers}; give 0 (one a core) or a number up to {MAX_WORKERS}")
        if not self.timeout_s > 0:
            raise UsageError(f"timeout is {self.timeout_s}; give seconds above 0")

    def worker_count(self, tasks: int) -> int:
        """Processes to start for so many files; at least 1."""
        return max(1, min(self.workers or _usable_cores(), tasks))


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
