"""Fixtures that every room's tests may use, and one rule: on the build machine nothing is skipped in silence."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.command_line import LINES, Outcome, Run
from tests.picture_files import encode
from tests.strokes import draw_page

# The same examples every time and no clock: a check that fails on one run in a hundred tells nobody anything.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

# A shell that starts a program in the background makes it, and all that it starts, deaf to Ctrl-C; some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What the developer's own edge-digits.toml says must not change what the tests see.
os.environ["EDGE_DIGITS_CONFIG"] = os.devnull

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
"""Photographed pages with their truth, and data sets; lies beside the repository and is no part of it."""

SKIPS_FAIL = os.environ.get("CI", "").lower() in ("1", "true") and SHARED.is_dir()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with `pages/`, `data/` and `personal/`; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("no folder 'shared' beside the repository: photographed pages and data sets are not on this machine")
    return SHARED


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Calls the command line in this process: `run("read", path).out`."""
    from edge_digits import cli

    def call(*arguments: str | Path) -> Outcome:
        try:
            code: Any = cli.main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's own way
            code = stop.code
        return Outcome(code, *capfd.readouterr())

    return call


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn page that is read without a mistake; `tests.command_line.LINES` stand on it."""
    path = tmp_path_factory.mktemp("pages") / "good page.png"
    path.write_bytes(encode("PNG", draw_page(LINES)))
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On the build machine a skip is a failure, unless the test is marked `hardware`."""
    report = yield
    if SKIPS_FAIL and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("hardware") is None:
        report.outcome = "failed"
        report.longrepr = f"skipped, which the build machine does not accept: {report.longreprtext or report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if SKIPS_FAIL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which the build machine does not accept: {report.longrepr}"
    return report
