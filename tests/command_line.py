"""The command line as tests call it: in this process, or as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LINES = ["407 1892", "35"]
"""What stands on the page of the fixture `good`."""

TEXT = "407 1892\n35\n"


@dataclass
class Outcome:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def pages(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout; every line must be one."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaints(self) -> list[str]:
        """Lines on stderr; each must be one of ours."""
        lines = self.err.splitlines()
        assert all(line.startswith("edge-digits: ") for line in lines), self.err
        return [line.removeprefix("edge-digits: ") for line in lines]


Run = Callable[..., Outcome]


def program(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs the command line as a program, warnings shown as they would be to a developer."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-W", "always", "-m", "edge_digits", *map(str, arguments)]
    return subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": path}, capture_output=True, **options)
