"""`edge-digits review`: the doubtful digits of a table, looked at in the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.batch.batch import Tally
from edge_digits.batch.corrections import corrections_path, load_corrections
from edge_digits.batch.journal import Journal
from edge_digits.batch.review import Question, Review
from edge_digits.batch.table import Table
from edge_digits.batch.tables import table_format
from edge_digits.errors import ExitCode, UsageError
from edge_digits.reading.values import read_values

WIDEST: Final = 100
"""Characters across a crop; a character shows one pixel across and two down."""
HIGHEST: Final = 40
"""Pixels of a crop's height, two to a line of text."""
KEYS: Final = "0-9: it is this digit   n: no digit   s or space: skip   u: undo   q: end"
INTERRUPT: Final = "\x03"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `review`."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="table that `batch` wrote; its journal must lie beside it")
    parser.add_argument(
        "--samples",
        type=Path,
        metavar="DIR",
        help="keep answered digits there, for `adapt` (default: TABLE with -samples in place of its ending)",
    )
    parser.add_argument("--no-samples", action="store_true", help="keep none")


def run(arguments: argparse.Namespace, keys: Callable[[], str] | None = None) -> ExitCode:
    """Ask for one digit after the other until none is left or the user ends it; then write the table anew, whatever its format.

    keys : gives the next key that was pressed; of the terminal by default. Raises UsageError, MissingExtraError.
    """
    place: Path = arguments.table.resolve()
    if not place.is_file():
        raise UsageError(f"{arguments.table}: no such table; name the one that `edge-digits batch --out` wrote")
    samples = None if arguments.no_samples else arguments.samples or arguments.table.with_name(arguments.table.stem + "-samples")
    with _open_journal(place) as journal:
        table = _table(arguments.table, journal)
        review = Review(place, table.doubted(journal, load_corrections(place)), samples)
    if review.question is None:
        print(f"edge-digits: {table.out}: no doubtful digit is left to look at", file=sys.stderr)
    elif keys is None and not sys.stdin.isatty():
        raise UsageError("review asks in a terminal, and stdin is none; run it in one")
    else:
        try:
            _ask(review, keys or read_key)
        except KeyboardInterrupt:
            print(file=sys.stderr)
        left = len(review.questions) - review.at
        print(f"edge-digits: {review.answered} digits answered, {left} left", file=sys.stderr)
    if samples is not None and review.answered:
        print(f"edge-digits: samples: {samples}; learn from them: edge-digits adapt --samples {samples} --name me", file=sys.stderr)
    return _rewrite(table.out, place) if review.answered or _is_behind(place) else ExitCode.OK


def _open_journal(place: Path) -> Journal:
    """The journal of a table. Raises UsageError."""
    path = place.with_name(place.name + ".journal")
    if path.is_file():
        return Journal(path)
    raise UsageError(f"{path}: is not there, and without it nobody knows where the digits stand; keep journals beside their tables")


def _table(out: Path, journal: Journal) -> Table:
    """The table as it was written last. Raises UsageError, MissingExtraError."""
    made = journal.use_listed()
    if made is None:
        raise UsageError(f"{out}: its journal does not say what it was made of; give the batch command again, nothing is read anew")
    return Table(out, table_format(out, made["format"]), made["assign"], None if made["assign"] is None else read_values(made["assign"]))


def _is_behind(place: Path) -> bool:
    """Whether an earlier review was ended before its answers were in the table."""
    said = corrections_path(place)
    return said.exists() and said.stat().st_mtime_ns > place.stat().st_mtime_ns


def _rewrite(out: Path, place: Path) -> ExitCode:
    """Bring the answers into the table. Raises UsageError."""
    tally = Tally()
    try:
        with _open_journal(place) as journal:
            _table(out, journal).rewrite(journal, tally)
    except KeyboardInterrupt:
        print(f"edge-digits: {out} is as it was; the answers are kept, and the next review writes it", file=sys.stderr)
        return ExitCode.INTERRUPTED
    print(f"edge-digits: {out} is written with them: {tally.numbers} numbers, {tally.unsure} of them still unsure", file=sys.stderr)
    return ExitCode.OK


def _ask(review: Review, keys: Callable[[], str]) -> None:
    print(f"edge-digits: {len(review.questions)} digits to look at.  {KEYS}", file=sys.stderr)
    shown = -1
    while (question := review.question) is not None:
        if shown != review.at:
            _show(review, question)
            shown = review.at
        key = keys().lower()
        if key == INTERRUPT:
            raise KeyboardInterrupt
        if key in ("q", ""):
            return
        if key.isdecimal() and key.isascii():
            review.answer(int(key))
        elif key == "n":
            review.answer(None)
        elif key in ("s", " "):
            review.skip()
        elif key == "u":
            review.undo()
            shown = -1


def _show(review: Review, question: Question) -> None:
    field = f", field {question.number['name']}" if "name" in question.number else ""
    guesses = question.digit.get("candidates", ())
    likely = "  ".join(f"{guess['digit']}: {guess['confidence']:.0%}" for guess in guesses)
    place = f"{review.at + 1} of {len(review.questions)}: {question.entry['source']}, page {question.entry['page']}{field}"
    print(f"\n{place}\nread {question.number['text']}, digit {question.place + 1} is marked   {likely}", file=sys.stderr)
    found = review.crop(question)
    if found is None:
        print("(the picture is gone or has changed: skip it, or answer from the paper)", file=sys.stderr)
        return
    print("\n".join(as_text(*found)), file=sys.stderr)


def as_text(crop: NDArray[np.uint8], marked: tuple[int, int]) -> Iterator[str]:
    """Lines that show a picture in a terminal of 256 colours, two pixels a character.

    crop : uint8 (h, w) or (h, w, 3). marked : left and right edge, pixels of the crop, under which a bar is drawn.
    """
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) if crop.ndim == 3 else crop, np.uint8)
    scale = min(WIDEST / grey.shape[1], HIGHEST / grey.shape[0])
    size = max(1, round(grey.shape[1] * scale)), 2 * max(1, round(grey.shape[0] * scale / 2))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    # Stretched to full contrast: faint pencil must be seen. Colours 232 to 255 of a terminal are greys.
    low, high = np.percentile(small, (1, 99))
    levels = np.clip((small.astype(np.float32) - low) / max(1.0, float(high - low)) * 23.0, 0, 23).astype(int) + 232
    for upper, lower in zip(levels[::2], levels[1::2], strict=True):
        yield "".join(f"\x1b[38;5;{a}m\x1b[48;5;{b}m▀" for a, b in zip(upper, lower, strict=True)) + "\x1b[0m"
    left, right = (max(0, min(size[0], round(edge * scale))) for edge in marked)
    yield " " * left + "^" * max(1, right - left)


def read_key() -> str:
    """The next key, without waiting for Enter; "" at the end of input."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        import msvcrt

        return str(msvcrt.getwch())  # type: ignore[attr-defined,unused-ignore]
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        return sys.stdin.read(1)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
