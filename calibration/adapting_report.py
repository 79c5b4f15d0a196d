"""The report on adapting: own and base errors of each hand before and after 1, 3, 10 and all samples a digit, and what it costs.

    python -m calibration.adapting_report --personal DIR --tiles FILE --out deploy/results/adapting.json

Every trial learns from a draw and is tested on the samples that were not drawn; with too few of them, and for "all", from four
fifths, tested on the last, five times, every draw in another order. An adaptation that the guard refuses counts as unchanged.
The curve is that of correcting: one digit after the other is told, the head is fitted anew after each, and errors are counted on
digits that are never told.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from calibration.errors import report
from calibration.hands import Hand, find_hands
from calibration.judge_adapting import BASE_SET, DEFAULT_TILES, Base, Trial, measure_base, splits, try_once
from calibration.tile_sets import load_tile_sets
from edge_digits.bench.machine import machine_facts, software_facts
from edge_digits.options import RecognitionOptions
from edge_digits.personal.adaptation import count_errors
from edge_digits.personal.learning import METHOD
from edge_digits.personal.reserve import load_reserve
from edge_digits.recognition.classifier import Classifier

COUNTS: Final = (1, 3, 10, None)
"""Samples a digit; None is all."""
GOAL_COUNT: Final = 10
CORRECTIONS: Final = (20, 50, 100)
KEPT_FOR_TEST: Final = 0.5
SEED: Final = 1
ADAPT: Final = """
import json, re, sys, time
from pathlib import Path
from edge_digits import cli
code = cli.main(sys.argv[1:])
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps({"processor_seconds": round(time.process_time(), 2), "peak_memory_mb": round(peak / 1024, 1)}))
sys.exit(code)
"""
"""What getrusage tells of a child's memory is at least that of its parent when it began; the child reads its own."""


def main(argv: list[str] | None = None) -> int:
    """Measure, write the JSON file, print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m calibration.adapting_report", description="Own and base errors around adapting.")
    parser.add_argument("--personal", type=Path, required=True, metavar="DIR", help="folder with a samples folder for each writer")
    parser.add_argument("--tiles", type=Path, default=DEFAULT_TILES, help="file of `python -m export.calibration_tiles`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--draws", type=int, default=3, help="draws of so many samples a digit (default %(default)s)")
    parser.add_argument("--model", default="default")
    arguments = parser.parse_args(argv)

    def work() -> int:
        classifier = Classifier(RecognitionOptions(arguments.model, provider="cpu", threads=1))
        held_out = load_tile_sets(arguments.tiles).held_out
        base = measure_base(classifier, load_reserve(), held_out[BASE_SET])
        hands = list(find_hands(classifier, arguments.personal, held_out))
        record = {
            "model": {"name": classifier.name, "sha256": classifier.sha256},
            "machine": machine_facts(),
            "software": software_facts(),
            "base": {"set": BASE_SET, "tiles": len(base.held_out), "errors": count_errors(base.held_out.logits, base.held_out_labels)},
            **measure(hands, base, classifier.card.temperature, arguments.draws),
            "cost": [cost_of(hand.folder, hand.name) for hand in hands if hand.folder is not None],
        }
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(table(record))
        return 0

    return report("adapting_report", work)


def measure(hands: Sequence[Hand], base: Base, temperature: float, draws: int) -> dict[str, Any]:
    """Rows by hand and number of samples, and the curves of correcting, with a bar on stderr."""
    from tqdm import tqdm

    rows, curves = [], []
    with tqdm(total=len(hands) * (len(COUNTS) + 1), unit="row", file=sys.stderr) as bar:
        for hand in hands:
            for count in COUNTS:
                rows += [row_of(hand, count, base, temperature, draws)] if enough(hand, count) else []
                bar.update()
            curves.append(curve_of(hand, base, temperature, draws))
            bar.update()
    return {"rows": rows, "goal": goal_of(rows), "curves": curves}


def goal_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Ten a digit, or all where a hand has no more, over all hands of one kind together: own errors before and after, and their spread.

    The spread is the standard deviation of the change over the hands that have errors at all, each taken alone.
    """
    together: dict[str, Any] = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        tens = {row["hand"]: row for row in rows if row["kind"] == kind and row["samples_a_digit"] in (GOAL_COUNT, "all")}
        tens |= {row["hand"]: row for row in rows if row["kind"] == kind and row["samples_a_digit"] == GOAL_COUNT}
        before, after = (sum(row[f"own_errors_{when}"] for row in tens.values()) for when in ("before", "after"))
        changes = [100.0 * (row["own_errors_after"] / row["own_errors_before"] - 1.0) for row in tens.values() if row["own_errors_before"]]
        together[kind] = {
            "hands": len(tens),
            "hands_with_errors": len(changes),
            "own_errors_before": before,
            "own_errors_after": after,
            "change_percent": round(100.0 * (after / before - 1.0), 1) if before else None,
            "change_percent_by_hand_mean": round(float(np.mean(changes)), 1) if changes else None,
            "change_percent_by_hand_spread": round(float(np.std(changes)), 1) if changes else None,
            "base_points_lost_worst": max(row["base_points_lost_worst"] for row in tens.values()),
        }
    return together


def enough(hand: Hand, count: int | None) -> bool:
    """Whether so many samples a digit leave as many to test with."""
    return count is None or int(np.bincount(hand.own.labels, minlength=10).min()) >= min(2 * count, count + 5)


def row_of(hand: Hand, count: int | None, base: Base, temperature: float, draws: int) -> dict[str, Any]:
    """What so many samples a digit gave: errors before and after over all trials, and the base's loss in points."""
    chosen = splits(hand.own.labels, len(hand.own) if count is None else count, draws)
    trials = [try_once(hand.own, learned, base, temperature) for learned in chosen]
    before = count_errors(base.held_out.logits, base.held_out_labels)
    cut = [trial.own_before - trial.own_after for trial in trials]
    lost = [100.0 * (trial.base_after - before) / len(base.held_out) for trial in trials]
    return {
        "hand": hand.name,
        "kind": hand.kind,
        "samples_a_digit": "all" if count is None else count,
        "trials": len(trials),
        "refused": sum(trial.refused for trial in trials),
        "worse": sum(trial.own_after > trial.own_before for trial in trials),
        "tested": sum(trial.tested for trial in trials),
        **_sums(trials),
        "errors_cut_a_trial_mean": round(float(np.mean(cut)), 2),
        "errors_cut_a_trial_spread": round(float(np.std(cut)), 2),
        "base_points_lost_mean": round(float(np.mean(lost)), 3),
        "base_points_lost_worst": round(max(lost), 3),
    }


def _sums(trials: Sequence[Trial]) -> dict[str, int]:
    return {"own_errors_before": sum(t.own_before for t in trials), "own_errors_after": sum(t.own_after for t in trials)}


def curve_of(hand: Hand, base: Base, temperature: float, draws: int) -> dict[str, Any]:
    """Errors on one half of a hand while the other half is told digit by digit, and the base's loss in points at each place."""
    generator = np.random.default_rng(SEED)
    places = [0, *(place for place in CORRECTIONS if place <= (1.0 - KEPT_FOR_TEST) * len(hand.own))]
    errors, lost, tested = dict.fromkeys(places, 0), dict.fromkeys(places, 0.0), 0
    before = count_errors(base.held_out.logits, base.held_out_labels)
    for _ in range(draws):
        order = generator.permutation(len(hand.own))
        told, test = np.split(order, [int((1.0 - KEPT_FOR_TEST) * len(order))])
        outputs, labels, tested = hand.own.outputs.take(test), hand.own.labels[test], tested + len(test)
        for place in places:
            learned = METHOD.fit(hand.own.take(told[:place]), base.reserve, temperature)
            errors[place] += count_errors(learned.apply(outputs), labels)
            lost[place] += 100.0 * (count_errors(learned.apply(base.held_out), base.held_out_labels) - before) / len(base.held_out) / draws
    return {
        "hand": hand.name,
        "kind": hand.kind,
        "tested": tested,
        "errors_after_corrections": {str(place): errors[place] for place in places},
        "base_points_lost": {str(place): round(lost[place], 3) for place in places},
    }


def cost_of(folder: Path, name: str) -> dict[str, Any]:
    """One run of `edge-digits adapt` on all samples of a folder, one thread, as a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        command = [sys.executable, "-c", ADAPT, "adapt", "--samples", str(folder), "--name", "me", "--threads", "1"]
        environment = {**os.environ, **alone, "EDGE_DIGITS_HOME": home}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        used = json.loads(done.stdout.splitlines()[-1])
        sizes = [path.stat().st_size for path in (Path(home) / "models").glob("*.npz")]
    return {
        "hand": name,
        "written": done.returncode == 0,
        "file_bytes": sizes[0] if sizes else None,
        **used,
    }


def table(record: dict[str, Any]) -> str:
    """Two Markdown tables: adapting, and correcting."""
    lines = ["| hand | samples a digit | own errors | trials (refused, worse) | base, points lost: mean (worst) |", "|---|---|---|---|---|"]
    for row in record["rows"]:
        own = _change(row["own_errors_before"], row["own_errors_after"])
        lines.append(
            f"| {row['hand']} | {row['samples_a_digit']} | {own} of {row['tested']} | {row['trials']} ({row['refused']}, {row['worse']}) "
            f"| {row['base_points_lost_mean']:.3f} ({row['base_points_lost_worst']:.2f}) |"
        )
    lines += ["", "| hand | errors after 0, 20, 50, 100 corrections | of | base, points lost |", "|---|---|---|---|"]
    for curve in record["curves"]:
        errors = ", ".join(map(str, curve["errors_after_corrections"].values()))
        lost = ", ".join(f"{points:.2f}" for points in curve["base_points_lost"].values())
        lines.append(f"| {curve['hand']} | {errors} | {curve['tested']} | {lost} |")
    return "\n".join(lines)


def _change(before: int, after: int) -> str:
    return f"{before} -> {after}" + (f", {100 * (after - before) / before:+.0f} %" if before else "")


if __name__ == "__main__":
    sys.exit(main())
