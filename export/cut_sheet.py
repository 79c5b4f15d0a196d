"""Cuts a photographed sheet of digits into labelled pictures, with the rooms that read pages.

    python -m export.cut_sheet sheet.jpg --labels "0* 1* 2* 3* 4* 5* 6* 7* 8* 9*" --out DATA/sheets
    python -m export.cut_sheet sheet.jpg --labels "20260 31415 9*" --out DATA/sheets

Labels come from the writer and never from the reader. The reader only says where digits stand, and is asked whether labels and
digits have slipped against each other: a line with another number of digits than its labels, or one that reads as something
else altogether, is listed and not saved. Of the other lines each digit that the reader is sure to be another is held back, for
it may be a blot or half of a digit; the contact sheet shows them in red, and `--keep-otherwise` saves them too. A line that a
sheet has and the labels have not, or the other way round, is listed and does not disturb the rest.

Digits are stored as they were photographed, DIR/0..9/PHOTO-LINE-PLACE.png, so that a later rule can use them again. Exit
codes: 0 all lines saved; 1 some were not, or the photograph cannot be read; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.options import Options, RecognitionOptions
from edge_digits.personal.contact_sheet import Labelled, contact_sheet
from edge_digits.personal.crops import cut_out
from edge_digits.personal.samples import DIGITS
from edge_digits.reader import Reader
from edge_digits.reading.reading import Digit, Reading
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames
from export.data.transcript import ExpectedLine, pair_lines, parse_transcript

MOST_OTHERWISE: Final = 1.0 / 3.0
"""A line of which a larger share is surely read as other digits has slipped against its labels."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One digit of a sheet with its label. line, place : where it stands, from 1."""

    labelled: Labelled
    line: int
    place: int

    @property
    def otherwise(self) -> bool:
        """Whether the reader is sure that it is another digit."""
        return self.labelled.read_otherwise


@dataclass(frozen=True, slots=True)
class CutSheet:
    """What a sheet gave. cuts : digits of the lines that fit. left_out : one sentence a line that does not fit. lines : lines that fit."""

    cuts: tuple[Cut, ...]
    left_out: tuple[str, ...]
    lines: int


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command; prints the path of each stored picture."""
    options = _parse(arguments)
    try:
        return _run(options)
    except EdgeDigitsError as error:
        print(f"export.cut_sheet: {error}", file=sys.stderr)
        return error.exit_code


def cut_sheet(frame: Frame, reading: Reading, expected: Sequence[ExpectedLine]) -> CutSheet:
    """The digits of a sheet with the labels of the lines that they stand on. frame : what was read. expected : from top to bottom."""
    found = [[digit for number in line.numbers for digit in number.digits] for line in reading.lines]
    texts = ["".join(digit.text for digit in digits) for digits in found]
    pairs = dict(pair_lines(texts, expected))
    cuts: list[Cut] = []
    left_out = []
    for index, digits in enumerate(found):
        where = f"line {index + 1}, read as '{texts[index]}'"
        reason = _unfit(digits, expected[pairs[index]]) if index in pairs else "is like no line of the labels"
        if reason:
            left_out.append(f"{where}, {reason}")
            continue
        labels = expected[pairs[index]].labels(len(digits)) or []
        labelled = [Labelled(label, cut_out(frame, digit.box, digit.digit)) for digit, label in zip(digits, labels, strict=True)]
        cuts += [Cut(item, index + 1, place) for place, item in enumerate(labelled, start=1)]
    missing = [line.text for number, line in enumerate(expected) if number not in pairs.values()]
    left_out += [f"'{text}' of the labels was not found on the sheet" for text in missing]
    return CutSheet(tuple(cuts), tuple(left_out), len({cut.line for cut in cuts}))


def _unfit(digits: Sequence[Digit], expected: ExpectedLine) -> str:
    """Why a line cannot be saved with these labels; "" when it can."""
    labels = expected.labels(len(digits))
    if labels is None:
        return f"has {len(digits)} digits where the labels have {len(expected.digits)} ('{expected.text}')"
    otherwise = sum(digit.digit not in (None, label) for digit, label in zip(digits, labels, strict=True))
    if otherwise > MOST_OTHERWISE * len(digits):
        return f"reads as other digits than its labels '{expected.text}' in {otherwise} of {len(digits)} places"
    return ""


def save_cuts(folder: Path, name: str, cuts: Sequence[Cut]) -> list[Path]:
    """Write each digit as a PNG named after sheet, line and place. Returns the paths.

    Raises UsageError, with nothing written, when one of them is there already, and when the folder cannot be written.
    """
    paths = [folder / str(cut.labelled.label) / f"{name}-{cut.line:02d}-{cut.place:02d}.png" for cut in cuts]
    # Another label for the same place is the same digit again, with a corrected transcription.
    earlier = [path for digit in DIGITS for path in (folder / str(digit)).glob("*.png") if path.stem.rsplit("-", 2)[0] == name]
    if earlier:
        raise UsageError(f"{earlier[0]}: a sheet '{name}' was cut into this folder before; rename the photograph or remove its pictures")
    for path, cut in zip(paths, cuts, strict=True):
        _write_picture(path, cut.labelled.crop.picture)
    return paths


def _run(options: argparse.Namespace) -> ExitCode:
    expected = parse_transcript(_labels(options))
    reading_options = Options(recognition=RecognitionOptions(options.model, "cpu", threads=options.threads))
    reader = Reader(options=reading_options)
    frame = next(open_frames(options.photo, reading_options.source))
    sheet = cut_sheet(frame, reader.read_frame(frame), expected)
    for sentence in sheet.left_out:
        print(f"export.cut_sheet: not saved: {sentence}", file=sys.stderr)
    if not sheet.cuts:
        raise UsageError(f"{options.photo}: no line fits the labels; nothing was saved")
    kept = [cut for cut in sheet.cuts if options.keep_otherwise or not cut.otherwise]
    saved = [] if options.dry_run else save_cuts(options.out, options.photo.stem, kept)
    picture = options.out / f"{options.photo.stem}-contact_sheet.png"
    _write_picture(picture, contact_sheet([cut.labelled for cut in sheet.cuts]))
    for path in saved:
        print(path)
    held = len(sheet.cuts) - len(kept)
    print(f"{picture}: {len(sheet.cuts)} digits of {sheet.lines} lines; saved {len(saved)}, held back {held}", file=sys.stderr)
    return ExitCode.SOME_INPUTS_FAILED if sheet.left_out else ExitCode.OK


def _labels(options: argparse.Namespace) -> str:
    if options.labels is not None:
        return str(options.labels)
    try:
        return str(options.labels_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(f"{options.labels_file}: cannot be read ({reason}); give a text file, one line of the sheet a line") from error


def _write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another --out folder") from error


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.cut_sheet", description="Cut a photographed sheet into labelled digits.")
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="a photographed or scanned sheet")
    labels = parser.add_mutually_exclusive_group(required=True)
    labels.add_argument("--labels", metavar="TEXT", help="the digits of each line, a blank between lines; 4* is a line of any number of 4")
    labels.add_argument("--labels-file", type=Path, metavar="FILE", help="the same in a text file, one line of the sheet a line")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder that gets 0/ to 9/; other sheets in it stay")
    parser.add_argument("--keep-otherwise", action="store_true", help="save also what the reader is sure to be another digit")
    parser.add_argument("--dry-run", action="store_true", help="write the contact sheet only, to look at first")
    parser.add_argument("--model", default="default", help="the reader's model: a name or the path of an .onnx file")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="threads within one run; 0 chooses (default)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
