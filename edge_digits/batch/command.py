"""`edge-digits batch`: a pile of scans into a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from edge_digits._version import __version__
from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.batch.assigning import Assignment, load_solver
from edge_digits.batch.batch import Batch, Job, Tally
from edge_digits.batch.inputs import find_inputs
from edge_digits.batch.journal import Journal
from edge_digits.batch.options import DEFAULT_TIMEOUT_S, FORMATS, BatchOptions
from edge_digits.batch.tables import table_format, write_table
from edge_digits.batch.worker import FilePages, ReaderFactory
from edge_digits.errors import ExitCode, UsageError
from edge_digits.options import Options
from edge_digits.reading.expect import parse_expectation
from edge_digits.reading.values import ValueList, read_values

MOST_ERRORS_TOLD = 20
"""Failures that are also told on stderr, one line each; the table has them all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `batch`."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="folders (searched through all levels) and files")
    parser.add_argument("--out", type=Path, required=True, metavar="TABLE", help="table to write: .csv, .jsonl or .xlsx")
    parser.add_argument("--format", choices=FORMATS, default=None, help="format of the table (default: by its extension)")
    parser.add_argument(
        "--pattern", default=None, metavar="GLOB", help="names to take from folders, such as 'sheet-*.jpg' (default: pictures)"
    )
    parser.add_argument("--annotate", type=Path, default=None, metavar="DIR", help="write each page there with its digits drawn on")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes; 0 takes one a core (default)")
    parser.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT_S, metavar="S", help="longest wait for a page (default %(default)g)"
    )
    parser.add_argument(
        "--assign", metavar="FILE", help="list of known values, one a line: each is given to one number of the whole batch at most"
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "--resume", action="store_true", help="read only what is new, changed or failed; after an interruption that is so anyway"
    )
    existing.add_argument("--overwrite", action="store_true", help="read everything anew and replace the table")
    add_reader_arguments(parser)


def run(arguments: argparse.Namespace, factory: ReaderFactory = FilePages) -> ExitCode:
    """Read every file into the table; a file that fails is a row with its error.

    factory : makes what the workers read with. Raises UsageError, ModelError, ProviderError.
    """
    options, batch_options = reader_options(arguments), BatchOptions(arguments.workers, arguments.timeout)
    if options.reading.expect is not None:
        parse_expectation(options.reading.expect)
    known = None if arguments.assign is None else _known_values(arguments.assign)
    if known is not None:
        options = replace(options, reading=replace(options.reading, all_candidates=True))
    form = table_format(arguments.out, arguments.format)
    out = _check_out(arguments.out, may_exist=arguments.overwrite or arguments.resume)
    files = find_inputs(arguments.inputs, arguments.pattern, arguments.annotate)
    if arguments.annotate is not None:
        _make_folder(arguments.annotate)
    with Journal(out.with_name(out.name + ".journal"), fresh=arguments.overwrite) as journal:
        journal.check_settings(_settings(options, annotate=arguments.annotate is not None))
        job = Job(files, arguments.annotate, options, batch_options, factory)
        batch = Batch(job, journal)
        if batch.done and not arguments.resume:
            print(f"edge-digits: going on from {journal.path}: {len(batch.done)} of {len(files)} files are done", file=sys.stderr)
        try:
            with _progress(batch) as tell:
                batch.run(tell)
            change = None if known is None else Assignment(f"assign:{arguments.assign}", known, batch.noted())
            write_table(out, form, batch.entries(change))
        except KeyboardInterrupt:
            print(
                f"edge-digits: interrupted; {len(batch.done)} of {len(files)} files are kept in {journal.path}; "
                "the same command goes on from there",
                file=sys.stderr,
            )
            return ExitCode.INTERRUPTED
    print(f"edge-digits: {_summary(batch.tally, arguments.out)}", file=sys.stderr)
    return ExitCode.SOME_INPUTS_FAILED if batch.tally.failed else ExitCode.OK


def _known_values(named: str) -> ValueList:
    """The list to assign. Raises UsageError, MissingExtraError."""
    load_solver()
    return read_values(named)


def _check_out(out: Path, *, may_exist: bool) -> Path:
    """The table's place, links followed. Raises UsageError."""
    place = out.resolve()
    if not place.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}; make it first")
    if place.is_dir():
        raise UsageError(f"--out {out}: is a folder; name a file in it, such as {out / 'results.csv'}")
    if place.exists() and not place.is_file():
        raise UsageError(f"--out {out}: is no ordinary file; the table is written beside it and moved there, so name one")
    if place.exists() and not may_exist:
        raise UsageError(f"--out {out}: exists; --resume reads only what is new or failed, --overwrite replaces it")
    return place


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--annotate {folder}: cannot be made ({error.strerror}); give a folder you may write to") from error


def _settings(options: Options, *, annotate: bool) -> dict[str, Any]:
    """What a resumed run must have in common with the run it resumes."""
    chosen = asdict(options)
    chosen["recognition"].pop("threads")
    return {"version": __version__, "annotate": annotate, **{f"{room} options": values for room, values in chosen.items()}}


@contextmanager
def _progress(batch: Batch) -> Iterator[Any]:
    """A function that takes each finished file: moves the bar where a person looks on, tells failures."""
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None
    # disable=None: no bar where stderr is no terminal.
    bar = None if tqdm is None else tqdm(total=len(batch.job.files), initial=len(batch.done), unit="file", file=sys.stderr, disable=None)
    told = 0

    def tell(error: dict[str, str] | None) -> None:
        nonlocal told
        if bar is not None:
            bar.update()
        if error is None:
            return
        told += 1
        if told <= MOST_ERRORS_TOLD + 1:
            line = f"edge-digits: {error['message'] if told <= MOST_ERRORS_TOLD else 'more files failed; the table has them'}"
            print(line, file=sys.stderr) if bar is None else bar.write(line, file=sys.stderr)

    try:
        yield tell
    finally:
        if bar is not None:
            bar.close()


def _summary(tally: Tally, out: Path) -> str:
    pages_a_minute = 60 * tally.read_pages / tally.seconds if tally.seconds > 0 else 0.0
    words = [
        f"{tally.files} files, {tally.pages} pages, {tally.numbers} numbers, {tally.unsure} of them unsure (text has '?')",
        f"{tally.failed} files failed" + (" (column error)" if tally.failed else ""),
        f"{tally.seconds:.1f} s" + (f", {pages_a_minute:.0f} pages a minute" if tally.read_pages else ", nothing was left to read"),
        f"table: {out}",
    ]
    return "; ".join(words)
