"""Measures what adapting gives real writers and what it costs everybody else.

    python -m calibration.judge_adapting WRITER_FOLDER... --tiles FILE [--per-digit 10] [--draws 5] [--model NAME]

A writer with more samples than asked for learns from draws of so many a digit and is tested on the others; one with
fewer learns from four fifths of them and is tested on the last, five times a draw. Prints one JSON object a writer: errors on
own samples that were not learned from, and errors on a held-out set of other hands, before and after. An adaptation that
the guard refuses counts as unchanged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration.errors import report
from calibration.tile_sets import LabelledTiles, load_tile_sets
from edge_digits.errors import AdaptationRefusedError, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.tiles import as_model_input, make_tile
from edge_digits.personal.adaptation import FOLDS, choose_head, count_errors, folds_of, outputs_of, own_digits, require_better
from edge_digits.personal.head import Outputs
from edge_digits.personal.jitter import JITTERS
from edge_digits.personal.methods import Kept, Own
from edge_digits.personal.reserve import Reserve, load_reserve
from edge_digits.personal.samples import DIGITS, find_samples, read_samples, require_some
from edge_digits.recognition.classifier import Classifier

BASE_SET: Final = "mnist_test"
DEFAULT_TILES: Final = Path("runs/calibration/tiles.npz")
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Base:
    """What must not be forgotten: the reserve that adapting knows, and a held-out set that it does not."""

    reserve: Kept
    held_out: Outputs
    held_out_labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One adaptation. learned, tested : numbers of own samples. before, after : errors. refused : by the guard."""

    learned: int
    tested: int
    own_before: int
    own_after: int
    base_after: int
    refused: bool


def measure_base(classifier: Classifier, reserve: Reserve, held_out: LabelledTiles) -> Base:
    """Outputs of the base model on both."""
    kept, others = (outputs_of(classifier, as_model_input(tiles)) for tiles in (reserve.tiles, held_out.tiles))
    return Base(Kept(kept, reserve.labels), others, held_out.labels)


def splits(labels: NDArray[np.int64], per_digit: int, draws: int) -> Iterator[NDArray[np.bool_]]:
    """Which samples are learned from, bool (n,), one split after the other."""
    if all((labels == digit).sum() > per_digit for digit in DIGITS):
        generator = np.random.default_rng(SEED)
        for _ in range(draws):
            learned = np.zeros(len(labels), bool)
            for digit in DIGITS:
                learned[generator.choice(np.flatnonzero(labels == digit), per_digit, replace=False)] = True
            yield learned
    else:
        generator = np.random.default_rng(SEED)
        for _ in range(draws):
            order = generator.permutation(len(labels))
            fold = np.empty(len(labels), np.int64)
            fold[order] = folds_of(labels[order], FOLDS)
            for out in range(FOLDS):
                yield fold != out


def try_once(own: Own, learned: NDArray[np.bool_], base: Base, temperature: float) -> Trial:
    """Adapt to the learned samples and count errors on the others."""
    adaptation = choose_head(own.take(learned), base.reserve, temperature)
    tested, labels = own.outputs.take(~learned), own.labels[~learned]
    before = count_errors(tested.logits, labels)
    try:
        require_better(adaptation.figures)
    except AdaptationRefusedError:
        unchanged = count_errors(base.held_out.logits, base.held_out_labels)
        return Trial(int(learned.sum()), len(tested), before, before, unchanged, refused=True)
    after = count_errors(adaptation.difference.apply(tested), labels)
    forgotten = count_errors(adaptation.difference.apply(base.held_out), base.held_out_labels)
    return Trial(int(learned.sum()), len(tested), before, after, forgotten, refused=False)


def judge_writer(classifier: Classifier, folder: Path, base: Base, per_digit: int, draws: int) -> dict[str, Any]:
    """The figures of one writer. Raises InputError, UsageError."""
    samples = read_samples(find_samples(folder))
    require_some(samples, folder)
    own = own_digits(classifier, np.array([make_tile(glyph) for glyph in samples.glyphs]), samples.labels, len(JITTERS))
    temperature = classifier.card.temperature
    trials = [try_once(own, learned, base, temperature) for learned in splits(samples.labels, per_digit, draws)]
    worst = max(t.base_after for t in trials)
    base_before = count_errors(base.held_out.logits, base.held_out_labels)
    return {
        "writer": folder.name,
        "samples": len(samples),
        "learned": trials[0].learned,
        "trials": len(trials),
        "refused": sum(t.refused for t in trials),
        "tested": sum(t.tested for t in trials),
        "own_errors_before": sum(t.own_before for t in trials),
        "own_errors_after": sum(t.own_after for t in trials),
        "trials_worse": sum(t.own_after > t.own_before for t in trials),
        "base_tiles": len(base.held_out),
        "base_errors_before": base_before,
        "base_errors_after_mean": round(float(np.mean([t.base_after for t in trials])), 2),
        "base_drop_worst_points": round(100 * (worst - base_before) / max(1, len(base.held_out)), 3),
    }


def main(argv: list[str] | None = None) -> int:
    """Print the figures of each writer; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m calibration.judge_adapting", description="Own and base errors around adapting.")
    parser.add_argument("writers", nargs="+", type=Path, metavar="WRITER_FOLDER", help="folder with 0..9/*.png of one person")
    parser.add_argument("--tiles", type=Path, default=DEFAULT_TILES, help="file of `python -m export.calibration_tiles`")
    parser.add_argument("--base-set", default=BASE_SET, help="labelled digits of other hands (default %(default)s)")
    parser.add_argument("--per-digit", type=int, default=10, help="samples of each digit to learn from (default %(default)s)")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--model", default="default")
    arguments = parser.parse_args(argv)

    def work() -> int:
        classifier = Classifier(RecognitionOptions(arguments.model, provider="cpu", threads=1))
        held_out = load_tile_sets(arguments.tiles).held_out
        if arguments.base_set not in held_out:
            raise UsageError(f"{arguments.tiles} has no set '{arguments.base_set}'; it has: {', '.join(sorted(held_out))}")
        base = measure_base(classifier, load_reserve(), held_out[arguments.base_set])
        for folder in arguments.writers:
            print(json.dumps(judge_writer(classifier, folder, base, arguments.per_digit, arguments.draws)), flush=True)
        return 0

    return report("judge_adapting", work)


if __name__ == "__main__":
    sys.exit(main())
