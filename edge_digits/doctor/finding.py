"""What a look at one thing gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from edge_digits.errors import ExitCode

Status = Literal["ok", "warn", "fail"]

FAILURES: Final = (ExitCode.USAGE, ExitCode.MODEL, ExitCode.PROVIDER)
"""Worst first: a broken installation explains a model that does not load, and that a provider that is not obtained."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    status : "ok", "warn" (works, but could be better) or "fail". found : what there is.
    advice : what to do, "" when there is nothing to do. exit_code : of a failure.
    """

    check: str
    status: Status
    found: str
    advice: str = ""
    exit_code: ExitCode = ExitCode.OK


def broken(check: str, found: str, advice: str) -> Finding:
    """A failure of the installation itself."""
    return Finding(check, "fail", found, advice, ExitCode.USAGE)


def verdict(findings: Iterable[Finding]) -> ExitCode:
    """The exit code of findings: the worst failure, OK without any."""
    codes = {finding.exit_code for finding in findings if finding.status == "fail"}
    return next((code for code in FAILURES if code in codes), ExitCode.OK)
