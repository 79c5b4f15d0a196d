"""Quantizes a float model in every way worth trying and tabulates what each way costs and gives.

    python -m calibration.compare_options --float F.onnx --tiles T.npz --out OPTIONS.json [--markdown OPTIONS.md]

Ranges are calibrated on the calibration tiles. The order of the table is by the root mean square difference of the
logits from float on the `temperature` tiles, which are kept aside of training: the options of a model may be chosen by
it. Agreement and drop are of the held-out sets; they say what the choice gave and are not to choose by. Times are
microseconds a digit, one thread, all files turn by turn in the same run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from calibration import figures, latency, onnx_files
from calibration.errors import CalibrationError, report
from calibration.judge import machine_facts
from calibration.quantize import METHODS, Method, QuantizeOptions, quantize
from calibration.tile_sets import Tiles, TileSets, load_tile_sets
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.engine import Engine

BASE_SET: Final = "mnist_test"
RECORD_FORMAT: Final = 1
ROUNDS: Final = 10
FLOAT_ROW: Final = "float"
COLUMNS: Final = ("ranges", "per channel", "weights", "activations", "float layers", "logit", "agree %", "MNIST agree %", "drop", "bytes",
                  "us, batch 1", "us, batch 64")  # fmt: skip


def worth_trying(methods: Sequence[Method], calibration_tiles: int) -> list[QuantizeOptions]:
    """Every combination of the switches for every method of ranges.

    But statistics other than the largest value are tried per channel only: what they change are activations, and one
    scale for all filters has shown its price with the largest value already.
    """
    switches = product(methods, (True, False), (True, False), (True, False), (False, True), (False, True))
    return [
        QuantizeOptions(per_channel, reduce_range, float_head, method, calibration_tiles, float_first, symmetric)
        for method, per_channel, reduce_range, float_head, float_first, symmetric in switches
        if per_channel or method == "minmax"
    ]


def compare(model: Any, sets: TileSets, choices: Sequence[QuantizeOptions], rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """A row a choice, nearest to float first, and the float model as the last.

    model : onnx.ModelProto of the contract. rounds : of the latency measurement.
    Raises CalibrationError when the tiles lack `temperature` or `mnist_test`.
    """
    if sets.temperature is None or BASE_SET not in sets.held_out:
        raise CalibrationError(f"the tiles file lacks 'temperature' or '{BASE_SET}'; write it with `python -m export.calibration_tiles`")
    data = {FLOAT_ROW: model.SerializeToString()}
    options: dict[str, dict[str, Any]] = {FLOAT_ROW: {}}
    for number, choice in enumerate(tqdm(choices, desc="quantizing", file=sys.stderr)):
        data[str(number)] = quantize(model, sets.calibration, choice).SerializeToString()
        options[str(number)] = asdict(choice)
    engines = {name: Engine(content, threads=1, name=name) for name, content in data.items()}
    progress = tqdm(engines.items(), desc="judging", file=sys.stderr)
    wanted = _logits(engines[FLOAT_ROW], sets)
    rows = {name: {**options[name], "bytes": len(data[name]), **_figures(wanted, _logits(engine, sets), sets)} for name, engine in progress}
    print(f"timing {len(engines)} files ...", file=sys.stderr)
    timed = latency.measure(engines, as_model_input(_tuning(sets)[: latency.TILES_A_TURN]), rounds)
    for name, row in rows.items():
        row["latency_us_per_digit"] = timed[name]
    as_float = rows.pop(FLOAT_ROW)
    return [*sorted(rows.values(), key=lambda row: float(row["logit_difference"])), as_float]


def _tuning(sets: TileSets) -> Tiles:
    assert sets.temperature is not None
    return sets.temperature.tiles


def _logits(engine: Engine, sets: TileSets) -> dict[str, figures.Logits]:
    """By set; the tuning tiles under ""."""
    parts = {"": _tuning(sets), **{name: part.tiles for name, part in sets.held_out.items()}}
    return {name: engine.run("logits", as_model_input(tiles)) for name, tiles in parts.items()}


def _figures(wanted: Mapping[str, figures.Logits], given: Mapping[str, figures.Logits], sets: TileSets) -> dict[str, float]:
    labels = sets.held_out[BASE_SET].labels
    difference = np.sqrt(np.mean(np.square(wanted[""] - given[""]), dtype=np.float64))
    names = list(sets.held_out)
    pooled = [np.concatenate([logits[name] for name in names]) for logits in (wanted, given)]
    before, after = (figures.accuracy_percent(logits[BASE_SET], labels) for logits in (wanted, given))
    found = {
        "logit_difference": float(difference),
        "agreement_percent": figures.agreement_percent(*pooled),
        "mnist_agreement_percent": figures.agreement_percent(wanted[BASE_SET], given[BASE_SET]),
        "mnist_accuracy_percent": after,
        "mnist_drop_points": before - after,
    }
    return {key: round(value, 6) for key, value in found.items()}


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a Markdown table, the float model last."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def _cells(row: Mapping[str, Any]) -> list[str]:
    kept = [name for name, flag in (("first", row.get("float_first")), ("head", row.get("float_head"))) if flag]
    choice = ["float", "-", "-", "-", "all"]
    if "method" in row:
        choice = [
            row["method"],
            "yes" if row["per_channel"] else "no",
            "7 bit" if row["reduce_range"] else "8 bit",
            "symmetric" if row["symmetric"] else "with zero point",
            " and ".join(kept) or "none",
        ]
    measured = [
        f"{row['logit_difference']:.3f}",
        f"{row['agreement_percent']:.2f}",
        f"{row['mnist_agreement_percent']:.2f}",
        f"{row['mnist_drop_points']:+.2f}",
        f"{row['bytes']:,}",
        *(f"{row['latency_us_per_digit'][f'batch_{batch}']['p50']:.1f}" for batch in latency.BATCHES),
    ]
    return [*choice, *measured]


def as_page(record: Mapping[str, Any]) -> str:
    """A page of its own for the table: what was compared, where, and how to read it."""
    machine = record["machine"]
    runtime = machine.get("onnxruntime") or machine.get("onnxruntime-gpu")
    return "\n".join(
        [
            "# Options of quantization compared",
            "",
            f"Written by `python -m calibration.compare_options`, {record['date']}: {record['file']}, onnxruntime {runtime},",
            f"{machine['processor']}, one thread.",
            "",
            "Ordered by `logit`, the root mean square difference of a logit from float on tiles kept aside of training, by which options",
            "may be chosen. `agree` is the share of labels as in float, over all held-out sets and on MNIST test alone, `drop` the",
            "points of accuracy lost there; times are medians in microseconds a digit, all files turn by turn in one run. On a machine",
            "that does other work meanwhile, times of neighbouring rows differ by more than the files do.",
            "",
            as_markdown(record["rows"]),
            "",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Compare and write."""
    parser = argparse.ArgumentParser(prog="python -m calibration.compare_options", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--float", required=True, type=Path, dest="float_path", metavar="F.onnx", help="float model of the contract")
    parser.add_argument("--tiles", required=True, type=Path, metavar="T.npz", help="tiles file of `python -m export.calibration_tiles`")
    parser.add_argument("--out", required=True, type=Path, metavar="OUT.json", help="where every figure is written")
    parser.add_argument("--markdown", type=Path, metavar="OUT.md", help="also write the table as a page")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), metavar="NAME", help=f"of ranges (default: {' '.join(METHODS)})")
    parser.add_argument("--calibration-tiles", type=int, default=2048, metavar="N", help="use at most so many (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the latency measurement (default %(default)s)")
    arguments = parser.parse_args(argv)
    return report("calibration.compare_options", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.rounds < 1:
        raise CalibrationError(f"rounds is {arguments.rounds}; give a number above 0")
    choices = worth_trying(list(dict.fromkeys(arguments.methods)), arguments.calibration_tiles)
    model, sets = onnx_files.load_model(arguments.float_path), load_tile_sets(arguments.tiles)
    record = {
        "format": RECORD_FORMAT,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "machine": machine_facts(),
        "file": arguments.float_path.name,
        "tiles_sha256": sets.sha256,
        "rows": compare(model, sets, choices, arguments.rounds),
    }
    onnx_files.write_atomically(arguments.out, (json.dumps(record, indent=1) + "\n").encode())
    if arguments.markdown:
        onnx_files.write_atomically(arguments.markdown, as_page(record).encode())
    print(as_markdown(record["rows"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
