"""`edge-digits batch --watch`: the part of the command that goes on until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_digits.batch.arrivals import Arrivals
from edge_digits.batch.batch import Batch, Tally
from edge_digits.batch.table import Table
from edge_digits.batch.watching import FolderWatch
from edge_digits.errors import ExitCode, UsageError


def check_watch(arguments: argparse.Namespace) -> list[Path]:
    """The folders to watch. Raises UsageError."""
    if arguments.annotate is not None:
        raise UsageError("--annotate: goes with a pile that is there, not with --watch; name one of them")
    for name, value in (("settle", arguments.settle), ("rescan", arguments.rescan)):
        if not 0 < value < float("inf"):
            raise UsageError(f"{name} is {value}; give seconds above 0")
    folders = [Path(name) for name in arguments.inputs]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--watch {folder}: is no folder; name folders, and make them first")
    for option, folder in (("--read-to", arguments.read_to), ("--failed-to", arguments.failed_to)):
        _make_folder(option, folder)
    return folders


def run_watch(arguments: argparse.Namespace, batch: Batch, folders: list[Path], table: Table) -> ExitCode:
    """Read what comes until Ctrl-C. Raises as a Reader does, and UsageError."""

    def write(files: Sequence[tuple[str, int | None]], tally: Tally) -> None:
        table.write(batch.journal, files, tally)
        print(f"edge-digits: {_said(tally, table.out)}", file=sys.stderr, flush=True)

    moved_to = [folder for folder in (arguments.read_to, arguments.failed_to) if folder is not None]
    arrivals = Arrivals(folders, pattern=arguments.pattern, excluded=moved_to, settle_s=arguments.settle, rescan_s=arguments.rescan)
    try:
        with batch:
            FolderWatch(batch, arrivals, folders, write, arguments.read_to, arguments.failed_to).run()
    except KeyboardInterrupt:
        print("edge-digits: interrupted; the same command goes on watching, and reads nothing twice", file=sys.stderr)
    return ExitCode.INTERRUPTED


def _said(tally: Tally, out: Path) -> str:
    return f"{tally.files} files, {tally.pages} pages, {tally.numbers} numbers, {tally.unsure} unsure, {tally.failed} failed; table: {out}"


def _make_folder(option: str, folder: Path | None) -> None:
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{option} {folder}: cannot be made ({error.strerror}); give a folder you may write to") from error
