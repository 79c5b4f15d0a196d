"""Judges how many whole strings the Reader reads right, without any grammar: cheque fields, and pairs of digits that touch.

    python -m export.judge_strings --data DATA --out strings.json
    python -m export.judge_strings --data DATA --part train --failures wrong.png

`--part held-out`, the default, judges the ORAND-CAR-A val strings and pairs of digits of MNIST test, USPS test and Semeion;
`--part train` takes training strings and digits instead, to look at and to tune on. A string is right when all its digits are
named, in order, and nothing else is; signs do not count. "guessed" takes the best guess for each "?".
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.bench.command import check_writable
from edge_digits.bench.machine import machine_facts, software_facts, utc_now
from edge_digits.bench.pages import opencv_threads
from edge_digits.bench.scoring import digits_of, edit_distance
from edge_digits.bench.tables import print_table
from edge_digits.bench.timing import summarize
from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.reader import Reader
from export.data.folder import load_mnist, load_semeion, load_usps
from export.data.orand import load_orand_strings
from export.string_failures import draw_failures
from export.touching_pairs import Pair, make_pairs

SETS: Final = ("cheques", "pairs")
PARTS: Final = ("held-out", "train")
CAUSES: Final = ("unsure", "confused", "missing", "extra")


@dataclass(frozen=True, slots=True)
class WrittenString:
    """What is read. name : says which it is. picture : uint8 (h, w). digits : the truth. groups : words to report by."""

    name: str
    picture: NDArray[np.uint8]
    digits: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadString:
    """A string and what came of it. text : digits and "?". guessed : "?" replaced by their best guesses. ms : milliseconds."""

    written: WrittenString
    text: str
    guessed: str
    ms: float

    @property
    def cause(self) -> str | None:
        """Why it is not right, one of CAUSES; None where it is."""
        if self.text == self.written.digits:
            return None
        if self.guessed == self.written.digits:
            return "unsure"
        difference = len(self.text) - len(self.written.digits)
        return "missing" if difference < 0 else "extra" if difference > 0 else "confused"


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command; the table is on stdout."""
    options = _parse(arguments)
    try:
        return _run(options)
    except EdgeDigitsError as error:
        print(f"export.judge_strings: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.judge_strings: interrupted; give the command again", file=sys.stderr)
        return ExitCode.INTERRUPTED


def load_strings(name: str, folder: Path, part: str, count: int, seed: int) -> Iterable[WrittenString]:
    """The strings of one of SETS. count, seed : of the pairs. Raises DataError."""
    held_out = part == "held-out"
    if name == "cheques":
        fields = load_orand_strings(folder, "val" if held_out else "train")
        return [WrittenString(field.name, field.grey, field.digits, (f"{len(field.digits)} digits",)) for field in fields]
    kind = "test" if held_out else "train"
    sets = [load_mnist(folder, kind), load_usps(folder, kind), *([load_semeion(folder)] if held_out else [])]
    return (_as_string(index, pair) for index, pair in enumerate(make_pairs(sets, count, seed)))


def _as_string(index: int, pair: Pair) -> WrittenString:
    return WrittenString(
        f"pair {index}", pair.picture, pair.digits, (pair.pen, pair.source, "overlapping" if pair.overlapping else "touching")
    )


def read_string(reader: Reader, written: WrittenString) -> ReadString:
    """Read one picture as if it were a page."""
    started = perf_counter()
    reading = reader.read(written.picture)
    ms = (perf_counter() - started) * 1000.0
    guessed = "".join(str(d.candidates[0][0]) if d.digit is None and d.candidates else d.text for d in reading.digits)
    return ReadString(written, digits_of(reading.text), guessed, ms)


def figures(strings: Sequence[ReadString]) -> dict[str, Any]:
    """Shares of whole strings, with 95 % intervals after Wilson (1927); errors a digit; causes of the others; milliseconds."""
    causes = Counter(string.cause for string in strings)
    right = causes[None]
    digits = sum(len(string.written.digits) for string in strings)
    return {
        "strings": len(strings),
        "right": round(right / len(strings), 4),
        "right_interval": wilson_interval(right, len(strings)),
        "right_guessed": round(sum(string.guessed == string.written.digits for string in strings) / len(strings), 4),
        "digits": digits,
        "errors_per_digit": round(sum(edit_distance(s.written.digits, s.text, 1.0) for s in strings) / digits, 4),
        "causes": {cause: causes[cause] for cause in CAUSES},
        "ms": summarize([string.ms for string in strings]),
    }


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """Where the true share lies with a probability of 95 % when `hits` of `of` >= 1 were found."""
    z = 1.96
    middle = (hits + z * z / 2) / (of + z * z)
    half = z / (of + z * z) * (hits * (of - hits) / of + z * z / 4) ** 0.5
    return round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)


def figures_by_group(strings: Sequence[ReadString]) -> dict[str, dict[str, Any]]:
    """Figures of "all" strings and of each group among them."""
    groups: dict[str, list[ReadString]] = {"all": list(strings)}
    for string in strings:
        for group in string.written.groups:
            groups.setdefault(group, []).append(string)
    return {name: figures(groups[name]) for name in ["all", *sorted(groups.keys() - {"all"})]}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.judge_strings", description="Share of whole strings that are read right.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="data folder, see export/README.md")
    parser.add_argument("--part", choices=PARTS, default=PARTS[0], help="what nothing was trained on (default), or what may be tuned on")
    parser.add_argument("--only", choices=SETS, action="append", metavar="NAME", help="cheques or pairs (default: both)")
    parser.add_argument("--pairs", type=int, default=1000, metavar="N", help="pairs to make (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the pairs (default %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many strings of each, for a trial run")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write all figures there as JSON")
    parser.add_argument("--failures", type=Path, metavar="PICTURE", help="draw the strings that are not right there, a PNG or JPEG")
    add_reader_arguments(parser)
    parser.set_defaults(threads=1)
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> ExitCode:
    for name, least in (("pairs", 1), ("limit", 1), ("seed", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UsageError(f"--{name} is {value}; give a number from {least}")
    if options.failures is not None and options.failures.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--failures {options.failures}: no kind of picture; give a name that ends in .png or .jpg")
    for path in (options.out, options.failures):
        if path is not None:
            check_writable(path)
    reader = Reader(options=reader_options(options))
    with opencv_threads(options.threads):
        read = {name: _read_set(reader, name, options) for name in options.only or SETS}
    result = _result(reader, read, options)
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.failures is not None:
        wrong = [string for strings in read.values() for string in strings if string.cause]
        draw_failures(options.failures, [(s.written.picture, f"{s.written.digits} read {s.text} ({s.cause})") for s in wrong])
    _print(result)
    return ExitCode.OK


def _read_set(reader: Reader, name: str, options: argparse.Namespace) -> list[ReadString]:
    count = min(options.pairs, options.limit or options.pairs)
    strings = load_strings(name, options.data, options.part, count, options.seed)
    total = len(strings[: options.limit]) if isinstance(strings, list) else count
    chosen = islice(strings, options.limit)
    read = [read_string(reader, each) for each in tqdm(chosen, desc=name, total=total, unit="string", mininterval=1.0, file=sys.stderr)]
    if not read:
        raise UsageError(f"{options.data}: holds no strings of '{name}'")
    return read


def _result(reader: Reader, read: dict[str, list[ReadString]], options: argparse.Namespace) -> dict[str, Any]:
    classifier = reader.classifier
    return {
        "date": utc_now(),
        "part": options.part,
        "seed": options.seed,
        "figures": {name: figures_by_group(strings) for name, strings in read.items()},
        "threads": options.threads,
        "model": {"name": classifier.name, "precision": classifier.precision, "sha256": classifier.sha256},
        "provider": classifier.provider,
        "min_confidence": reader.min_confidence,
        "machine": machine_facts(),
        "software": software_facts(),
    }


def _print(result: dict[str, Any]) -> None:
    rows: list[list[str | None]] = [["", "strings", "right %", "guessed %", "errors a digit %", *CAUSES, "ms"]]
    for name, groups in result["figures"].items():
        for group, entry in groups.items():
            shares = [f"{100 * entry[key]:.1f}" for key in ("right", "right_guessed", "errors_per_digit")]
            causes = [str(entry["causes"][cause]) for cause in CAUSES]
            rows.append([f"{name}: {group}", str(entry["strings"]), *shares, *causes, f"{entry['ms']['p50']:.1f}"])
    print_table(rows, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
