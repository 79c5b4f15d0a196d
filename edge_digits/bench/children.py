"""Runs a few lines of Python in a fresh interpreter and brings its result home.

Imports, cold starts and memory can only be measured in a process that has done nothing else; and an import that dies
of an illegal instruction can only be survived in another process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from time import perf_counter
from typing import Any, Final

PRELUDE: Final = """\
import sys
sys.path[:] = {path!r}
def memory_mb(kind):
    # VmHWM belongs to this process alone; ru_maxrss would count what its parent held before exec.
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(kind + ":"))
    except (OSError, StopIteration):
        if kind != "VmHWM" or sys.platform == "win32":
            return None
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
from time import perf_counter
argument = {argument!r}
result = {{}}
"""

EPILOGUE: Final = """
import json
print("\\nRESULT " + json.dumps(result))
"""

TIME_LIMIT_S: Final = 300.0


class ChildDiedError(Exception):
    """The child gave no result.

    reason : one line. died_of : name of the signal that ended it, e.g. "SIGILL", or None.
    """

    def __init__(self, reason: str, died_of: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.died_of = reason, died_of


def run_child(code: str, argument: Any = None, time_limit_s: float = TIME_LIMIT_S) -> tuple[dict[str, Any], float]:
    """Run code in a fresh interpreter with this one's import path and nothing of the current folder.

    code : statements that fill the dict `result` with JSON values; they may use `argument` (anything that repr
        writes down), `perf_counter` and `memory_mb("VmRSS" | "VmHWM")` (MiB now, or at the peak; None where unknown).
    Returns the dict, and the milliseconds from start to exit. Raises ChildDiedError.
    """
    path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 - entries may be zip files, links stay links
    script = PRELUDE.format(path=path, argument=argument) + code + EPILOGUE
    started = perf_counter()
    try:
        # -I: neither the current folder nor PYTHON* variables may bring in another package than the one running now.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=time_limit_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ChildDiedError(f"no answer within {time_limit_s:g} s") from error
    elapsed_ms = (perf_counter() - started) * 1000.0
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ChildDiedError(f"died of {name}", name)
    marked = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not marked:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ChildDiedError(last)
    result: dict[str, Any] = json.loads(marked[-1].removeprefix("RESULT "))
    return result, elapsed_ms
