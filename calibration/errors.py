"""The errors of the int8 bench and how its commands report them: one line on stderr and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable

from edge_digits.errors import EdgeDigitsError, ExitCode


class CalibrationError(EdgeDigitsError, ValueError):
    """A file or value that calibration cannot work with; exit code 1."""


class RefusedError(EdgeDigitsError):
    """A model that may not be published; exit code 3."""

    exit_code = ExitCode.MODEL


def report(command: str, work: Callable[[], int]) -> int:
    """Run a command's work; turn the errors raised on purpose into one line and their exit code."""
    try:
        return int(work())
    except EdgeDigitsError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print(f"{command}: interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
