"""`edge-digits batch`: a pile of scans into a table."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.batch.arrivals import DEFAULT_RESCAN_S, DEFAULT_SETTLE_S
from edge_digits.batch.assigning import load_solver
from edge_digits.batch.batch import Again, Batch, Job
from edge_digits.batch.form_pages import FormPages
from edge_digits.batch.inputs import find_inputs
from edge_digits.batch.journal import Journal
from edge_digits.batch.options import DEFAULT_PAGE_MEMORY_MB, DEFAULT_TIMEOUT_S, ENGINES, FORMATS, BatchOptions
from edge_digits.batch.output import check_folder, check_out
from edge_digits.batch.progress import TerminalProgress
from edge_digits.batch.table import Table
from edge_digits.batch.tables import table_format
from edge_digits.batch.watch_command import check_watch, run_watch
from edge_digits.batch.worker import FilePages, ReaderFactory
from edge_digits.errors import ExitCode, UsageError
from edge_digits.forms.template_file import load_template
from edge_digits.reading.expect import parse_expectation
from edge_digits.reading.values import ValueList, read_values


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `batch`."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="folders (searched through all levels), files, 'GLOBS/**/*.tif', - for a list on stdin"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="TABLE", help=f"table to write: .{', .'.join(FORMATS)}")
    parser.add_argument("--format", choices=FORMATS, default=None, help="format of the table (default: by its extension)")
    parser.add_argument(
        "--pattern", default=None, metavar="GLOB", help="names to take from folders, such as 'sheet-*.jpg' (default: pictures)"
    )
    parser.add_argument("--annotate", type=Path, default=None, metavar="DIR", help="write each page there with its digits drawn on")
    parser.add_argument(
        "--template", type=Path, metavar="FORM", help="read sheets of this template (.yaml, .toml): a row a sheet, a column a field"
    )
    parser.add_argument(
        "--assign", metavar="FILE", help="list of known values, one a line: each is given to one number of the whole batch at most"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--watch", action="store_true", help="read what comes into the folders, until Ctrl-C (extra watch-folder); see --read-to"
    )
    again.add_argument("--only-failed", action="store_true", help="read again what failed, and nothing else")
    again.add_argument("--redo", action="store_true", help="read everything again, and replace the table whoever wrote it")
    _add_watch_arguments(parser)
    _add_work_arguments(parser)
    add_reader_arguments(parser)


def _add_watch_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("watching")
    group.add_argument("--read-to", type=Path, metavar="DIR", help="move files there when they are read (default: they stay)")
    group.add_argument("--failed-to", type=Path, metavar="DIR", help="move files there that failed, or of which a page did")
    group.add_argument(
        "--settle",
        type=float,
        default=DEFAULT_SETTLE_S,
        metavar="S",
        help="a file of which the system tells nothing (network folders) is complete when it rests so long (default %(default)g)",
    )
    group.add_argument(
        "--rescan",
        type=float,
        default=DEFAULT_RESCAN_S,
        metavar="S",
        help="look through the folders so often as well (default %(default)g)",
    )


def _add_work_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("work")
    group.add_argument("--workers", type=int, default=0, metavar="N", help="processes; 0 takes one a core (default)")
    group.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT_S, metavar="S", help="longest wait for a page (default %(default)g)"
    )
    group.add_argument(
        "--page-memory",
        type=int,
        default=DEFAULT_PAGE_MEMORY_MB,
        metavar="MB",
        help="memory that a page may take, its model aside (default %(default)s; Linux)",
    )
    group.add_argument("--engine", choices=ENGINES, default="local", help="processes here, or a Ray cluster (default %(default)s)")


def run(arguments: argparse.Namespace, factory: ReaderFactory = FilePages) -> ExitCode:
    """Read every file into the table; a file that fails is a row with its error.

    factory : makes what the workers read with. Raises UsageError, ModelError, ProviderError.
    """
    options = reader_options(arguments)
    batch_options = BatchOptions(arguments.workers, arguments.timeout, arguments.page_memory, arguments.engine)
    if options.reading.expect is not None:
        parse_expectation(options.reading.expect)
    if arguments.template is not None:
        factory = _form_factory(arguments)
    known = None if arguments.assign is None else _known_values(arguments.assign)
    if known is not None:
        options = replace(options, reading=replace(options.reading, all_candidates=True))
    table = Table(arguments.out, table_format(arguments.out, arguments.format), arguments.assign, known)
    out, journal_path = check_out(arguments.out, may_replace=arguments.redo)
    folders = check_watch(arguments) if arguments.watch else []
    files = [] if arguments.watch else find_inputs(arguments.inputs, arguments.pattern, arguments.annotate, out)
    if arguments.annotate is not None:
        check_folder(arguments.annotate)
    again: Again = "all" if arguments.redo else "failed" if arguments.only_failed else "none"
    job = Job(files, arguments.annotate, options, batch_options, factory, again)
    with Journal(journal_path, replace_damaged=arguments.redo) as journal, TerminalProgress() as progress:
        batch = Batch(job, journal, progress)
        if arguments.watch:
            return run_watch(arguments, batch, folders, table)
        try:
            with batch:
                batch.run()
            table.write(journal, batch.listed(), batch.tally)
        except KeyboardInterrupt:
            print(
                f"edge-digits: interrupted; {batch.done} of {len(files)} files are kept in {journal.path}; "
                "the same command goes on from there",
                file=sys.stderr,
            )
            return ExitCode.INTERRUPTED
    print(f"edge-digits: {table.summary(batch.tally)}", file=sys.stderr)
    return ExitCode.SOME_INPUTS_FAILED if batch.tally.failed else ExitCode.OK


def _form_factory(arguments: argparse.Namespace) -> ReaderFactory:
    """What workers read the template's sheets with. Raises UsageError, MissingExtraError."""
    for name in ("expect", "assign"):
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name} and --template: what stands in a field is said by the template; leave --{name} out")
    load_template(arguments.template)
    return partial(FormPages, str(arguments.template))


def _known_values(named: str) -> ValueList:
    """The list to assign. Raises UsageError, MissingExtraError."""
    load_solver()
    return read_values(named)
