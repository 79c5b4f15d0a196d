"""A limit on the memory of a worker, so that one hostile file costs an error row and not the machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

MEGABYTE: Final = 10**6


def limit_memory(megabytes: int) -> bool:
    """Let this process take no more than so much beyond what it has now; whether the system holds to it.

    RLIMIT_DATA counts the memory that a process may write to (Linux 4.7 and newer), not the files it has mapped. Asking for
    more fails as if the machine had none left: MemoryError in Python, an error or the end of the process in libraries.
    """
    if sys.platform != "linux":
        return False
    import resource

    taken = _data_bytes()
    if taken is None:
        return False
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = taken + megabytes * MEGABYTE
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    return True


def _data_bytes() -> int | None:
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), None)
