"""Trains one network with several seeds and tells mean and spread: `python -m export.seeds --network small --pool DIR --out runs/small`.

For each seed: training, float ONNX, int8 and confidence, and every hold-out at both precisions. The weights are the last ones of each
run, and what is kept as a model is the first seed given, not the best. A second call goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from calibration import onnx_files
from calibration.figures import accuracy_percent, agreement_percent
from calibration.quantize import QuantizeOptions, quantize
from calibration.temperature import fit_files
from calibration.tile_sets import LabelledTiles
from edge_digits.errors import EdgeDigitsError, ExitCode
from edge_digits.paper.tiles import as_model_input
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export import checkpoint, to_onnx, train
from export.data.collect import find_data
from export.from_onnx import MODELS_FOLDER
from export.holdouts import NEGATIVES, holdout_tiles
from export.record import RECORD_NAME, write_record
from export.tile_pool import TilePool, load_pool

KINDS: Final = ("float", "int8")
WAYS: Final = {kind: (kind, NOT_ONE_DIGIT + 1) for kind in KINDS} | {f"{kind}_digits": (kind, NOT_ONE_DIGIT) for kind in KINDS}
"""Name of a figure -> precision, and among how many classes the best is sought."""

CALIBRATION_TILES: Final = 2048
KEPT_OF_TRAINING: Final = ("network", "parameters", "commit", "seed", "seconds", "glyphs")
NOT_ONE_DIGIT_SHARE: Final = 0.05
"""For which share the files' probabilities hold; that of the released model."""

RECORDS: Final = Path(__file__).resolve().parent / "records"


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command; what it does not know goes to `python -m export.train`."""
    options, passed_on = _parse(arguments)
    try:
        pool = load_pool(options.pool)
        for seed in options.seeds:
            exit_code = _train(options, passed_on, seed)
            if exit_code != ExitCode.OK:
                return exit_code
            _write_models(options, pool, seed)
        summary = summarise(options)
        write_record(options.out / RECORD_NAME, summary)
        if options.keep:
            _keep(options)
    except EdgeDigitsError as error:
        print(f"export.seeds: {error}", file=sys.stderr)
        return error.exit_code
    for kind in KINDS:
        for name, mean in summary["figures_mean"][kind].items():
            print(f"{kind} {name}: {mean:.3f} +- {summary['figures_spread'][kind][name]:.3f} %", file=sys.stderr)
    return ExitCode.OK


def _run_of(options: argparse.Namespace, seed: int) -> Path:
    folder: Path = options.out / f"seed-{seed}"
    return folder


def _train(options: argparse.Namespace, passed_on: list[str], seed: int) -> ExitCode:
    run = _run_of(options, seed)
    if (run / RECORD_NAME).is_file():
        return ExitCode.OK
    given = ["--network", options.network, "--pool", str(options.pool), "--seed", str(seed), "--out", str(run), *passed_on]
    if options.data is not None:
        given += ["--data", str(options.data)]
    if (run / checkpoint.CHECKPOINT_NAME).is_file():
        given.append("--resume")
    print(f"{options.network}, seed {seed}", file=sys.stderr)
    return train.main(given)


def _write_models(options: argparse.Namespace, pool: TilePool, seed: int) -> None:
    """NAME.float.onnx and NAME.int8.onnx of a run; ranges and confidence are fitted on tiles of the training sets."""
    run = _run_of(options, seed)
    float_path, int8_path = (run / f"{options.network}.{kind}.onnx" for kind in KINDS)
    if int8_path.is_file():
        return
    network, state = to_onnx.load_network(run)
    training = json.loads((run / RECORD_NAME).read_text(encoding="utf-8"))
    kept = {key: training[key] for key in KEPT_OF_TRAINING if key in training}
    temperature = state.get("temperature", 1.0)
    to_onnx.shift_share(network, temperature, to_onnx.training_share(state["settings"]), NOT_ONE_DIGIT_SHARE)
    data = to_onnx.to_onnx(network, temperature, kept, NOT_ONE_DIGIT_SHARE)
    to_onnx.write_atomically(float_path, data)
    # The first epochs of the pool, evenly: what the network was trained on.
    tiles = np.asarray(pool.tiles[0])[np.linspace(0, pool.tiles.shape[1] - 1, CALIBRATION_TILES).astype(np.int64)]
    onnx_files.save_model(quantize(onnx_files.load_model(float_path), tiles, QuantizeOptions(float_head=not options.int8_head)), int8_path)
    fit_files(float_path, int8_path, LabelledTiles(pool.tuning_tiles, pool.tuning_labels.astype(np.int64)))


def summarise(options: argparse.Namespace) -> dict[str, Any]:
    """The record of all seeds: each seed's figures, their mean and spread (standard deviation), in percent.

    float, int8 : the best of all 11 classes is the label. float_digits, int8_digits : the best of the ten digits is. agreement : of
    int8 with float, over 11 classes.
    """
    holdouts = holdout_tiles(find_data(options.data), options.limit)
    inputs = {name: as_model_input(tiles) for name, (tiles, _) in holdouts.items()}
    by_seed: dict[str, Any] = {}
    for seed in options.seeds:
        run = _run_of(options, seed)
        paths = {kind: run / f"{options.network}.{kind}.onnx" for kind in KINDS}
        logits = {kind: _logits(path, inputs) for kind, path in paths.items()}
        figures: dict[str, Any] = {
            way: {
                name: round(accuracy_percent(logits[kind][name][:, :classes], labels.astype(np.int64)), 4)
                for name, (_, labels) in holdouts.items()
            }
            for way, (kind, classes) in WAYS.items()
        }
        figures["agreement"] = {name: round(agreement_percent(logits["float"][name], logits["int8"][name]), 4) for name in holdouts}
        figures["bytes"] = {kind: path.stat().st_size for kind, path in paths.items()}
        by_seed[str(seed)] = figures
    records = [json.loads((_run_of(options, seed) / RECORD_NAME).read_text(encoding="utf-8")) for seed in options.seeds]
    rows = {
        way: {name: [figures[way][name] for figures in by_seed.values()] for name in holdouts if name != NEGATIVES or way in KINDS}
        for way in WAYS
    }
    return {
        **{key: records[0][key] for key in ("network", "parameters", "commit", "changed", "machine", "settings", "glyphs")},
        "seeds": options.seeds,
        "seconds": [record["seconds"] for record in records],
        "figures_mean": {way: {name: round(float(np.mean(values)), 4) for name, values in rows[way].items()} for way in WAYS},
        "figures_spread": {way: {name: round(float(np.std(values)), 4) for name, values in rows[way].items()} for way in WAYS},
        "figures": by_seed,
    }


def _logits(path: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    engine = Engine(path.read_bytes(), "cpu", threads=1, name=str(path))
    return {name: engine.run("logits", tiles) for name, tiles in inputs.items()}


def _keep(options: argparse.Namespace) -> None:
    """The record, and the models of the first seed, into the folders of the repository."""
    run = _run_of(options, options.seeds[0])
    for folder in (RECORDS, MODELS_FOLDER):
        folder.mkdir(exist_ok=True)
    shutil.copyfile(options.out / RECORD_NAME, RECORDS / f"{options.network}.json")
    for kind in KINDS:
        shutil.copyfile(run / f"{options.network}.{kind}.onnx", MODELS_FOLDER / f"{options.network}.{kind}.onnx")


def _parse(arguments: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m export.seeds",
        description="Train one network with several seeds; further options go to python -m export.train.",
        allow_abbrev=False,
    )
    parser.add_argument("--network", required=True, help="name of a network of export/networks.py")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--pool", type=Path, required=True, metavar="DIR", help="folder of `python -m export.tile_pool`")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], metavar="N")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a run folder for each seed goes into it")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many glyphs of each hold-out, for a trial run")
    parser.add_argument("--int8-head", action="store_true", help="int8 for the last layer too: a fifth of the file of a small network")
    parser.add_argument("--keep", action="store_true", help="put the record into export/records and the first seed into export/models")
    options, passed_on = parser.parse_known_args(arguments)
    if len(set(options.seeds)) < len(options.seeds):
        parser.error(f"--seeds names one twice: {' '.join(map(str, options.seeds))}")
    if options.limit is not None:
        passed_on += ["--limit", str(options.limit)]
    return options, passed_on


if __name__ == "__main__":
    sys.exit(main())
