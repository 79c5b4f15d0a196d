"""`edge-digits evaluate`: read pages whose truth is known, and say how much was read right."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.bench import alignment, evaluation_table, failures, machine, mistakes, naming, scoring
from edge_digits.bench.command import check_writable, progress
from edge_digits.bench.disturbance import DISTURBANCES
from edge_digits.bench.evaluation import EvaluatedPage, evaluate, page_record, page_times
from edge_digits.bench.pages import opencv_threads
from edge_digits.bench.peer_comparison import compare
from edge_digits.bench.peers import PEERS, Peer, load_peers
from edge_digits.bench.truth import PageTruth, load_truth
from edge_digits.errors import ExitCode, InputNotFoundError, UsageError
from edge_digits.reader import Reader

TRUTH_NAME: Final = "truth.json"
FILTERS: Final = {"half": "halves", "kind": "kinds", "difficulty": "difficulties"}
"""Words of the truth that choose pages, and their plurals."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `evaluate`."""
    parser.add_argument("pages", type=Path, metavar="FOLDER", help="folder of the pictures that the truth names")
    parser.add_argument("--truth", type=Path, metavar="FILE", help=f"what stands on them (default FOLDER/{TRUTH_NAME})")
    parser.add_argument("--half", metavar="NAME", help="only pages of this half, for example tune or check")
    parser.add_argument("--kind", metavar="NAME", help="only pages of this kind")
    parser.add_argument("--difficulty", metavar="NAME", help="only pages of this difficulty")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="what to print (default %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write figures, machine and model there as JSON")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="write what was read there, as `read --format json` prints it")
    parser.add_argument("--failures", type=Path, metavar="DIR", help="write pictures of the wrong pages there, with an index.html")
    parser.add_argument(
        "--peer",
        choices=tuple(PEERS),
        action="append",
        default=[],
        help="read every page with this system too, where it is installed, turn by turn, on one thread unless --threads says otherwise",
    )
    parser.add_argument("--disturb", choices=tuple(DISTURBANCES), help="do this to every page first, to see what it costs")
    add_reader_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Read, score, report. With --threads, OpenCV is held to as many threads as the model."""
    scoring.load_assignment()
    truths = choose_pages(arguments)
    for path in (arguments.out, arguments.predictions):
        if path is not None:
            check_writable(path)
    if arguments.failures is not None:
        failures.make_folder(arguments.failures)
    if arguments.peer and not arguments.threads:
        arguments.threads = 1
    reader, peers = Reader(options=reader_options(arguments)), load_peers(arguments.peer, arguments.threads)
    with opencv_threads(arguments.threads):
        pages = list(_read_all(reader, peers, truths, arguments))
    result = _result(reader, peers, pages, arguments)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if arguments.failures is not None:
        failures.write_index(arguments.failures, [page for page in pages if _wrong(page)], len(pages))
    if arguments.format == "json":
        print(json.dumps(result, indent=1, ensure_ascii=False))
    else:
        evaluation_table.print_result(result, sys.stdout)
    return ExitCode.SOME_INPUTS_FAILED if any(page.error for page in pages) else ExitCode.OK


def choose_pages(arguments: argparse.Namespace) -> list[PageTruth]:
    """The pages that the truth names and the user wants. Raises InputNotFoundError, UsageError."""
    if not arguments.pages.is_dir():
        raise InputNotFoundError(f"{arguments.pages}: no such folder; give the one that holds the pages")
    path = arguments.truth or arguments.pages / TRUTH_NAME
    truths = load_truth(path)
    asked = {word: getattr(arguments, word) for word in FILTERS}
    wanted = [t for t in truths if all(value in (None, getattr(t, word)) for word, value in asked.items())]
    if not wanted:
        words = ", ".join(f"{word} {value}" for word, value in asked.items() if value is not None)
        there = "; ".join(f"{many}: {', '.join(sorted({getattr(t, word) or 'none' for t in truths}))}" for word, many in FILTERS.items())
        raise UsageError(f"{path}: no page of {words}; {there}")
    return wanted


def _read_all(reader: Reader, peers: Sequence[Peer], truths: Sequence[PageTruth], arguments: argparse.Namespace) -> Iterator[EvaluatedPage]:
    """Every page, with its prediction and its failure written as it comes, and its picture let go."""
    predictions: IO[str] | None = arguments.predictions.open("w", encoding="utf-8") if arguments.predictions else None
    try:
        with progress("reading", len(truths)) as step:
            for page in evaluate(reader, arguments.pages, truths, peers, arguments.disturb):
                if page.error is not None:
                    print(f"edge-digits: {page.error}", file=sys.stderr)
                if predictions is not None:
                    print(json.dumps(page.prediction(), ensure_ascii=False), file=predictions)
                if arguments.failures is not None and _wrong(page):
                    failures.keep_picture(arguments.failures, page)
                yield replace(page, frame=None)
                step()
    finally:
        if predictions is not None:
            predictions.close()


def _wrong(page: EvaluatedPage) -> bool:
    return page.score.errors > 0 or page.score.false_digits > 0 or page.error is not None


def _result(reader: Reader, peers: Sequence[Peer], pages: Sequence[EvaluatedPage], arguments: argparse.Namespace) -> dict[str, Any]:
    classifier = reader.classifier
    return {
        "date": machine.utc_now(),
        "pages_of": {word: getattr(arguments, word) for word in FILTERS},
        "disturbance": arguments.disturb,
        "figures": scoring.figures_by_group([(page.truth, page.score) for page in pages]),
        "mistakes": mistakes.count_causes(page.mistakes for page in pages),
        "peers": {peer.name: compare(peer, pages) for peer in peers},
        "ms": page_times(pages),
        "threads": arguments.threads,
        "machine": machine.machine_facts(),
        "software": machine.software_facts(),
        "model": {"name": classifier.name, "precision": classifier.precision, "sha256": classifier.sha256},
        "provider": classifier.provider,
        "min_confidence": reader.min_confidence,
        "naming": naming.naming_figures(reader, _judged(pages)),
        "pages": [page_record(page) for page in pages],
    }


def _judged(pages: Sequence[EvaluatedPage]) -> list[alignment.JudgedPage]:
    """Each page that was read, digit by digit."""
    with_signs = alignment.tells_signs([page.truth for page in pages])
    return [alignment.judge_page(page.truth, page.reading, with_signs=with_signs) for page in pages if page.reading is not None]
