"""Trains a network: `python -m export.train --network narrow --data DIR --epochs 40 --seed 1 --out runs/narrow`.

What counts is written down in the run folder: a checkpoint after each epoch, `record.json` at the end. The weights are
the averaged ones after the last epoch; nothing is chosen on a test set.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export import checkpoint
from export.augment import AugmentOptions, augmented_tile
from export.data.collect import TrainingData, find_data, load_training
from export.figures import all_figures, fit_temperature, logits_of
from export.holdouts import holdout_tiles
from export.mixture import DIGIT_WEIGHTS, NEGATIVE_WEIGHTS, Mixture, MixtureOptions, start_worker
from export.negatives import make_negative
from export.networks import ConvNetwork, build, count_parameters
from export.optimisation import OptimisationOptions, Trainer, has_fast_bfloat16
from export.record import RECORD_NAME, describe_commit, describe_machine, draw_curves, write_record

GENTLE_SHARE: Final = 0.12
GENTLE_STRENGTH: Final = 0.5
"""The last eighth of the epochs sees half as strong augmentation: nearer to what is really written."""

TUNING_STRENGTH: Final = 0.5


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        return train(options)
    except EdgeDigitsError as error:
        print(f"export.train: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.train: interrupted; go on with --resume", file=sys.stderr)
        return ExitCode.INTERRUPTED


def train(options: argparse.Namespace) -> ExitCode:
    """Train as the parsed options say; see main."""
    device = choose_device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    network = build(options.network)
    if options.start_from is not None:
        network.load_state_dict(checkpoint.load(options.start_from)["average"])
    folder = find_data(options.data)
    data = load_training(folder, options.fonts, options.mined, options.limit)
    _tell(data)
    mixture = Mixture(data, options.seed, MixtureOptions(tiles=options.epoch_tiles, batch=options.batch))
    mixture.start_epoch(0)
    bfloat16 = has_fast_bfloat16(device) if options.precision == "auto" else options.precision == "bfloat16"
    optimisation = OptimisationOptions(learning_rate=options.learning_rate)
    trainer = Trainer(network, device, max(1, options.epochs * len(mixture)), optimisation, bfloat16)
    settings = _settings(options, mixture, optimisation, bfloat16)
    history, seconds = _resume(options, trainer, settings) if options.resume else ([], 0.0)
    began = time.monotonic()
    for epoch in range(len(history), options.epochs):
        row = _run_epoch(epoch, options, mixture, trainer, device)
        history.append(row)
        elapsed = seconds + time.monotonic() - began
        checkpoint.save(options.out, {**trainer.state(), "history": history, "seconds": elapsed, "settings": settings})
    temperature = _finish(options, trainer, data, settings, history, device, seconds + time.monotonic() - began)
    print(f"done: {options.out / RECORD_NAME}, temperature {temperature}", file=sys.stderr)
    return ExitCode.OK


def choose_device(name: str) -> torch.device:
    """The torch device; "auto" is CUDA when there is one. Raises UsageError when "cuda" is asked for and not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device 'cuda' was asked for but torch finds none; use --device cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")


def _run_epoch(epoch: int, options: argparse.Namespace, mixture: Mixture, trainer: Trainer, device: torch.device) -> dict[str, float]:
    gentle = epoch >= options.epochs * (1.0 - options.gentle_share)
    mixture.start_epoch(epoch, GENTLE_STRENGTH if gentle else 1.0)
    pinned = device.type == "cuda"
    loader: Any = DataLoader(mixture, batch_size=None, num_workers=options.workers, worker_init_fn=start_worker, pin_memory=pinned)
    began = time.monotonic()
    with tqdm(loader, total=len(mixture), desc=f"epoch {epoch + 1}/{options.epochs}", file=sys.stderr, mininterval=2.0) as bar:
        figures = trainer.run_epoch(bar)
    took = round(time.monotonic() - began, 1)
    print(f"epoch {epoch + 1}: loss {figures['loss']:.4f}, training accuracy {figures['accuracy']:.2f} %, {took} s", file=sys.stderr)
    return {"epoch": epoch + 1, **figures, "seconds": took}


def _resume(options: argparse.Namespace, trainer: Trainer, settings: dict[str, Any]) -> tuple[list[dict[str, float]], float]:
    state = checkpoint.load(options.out)
    changed = [name for name, value in settings.items() if state["settings"].get(name) != value]
    if changed:
        raise UsageError(f"{options.out}: was begun with other settings ({', '.join(changed)}); give the same ones or another --out")
    trainer.restore(state)
    return list(state["history"]), float(state["seconds"])


def _finish(
    options: argparse.Namespace,
    trainer: Trainer,
    data: TrainingData,
    settings: dict[str, Any],
    history: list[dict[str, float]],
    device: torch.device,
    seconds: float,
) -> float:
    """Fit the temperature, measure every hold-out, write the record and the final checkpoint."""
    network = trainer.average
    temperature = tune(network, data, options.seed)
    record = {
        "network": options.network,
        "parameters": count_parameters(network),
        **describe_commit(),
        "seed": options.seed,
        "machine": describe_machine(device),
        "settings": settings,
        "glyphs": {each.name: len(each) for each in (*data.digits, *data.negatives)},
        "missing": list(data.missing),
        "seconds": round(seconds, 1),
        "temperature": temperature,
        "figures": all_figures(network, holdout_tiles(find_data(options.data), options.limit), temperature),
        "history": history,
    }
    state = {**trainer.state(), "history": history, "seconds": seconds, "settings": settings, "temperature": temperature}
    checkpoint.save(options.out, state)
    write_record(options.out / RECORD_NAME, record)
    if not draw_curves(options.out / "curves.png", history):
        print("no curves.png: matplotlib is not installed", file=sys.stderr)
    for name, figures in record["figures"].items():
        print(name, " ".join(f"{key} {value}" for key, value in figures.items()), file=sys.stderr)
    return temperature


def tune(network: ConvNetwork, data: TrainingData, seed: int) -> float:
    """The temperature that fits the glyphs kept aside of the training sets, changed half as strongly as in training."""
    tiles, labels = tuning_tiles(data, seed)
    return fit_temperature(logits_of(network, tiles), labels) if len(tiles) else 1.0


def tuning_tiles(data: TrainingData, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The glyphs kept aside as tiles uint8 (n, 28, 28), and their labels uint8 (n,); n may be 0."""
    rng = np.random.default_rng([seed, 1 << 20])
    sources = [*data.tuning_digits, *data.tuning_negatives]
    tiles = [augmented_tile(glyph, rng, TUNING_STRENGTH) for each in sources for glyph in each.glyphs]
    labels = [int(label) for each in sources for label in each.labels]
    made = len(tiles) // 8
    if data.tuning_digits:
        tiles += [augmented_tile(make_negative(rng, data.tuning_digits[0]), rng, TUNING_STRENGTH) for _ in range(made)]
        labels += [NOT_ONE_DIGIT] * made
    return np.array(tiles, np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX), np.array(labels, np.uint8)


def _settings(options: argparse.Namespace, mixture: Mixture, optimisation: OptimisationOptions, bfloat16: bool) -> dict[str, Any]:
    return {
        "network": options.network,
        "epochs": options.epochs,
        "seed": options.seed,
        "start_from": None if options.start_from is None else options.start_from.name,
        "gentle_share": options.gentle_share,
        "limit": options.limit,
        "precision": "bfloat16" if bfloat16 else "float32",
        "fonts": options.fonts is not None,
        "mined": options.mined is not None,
        "mixture": asdict(mixture.options),
        "optimisation": asdict(optimisation),
        "augment": asdict(AugmentOptions()),
        "digit_weights": dict(DIGIT_WEIGHTS),
        "negative_weights": dict(NEGATIVE_WEIGHTS),
    }


def _tell(data: TrainingData) -> None:
    sizes = ", ".join(f"{each.name} {len(each)}" for each in (*data.digits, *data.negatives))
    print(f"training on {sizes}", file=sys.stderr)
    if data.missing:
        print(f"not in the data folder and left out: {', '.join(data.missing)}", file=sys.stderr)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.train", description="Train a network on glyphs made by the one tile rule.")
    parser.add_argument("--network", default="narrow", help="name of a network of export/networks.py (default: narrow)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="folder of handwriting fonts: their letters are further negatives")
    parser.add_argument("--mined", type=Path, metavar="FILE", help="npz of `python -m export.mine`: further negatives")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--epoch-tiles", type=int, default=100_000, metavar="N", help="tiles an epoch (default: 100000)")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=OptimisationOptions().learning_rate)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="run folder")
    parser.add_argument("--start-from", type=Path, metavar="DIR", help="another run, whose averaged weights this one begins with")
    parser.add_argument(
        "--gentle-share", type=float, default=GENTLE_SHARE, help="share of the epochs, at the end, with half as strong augmentation"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint of the run folder")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many glyphs of each set, for a trial run")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch (default: torch's own choice)")
    parser.add_argument("--workers", type=int, default=2, help="processes that make tiles; 0 makes them in the main process")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    precisions = ("auto", "float32", "bfloat16")
    parser.add_argument("--precision", choices=precisions, default="auto", help="auto: bfloat16 where the processor has it")
    options = parser.parse_args(arguments)
    for name, least in (("epochs", 1), ("batch", 2), ("workers", 0), ("threads", 0), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    if options.epoch_tiles < options.batch:
        parser.error(f"--epoch-tiles is {options.epoch_tiles}; give at least one batch of {options.batch}")
    if options.limit is not None and options.limit < 1:
        parser.error(f"--limit is {options.limit}; give a number of at least 1")
    if not options.learning_rate > 0:
        parser.error(f"--learning-rate is {options.learning_rate}; give a number above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
