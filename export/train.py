"""Trains a network: `python -m export.train --network narrow --data DIR --epochs 40 --seed 1 --out runs/narrow`.

What counts is written down in the run folder: a checkpoint after each epoch, `record.json` at the end. The weights are
the averaged ones after the last epoch; nothing is chosen on a test set.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, MissingExtraError, UsageError
from export import checkpoint
from export.data.collect import find_data, load_training
from export.epochs import Epochs, MadeEpochs, PooledEpochs, load_answers
from export.figures import all_figures, fit_temperature, logits_of
from export.holdouts import holdout_tiles
from export.mixture import Mixture, MixtureOptions
from export.networks import build, count_parameters
from export.optimisation import OptimisationOptions, Trainer, use_bfloat16
from export.pictures import Panel, draw_panels
from export.record import RECORD_NAME, describe_commit, describe_machine, write_record
from export.tile_pool import load_pool
from export.tuning import tuning_tiles

GENTLE_SHARE: Final = 0.12
"""The last eighth of the epochs sees half as strong augmentation: nearer to what is really written."""

TEACHER_SHARE: Final = 0.9
"""What the teachers' answers weigh in the loss where there are some; the labels have the rest."""


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
    material = _from_pool(options) if options.pool else _from_glyphs(options, device)
    bfloat16 = use_bfloat16(options.precision, device)
    optimisation = _optimisation(options)
    trainer = Trainer(network, device, max(1, options.epochs * len(material.epochs)), optimisation, bfloat16)
    settings = _settings(options, material.epochs, optimisation, bfloat16)
    history, seconds = _resume(options, trainer, settings) if options.resume else ([], 0.0)
    began = time.monotonic()
    for epoch in range(len(history), options.epochs):
        row = _run_epoch(epoch, options, material.epochs, trainer)
        history.append(row)
        elapsed = seconds + time.monotonic() - began
        checkpoint.save(options.out, {**trainer.state(), "history": history, "seconds": elapsed, "settings": settings})
    temperature = _finish(options, trainer, material, settings, history, device, seconds + time.monotonic() - began)
    print(f"done: {options.out / RECORD_NAME}, temperature {temperature}", file=sys.stderr)
    return ExitCode.OK


@dataclass(frozen=True, slots=True)
class Material:
    """What a training learns from.

    epochs : the batches. tuning : tiles uint8 (n, 28, 28) and labels uint8 (n,) kept aside. glyphs : how many by set.
    missing : sets that the data folder does not hold.
    """

    epochs: Epochs
    tuning: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    glyphs: dict[str, int]
    missing: tuple[str, ...] = ()


def _from_glyphs(options: argparse.Namespace, device: torch.device) -> Material:
    data = load_training(find_data(options.data), options.fonts, options.mined, options.limit)
    sizes = {each.name: len(each) for each in (*data.digits, *data.negatives)}
    print("training on " + ", ".join(f"{name} {size}" for name, size in sizes.items()), file=sys.stderr)
    if data.missing:
        print(f"not in the data folder and left out: {', '.join(data.missing)}", file=sys.stderr)
    mixture = Mixture(data, options.seed, MixtureOptions(tiles=options.epoch_tiles, batch=options.batch))
    epochs = MadeEpochs(mixture, options.workers, pinned=device.type == "cuda")
    return Material(epochs, tuning_tiles(data, options.seed), sizes, data.missing)


def _from_pool(options: argparse.Namespace) -> Material:
    pool = load_pool(options.pool)
    answers = load_answers(options.answers, pool) if options.answers else None
    epochs = PooledEpochs(pool, options.seed, options.batch, answers)
    return Material(epochs, (pool.tuning_tiles, pool.tuning_labels), pool.settings["glyphs"])


def _optimisation(options: argparse.Namespace) -> OptimisationOptions:
    given = {"learning_rate": options.learning_rate, "weight_decay": options.weight_decay}
    return OptimisationOptions(**given, teacher_share=TEACHER_SHARE if options.answers else 0.0)


def choose_device(name: str) -> torch.device:
    """The torch device; "auto" is CUDA when there is one. Raises UsageError when "cuda" is asked for and not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device 'cuda' was asked for but torch finds none; use --device cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")


def _run_epoch(epoch: int, options: argparse.Namespace, epochs: Epochs, trainer: Trainer) -> dict[str, float]:
    gentle = epoch >= options.epochs * (1.0 - options.gentle_share)
    batches = epochs.batches(epoch, gentle=gentle)
    began = time.monotonic()
    with tqdm(batches, total=len(epochs), desc=f"epoch {epoch + 1}/{options.epochs}", file=sys.stderr, mininterval=2.0) as bar:
        figures = trainer.run_epoch(bar)
    took = round(time.monotonic() - began, 1)
    print(f"epoch {epoch + 1}: loss {figures['loss']:.4f}, training accuracy {figures['accuracy']:.2f} %, {took} s", file=sys.stderr)
    return {"epoch": epoch + 1, **figures, "seconds": took}


def _draw_curves(path: Path, history: list[dict[str, float]]) -> None:
    curves = (("loss", "loss", True), ("accuracy", "training accuracy, %", False))
    try:
        draw_panels(path, [Panel("", {name: [row[name] for row in history]}, "epoch", label, log) for name, label, log in curves])
    except MissingExtraError:
        print("no curves.png: matplotlib is not installed", file=sys.stderr)


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
    material: Material,
    settings: dict[str, Any],
    history: list[dict[str, float]],
    device: torch.device,
    seconds: float,
) -> float:
    """Fit the temperature, measure every hold-out, write the record and the final checkpoint."""
    network = trainer.average
    tiles, labels = material.tuning
    temperature = fit_temperature(logits_of(network, tiles), labels) if len(tiles) else 1.0
    record = {
        "network": options.network,
        "parameters": count_parameters(network),
        **describe_commit(),
        "seed": options.seed,
        "machine": describe_machine(device),
        "settings": settings,
        "glyphs": material.glyphs,
        "missing": list(material.missing),
        "seconds": round(seconds, 1),
        "temperature": temperature,
        "figures": all_figures(network, holdout_tiles(find_data(options.data), options.limit), temperature),
        "history": history,
    }
    state = {**trainer.state(), "history": history, "seconds": seconds, "settings": settings, "temperature": temperature}
    checkpoint.save(options.out, state)
    write_record(options.out / RECORD_NAME, record)
    _draw_curves(options.out / "curves.png", history)
    for name, figures in record["figures"].items():
        print(name, " ".join(f"{key} {value}" for key, value in figures.items()), file=sys.stderr)
    return temperature


def _settings(options: argparse.Namespace, epochs: Epochs, optimisation: OptimisationOptions, bfloat16: bool) -> dict[str, Any]:
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
        "answers": options.answers is not None,
        "optimisation": asdict(optimisation),
        **epochs.settings(),
    }


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.train", description="Train a network on glyphs made by the one tile rule.")
    parser.add_argument("--network", default="narrow", help="name of a network of export/networks.py (default: narrow)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="folder of handwriting fonts: their letters are further negatives")
    parser.add_argument("--mined", type=Path, metavar="FILE", help="npz of `python -m export.mine`: further negatives")
    parser.add_argument("--pool", type=Path, metavar="DIR", help="tiles of `python -m export.tile_pool` instead of making them")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="teachers' logits for the pool, of `python -m export.answers`")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--epoch-tiles", type=int, default=100_000, metavar="N", help="tiles an epoch (default: 100000)")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=OptimisationOptions().learning_rate)
    parser.add_argument("--weight-decay", type=float, default=OptimisationOptions().weight_decay)
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
    if options.answers and not options.pool:
        parser.error("--answers belongs to a pool of tiles; give --pool as well")
    return options


if __name__ == "__main__":
    sys.exit(main())
