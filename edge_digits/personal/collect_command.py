"""`edge-digits collect`: gathers samples of one person's digits, from a photographed page or drawn with the mouse.

Exit codes: 0 stored; 1 the photo cannot be read; 2 wrong usage, or labels that do not fit the page; 3 model.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.errors import ExitCode, UsageError
from edge_digits.personal.canvas import draw_digits
from edge_digits.personal.crops import Crop
from edge_digits.personal.pairing import contact_sheet, pair_labels, parse_labels
from edge_digits.personal.samples import DIGITS, SPLITS, Split, count_samples, split_in_turn, store_sample
from edge_digits.reader import Reader
from edge_digits.sources.images import open_frames

SPLIT_CHOICES: Final = (*SPLITS, "10/5")
SHEET_NAME: Final = "contact_sheet.png"
DRAWN_EACH: Final = 15


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--from, --labels, --draw, --out, --split, --each, --dry-run and the reader's."""
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--from", dest="photo", type=Path, metavar="PHOTO", help="a photographed page of your digits")
    how.add_argument("--draw", action="store_true", help="draw digits with the mouse in a window")
    parser.add_argument("--labels", metavar="DIGITS", help="what stands on the page, a blank between lines: '0123456789 0123456789'")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="samples folder; new samples are added to it")
    parser.add_argument(
        "--split", choices=SPLIT_CHOICES, default="train", help="10/5: ten of a digit to train, the next five to test, in turn"
    )
    parser.add_argument("--each", type=int, default=DRAWN_EACH, metavar="N", help="drawings of each digit (default %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="write the contact sheet only, to look at first")
    add_reader_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Run the command."""
    if arguments.draw:
        return _collect_drawn(arguments)
    if arguments.labels is None:
        raise UsageError("--from needs --labels: the digits on the page, a blank between lines")
    return _collect_from(arguments)


def _collect_from(arguments: argparse.Namespace) -> ExitCode:
    labels = parse_labels(arguments.labels)
    options = reader_options(arguments)
    frame = next(open_frames(arguments.photo, options.source))
    reading = Reader(options=options).read_frame(frame)
    labelled = pair_labels(reading, frame, labels)
    sheet = _write_sheet(arguments.out, contact_sheet(labelled))
    otherwise = sum(item.digit.digit not in (None, item.label) for item in labelled)
    print(f"edge-digits: {sheet} shows all {len(labelled)} digits with their labels; {otherwise}, in red, read as another", file=sys.stderr)
    if arguments.dry_run:
        return ExitCode.OK
    return _store(arguments, ((item.label, item.crop) for item in labelled))


def _collect_drawn(arguments: argparse.Namespace) -> ExitCode:
    if arguments.labels is not None or arguments.dry_run:
        raise UsageError("--labels and --dry-run belong to --from; --draw asks for each digit itself")
    if arguments.each < 1:
        raise UsageError(f"each is {arguments.each}; give a number of drawings of at least 1")
    return _store(arguments, draw_digits([digit for _ in range(arguments.each) for digit in DIGITS]))


def _store(arguments: argparse.Namespace, crops: Iterable[tuple[int, Crop | NDArray[np.uint8]]]) -> ExitCode:
    """Store crops as they come, so that what was drawn is kept when the window is closed; prints their paths."""
    stored: Counter[Split] = Counter()
    counts = {digit: count_samples(arguments.out, digit) for digit in DIGITS}
    for digit, crop in crops:
        split: Split = split_in_turn(counts[digit]) if arguments.split == "10/5" else arguments.split
        print(store_sample(arguments.out, split, digit, crop), flush=True)
        counts[digit] += 1
        stored[split] += 1
    print(f"edge-digits: stored {stored['train']} train and {stored['test']} test samples in {arguments.out}", file=sys.stderr)
    return ExitCode.OK


def _write_sheet(folder: Path, sheet: NDArray[np.uint8]) -> Path:
    path = folder / SHEET_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another --out folder") from error
    return path
