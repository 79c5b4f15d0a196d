"""Measures fine-tuning on real writers: `python -m export.finetune_report --personal DIR --data DATA --out finetune.json`.

Each writer's samples are learned by 1, 3, 10 a digit and all; what was not learned is the test. A writer with too few samples for a
number is tested fold by fold, learning from four fifths. Own errors and those on every hold-out, before and after, are written row
by row; run again after an interruption, the command goes on with the rows that are missing. A picture is drawn beside the file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.personal.adaptation import FEWEST_SAMPLES
from edge_digits.recognition.weights import ModelFile
from export.data.collect import HOLDOUTS, find_data
from export.fine_tuning import Variants, make_variants, prepare_base
from export.finetune import BaseTiles, load_base_tiles
from export.finetune_summary import draw_summary, summarise, table
from export.finetune_trial import Bench, Sets, enough, errors_on, fits_of, run_trial, splits
from export.from_onnx import find_base, load_base
from export.holdouts import holdout_tiles
from export.optimisation import use_bfloat16
from export.own_samples import load_folder
from export.record import describe_commit, describe_machine, write_record

COUNTS: Final = ("1", "3", "10", "all")
SEEDS: Final = 3


@dataclass(frozen=True, slots=True)
class Writer:
    """Samples of one hand, or of a whole set as if it were one. glyphs : uint8 (h, w) each. labels : int64 (n,)."""

    name: str
    glyphs: list[NDArray[np.uint8]]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report. per_digit : None for all samples, fold by fold."""

    base: ModelFile
    writer: Writer
    per_digit: int | None
    seed: int

    def key(self) -> dict[str, Any]:
        """By what a finished row is known again."""
        return {
            "base": self.base.name,
            "writer": self.writer.name,
            "samples_a_digit": "all" if self.per_digit is None else self.per_digit,
            "seed": self.seed,
        }


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        return report(options)
    except EdgeDigitsError as error:
        print(f"export.finetune_report: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.finetune_report: interrupted; the same command goes on", file=sys.stderr)
        return ExitCode.INTERRUPTED


def report(options: argparse.Namespace) -> ExitCode:
    """Measure as the parsed options say; see main."""
    if options.threads:
        torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    bfloat16 = use_bfloat16(options.precision, torch.device("cpu"))
    folder = find_data(options.data)
    writers = _writers(options, folder)
    counts = [None if count == "all" else int(count) for count in options.counts]
    files = _bases(options.base)
    settings = _settings(options, files, writers, bfloat16)
    record = _begin(options.out, settings)
    rows = [row for file in files for row in _rows(file, writers, counts, options.seeds)]
    missing = [row for row in rows if not any(_is(done, row) for done in record["rows"])]
    if missing:
        tiles, held_out = load_base_tiles(folder, 1, options.limit), holdout_tiles(folder, options.limit)
        _measure(missing, tiles, held_out, bfloat16, record, options.out)
    record["summary"] = summarise(record["rows"])
    write_record(options.out, record)
    draw_summary(options.out.with_suffix(".png"), record["summary"])
    print(table(record["summary"]))
    return ExitCode.OK


def _measure(rows: list[Row], tiles: BaseTiles, held_out: Sets, bfloat16: bool, record: dict[str, Any], out: Path) -> None:
    """Run the rows one after the other; the file is complete after each."""
    benches: dict[str, Bench] = {}
    variants: dict[tuple[str, int], Variants] = {}
    with tqdm(total=sum(fits_of(row.writer.labels, row.per_digit) for row in rows), unit="fit", file=sys.stderr) as bar:
        for row in rows:
            bar.set_description(" ".join(str(value) for value in row.key().values()))
            began = time.monotonic()
            name = row.base.name
            if name not in benches:
                benches[name] = _bench(row.base, tiles, held_out, bfloat16)
            own = (row.writer.name, row.seed)
            if own not in variants:
                variants = {own: make_variants(row.writer.glyphs, row.writer.labels, row.seed)}
            trials = [
                run_trial(benches[name], variants[own], learned, row.seed, bar.update)
                for learned in splits(row.writer.labels, row.per_digit, row.seed)
            ]
            seconds = round(time.monotonic() - began, 1)
            record["rows"].append({**row.key(), "seconds": seconds, **_of_base(benches[name]), "trials": trials})
            write_record(out, record)


def _of_base(bench: Bench) -> dict[str, Any]:
    return {"base_tiles": {name: len(labels) for name, (_, labels) in bench.held_out.items()}, "base_before": dict(bench.before)}


def _bases(names: list[str]) -> list[ModelFile]:
    files = [find_base(name) for name in names]
    if len({file.name for file in files}) < len(files):
        raise UsageError(f"--base: {', '.join(file.name for file in files)}; a name twice would mix their rows")
    return files


def _bench(file: ModelFile, tiles: BaseTiles, held_out: Sets, bfloat16: bool) -> Bench:
    network, card = load_base(file)
    base = prepare_base(network, card, tiles.replay)
    return Bench(base, tiles.frozen, held_out, errors_on(network, held_out), bfloat16)


def _rows(base: ModelFile, writers: list[Writer], counts: list[int | None], seeds: int) -> Iterator[Row]:
    for writer in writers:
        # Too few samples to leave some for a test: all of them, fold by fold.
        possible = [count if count is not None and enough(writer.labels, count) else None for count in counts]
        # Every number for a seed before the next seed: the changed tiles of a seed are made once.
        for seed in range(1, seeds + 1):
            yield from (Row(base, writer, count, seed) for count in dict.fromkeys(possible))


def _writers(options: argparse.Namespace, folder: Path) -> list[Writer]:
    """The folders of --personal, and the sets of --sets as if each were one hand. Raises UsageError."""
    if not options.personal.is_dir():
        raise UsageError(f"{options.personal}: no such folder; give one that holds a folder for each writer")
    found = []
    for path in sorted(each for each in options.personal.iterdir() if each.is_dir()):
        samples = load_folder(path)
        for line in samples.remarks:
            print(f"export.finetune_report: {path.name}: {line}", file=sys.stderr)
        if min(samples.counts()) < 1 or len(samples) < 2 * FEWEST_SAMPLES:
            raise UsageError(f"{path}: {samples.counts()} samples of 0 to 9; a report needs {2 * FEWEST_SAMPLES} and some of each digit")
        found.append(Writer(path.name, list(samples.glyphs), samples.labels))
    for name in options.sets:
        place, load = HOLDOUTS[name]
        if not (folder / place).is_dir():
            raise UsageError(f"{folder}: holds no {place}, which --sets {name} needs")
        glyphs = load(folder)
        found.append(Writer(name, list(glyphs.glyphs[: options.limit]), glyphs.labels[: options.limit].astype(np.int64)))
    if not found:
        raise UsageError(f"{options.personal}: holds no writer's folder")
    return found


def _settings(options: argparse.Namespace, files: list[ModelFile], writers: list[Writer], bfloat16: bool) -> dict[str, Any]:
    return {
        "bases": {file.name: file.sha256 for file in files},
        "writers": {each.name: np.bincount(each.labels, minlength=10).tolist() for each in writers},
        "counts": list(options.counts),
        "seeds": options.seeds,
        "limit": options.limit,
        "precision": "bfloat16" if bfloat16 else "float32",
    }


def _begin(out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """A new record, or the one begun with the same settings. Raises UsageError for another."""
    new = {"settings": settings, **describe_commit(), "machine": describe_machine(torch.device("cpu")), "rows": []}
    if not out.exists():
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
        return new
    try:
        record: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        begun = record["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{out}: is no report of this command ({type(error).__name__}); choose another --out") from error
    changed = [name for name, value in settings.items() if begun.get(name) != value]
    if changed:
        raise UsageError(f"{out}: was begun with other settings ({', '.join(changed)}); give the same ones or another --out")
    return record


def _is(done: dict[str, Any], row: Row) -> bool:
    return all(done[key] == value for key, value in row.key().items())


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.finetune_report", description="Own and base errors around fine-tuning.")
    parser.add_argument("--personal", type=Path, required=True, metavar="DIR", help="folder with a samples folder for each writer")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--base", nargs="+", default=["digits"], metavar="NAME", help="bases to fine-tune (default: digits)")
    parser.add_argument("--sets", nargs="*", choices=sorted(HOLDOUTS), default=[], help="hold-outs to learn as if each were one hand")
    parser.add_argument("--counts", nargs="+", choices=COUNTS, default=list(COUNTS), help="samples a digit to learn from")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json", help="the report; goes on where it ended")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many glyphs of each set, for a trial run")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch (default: torch's own choice)")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="auto: bfloat16 where it is fast")
    options = parser.parse_args(arguments)
    for name, least in (("seeds", 1), ("threads", 0), ("limit", 1)):
        if getattr(options, name) is not None and getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    return options


if __name__ == "__main__":
    sys.exit(main())
