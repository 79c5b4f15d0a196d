"""`edge-digits collect`: gathers samples of one person's digits, drawn, or written on a printed sheet or any page.

Exit codes: 0 stored; 1 the photo cannot be read; 2 wrong usage, labels that do not fit the page, or nobody confirmed; 3 model.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.errors import ExitCode, InputDecodeError, UsageError
from edge_digits.options import Options
from edge_digits.paper.tiles import make_tiles
from edge_digits.personal.canvas import draw_digits
from edge_digits.personal.contact_sheet import Labelled, confirm, contact_sheet, parse_numbers
from edge_digits.personal.crops import Crop
from edge_digits.personal.pairing import pair_labels, parse_labels
from edge_digits.personal.prompts import TEST_EACH, TRAIN_EACH, Prompt, missing_prompts
from edge_digits.personal.samples import DIGITS, SPLITS, Split, count_samples, glyph_of, remove_sample, split_in_turn, store_sample
from edge_digits.personal.sheet import sheet_pdf
from edge_digits.personal.sheet_cutting import cut_sheet, has_sheet
from edge_digits.reader import Reader
from edge_digits.recognition.classifier import Classifier
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

SPLIT_CHOICES: Final = (*SPLITS, "10/5")
CONTACT_SHEET_NAME: Final = "contact_sheet.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--sheet, --from, --draw and what belongs to each, and the reader's."""
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--draw", action="store_true", help="draw digits with the mouse or a finger in a window")
    how.add_argument("--sheet", type=Path, metavar="FILE.pdf", help="write a sheet to print: markers, and a box for each digit")
    how.add_argument("--from", dest="photo", type=Path, metavar="PHOTO", help="a photograph of that sheet, or of any page with --labels")
    parser.add_argument("--labels", metavar="DIGITS", help="what stands on a page without boxes, a blank between lines: '0123456789 0123'")
    parser.add_argument("--out", type=Path, metavar="DIR", help="samples folder; new samples are added to it")
    parser.add_argument("--train", type=int, default=TRAIN_EACH, metavar="N", help="drawings a digit to learn from (default %(default)s)")
    parser.add_argument("--test", type=int, default=TEST_EACH, metavar="N", help="and to measure with (default %(default)s)")
    parser.add_argument("--split", choices=SPLIT_CHOICES, help="of a page with --labels: 10/5 is ten to train, the next five to test")
    parser.add_argument("--yes", action="store_true", help="store without asking; the contact sheet is written all the same")
    parser.add_argument("--leave-out", nargs="+", default=[], metavar="N", help="numbers on the contact sheet that are not stored")
    parser.add_argument("--dry-run", action="store_true", help="write the contact sheet only, to look at first")
    add_reader_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Run the command."""
    if arguments.photo is None and (arguments.labels or arguments.dry_run or arguments.leave_out or arguments.split):
        raise UsageError("--labels, --split, --leave-out and --dry-run belong to --from, a photograph of what was written")
    if arguments.sheet is not None:
        return _print_sheet(arguments.sheet)
    if arguments.out is None:
        raise UsageError("--out is missing; name the folder that samples are stored in, for example --out samples")
    return _draw(arguments) if arguments.draw else _collect_from(arguments)


def _print_sheet(path: Path) -> ExitCode:
    try:
        with path.open("xb") as file:
            file.write(sheet_pdf())
    except FileExistsError as error:
        raise UsageError(f"{path}: exists already; give another name") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    print(f"edge-digits: wrote {path}, one A4 page; print it, write, photograph it, then: collect --from photo.jpg", file=sys.stderr)
    return ExitCode.OK


def _draw(arguments: argparse.Namespace) -> ExitCode:
    prompts = missing_prompts(arguments.out, arguments.train, arguments.test)
    if not prompts:
        print(
            f"edge-digits: {arguments.out} holds {arguments.train} train and {arguments.test} test of each digit already", file=sys.stderr
        )
        return ExitCode.OK

    def store(prompt: Prompt, drawing: NDArray[np.uint8]) -> Path:
        path = store_sample(arguments.out, prompt.split, prompt.digit, drawing)
        print(path, flush=True)
        return path

    def take_back(path: Path) -> None:
        remove_sample(path)
        print(f"edge-digits: took {path} back", file=sys.stderr)

    count = draw_digits(prompts, store, take_back)
    print(f"edge-digits: stored {count} samples in {arguments.out}, {len(prompts) - count} are still missing", file=sys.stderr)
    return ExitCode.OK


def _collect_from(arguments: argparse.Namespace) -> ExitCode:
    options = reader_options(arguments)
    frame = next(open_frames(arguments.photo, options.source))
    labelled = _cut(frame, arguments.labels, options, arguments.split)
    struck = parse_numbers(arguments.leave_out, len(labelled))
    path = _write_contact_sheet(arguments.out, contact_sheet(labelled, struck))
    otherwise = sum(item.read_otherwise for item in labelled)
    print(f"edge-digits: {path} shows all {len(labelled)} digits with their labels; {otherwise}, in red, read as another", file=sys.stderr)
    if arguments.dry_run:
        return ExitCode.OK
    kept = [item for number, item in enumerate(labelled, start=1) if number not in struck]
    if not (arguments.yes or struck):
        kept = confirm(labelled, path)
        if not kept:
            raise UsageError("nothing was stored, as you wished; correct the page or its labels and run it again")
    return _store(arguments.out, kept, arguments.split)


def _cut(frame: Frame, labels: str | None, options: Options, split: str | None) -> list[Labelled]:
    """What is written on a page with its labels; read : what the model sees there."""
    if labels is not None:
        return pair_labels(Reader(options=options).read_frame(frame), frame, parse_labels(labels))
    if not has_sheet(frame):
        raise UsageError(
            f"{frame.source}: shows none of the sheet's markers; photograph the sheet that `edge-digits collect --sheet sheet.pdf` "
            "writes, or give --labels: the digits on the page, a blank between lines"
        )
    if split is not None:
        raise UsageError("--split goes with --labels; the sheet has boxes of its own for train and test")
    labelled = cut_sheet(frame)
    if not labelled:
        raise InputDecodeError(f"{frame.source}: no digit found in the sheet's boxes; write in them with a dark pen")
    classifier = Classifier(options.recognition)
    logits = classifier.logits(make_tiles([glyph_of(item.crop) for item in labelled]))
    return [_as_read(item, int(row.argmax())) for item, row in zip(labelled, logits, strict=True)]


def _as_read(item: Labelled, seen: int) -> Labelled:
    origin = replace(item.crop.origin, read=seen if seen in DIGITS else None)
    return replace(item, crop=Crop(item.crop.picture, origin))


def _store(folder: Path, labelled: Sequence[Labelled], split: str | None) -> ExitCode:
    """Store crops as they come and print their paths."""
    stored: Counter[Split] = Counter()
    counts = {digit: count_samples(folder, digit) for digit in DIGITS}
    for item in labelled:
        other: Split = split_in_turn(counts[item.label]) if split == "10/5" else "test" if split == "test" else "train"
        target = item.split or other
        print(store_sample(folder, target, item.label, item.crop), flush=True)
        counts[item.label] += 1
        stored[target] += 1
    print(f"edge-digits: stored {stored['train']} train and {stored['test']} test samples in {folder}", file=sys.stderr)
    return ExitCode.OK


def _write_contact_sheet(folder: Path, sheet: NDArray[np.uint8]) -> Path:
    path = folder / CONTACT_SHEET_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another --out folder") from error
    return path
