"""Fine-tunes a model to one person's hand: `python -m export.finetune --samples DIR --base digits --out me --data DATA`.

    --samples DIR                    folders 0..9 with pictures of any size, polarity and paper, or train/ and test/ of them
    --samples PAGE --labels "01 23"  a photographed page, and what stands on it

A guard decides whether the result may be used: it must read own digits better in cross-validation, and a frozen set of others as
well as before. Else nothing is written. What passes is exported, quantized, judged and published into a folder that
`edge-digits read --model` takes. Exit codes: 0 written; 1 refused by the guard, or no usable samples; 2 wrong usage; 3 the base is
missing or damaged, or int8 missed a gate.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.personal.adaptation import FOLDS
from edge_digits.recognition.classifier import softmax
from edge_digits.recognition.weights import ModelFile
from export.data.collect import find_data, load_training
from export.figures import logits_of
from export.fine_tuning import NEGATIVE_SHARE, WAYS, Base, Plan, choose_plan, make_variants, prepare_base
from export.from_onnx import find_base, load_base
from export.harm_guard import FrozenSet, Outcome, count_errors, fit_and_measure, require_no_harm
from export.mixture import Mixture, MixtureOptions
from export.optimisation import use_bfloat16
from export.own_samples import OwnSamples, check, doubtful, is_doubtful, load_folder, load_page, require_apart
from export.personal_model import FINE_TUNED, PersonalTiles, Target, find_target, for_command_line, publish_personal, write_record
from export.record import describe_commit, describe_machine
from export.tuning import tuning_tiles

REPLAY_TILES: Final = 4096
REPLAY_EPOCH: Final = 2_000_000
"""Epochs of training begin with 0, calibration takes 1,000,000: these tiles were seen by neither."""
REPLAY_STRENGTH: Final = 0.7
CALIBRATION_TILES: Final = 1024
FROZEN_SEED: Final = 1
"""The frozen set is the same for everybody and every --seed."""


@dataclass(frozen=True, slots=True)
class BaseTiles:
    """Tiles of the base's training sets. replay : uint8 (m, 28, 28), trains. frozen : trains nothing, is judged by."""

    replay: NDArray[np.uint8]
    frozen: FrozenSet


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        return finetune(options)
    except EdgeDigitsError as error:
        print(f"export.finetune: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.finetune: interrupted; nothing was written", file=sys.stderr)
        return ExitCode.INTERRUPTED


def finetune(options: argparse.Namespace) -> ExitCode:
    """Fine-tune as the parsed options say; see main."""
    target = find_target(options.out)
    if options.threads:
        torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    file = find_base(options.base)
    network, card = load_base(file)
    own, test = _load_samples(options)
    probabilities = softmax(logits_of(network, own.tiles) / np.float32(card.temperature))
    own = _review(own, probabilities, options)
    plan = choose_plan(len(own), options.way)
    print(f"trained is {plan.reason}", file=sys.stderr)
    folder = find_data(options.data)
    tiles = load_base_tiles(folder, options.seed, options.limit)
    base = prepare_base(network, card, tiles.replay)
    bfloat16 = use_bfloat16(options.precision, torch.device("cpu"))
    variants = make_variants(own.glyphs, own.labels, options.seed)
    with tqdm(total=1 + min(FOLDS, len(own)), desc="fine-tuning", file=sys.stderr) as bar:
        outcome = fit_and_measure(base, variants, tiles.frozen, plan, options.seed, bfloat16=bfloat16, told=bar.update)
    require_no_harm(outcome.figures)
    record = _record(file, plan, own, outcome, base, test, options)
    _publish(target, outcome, base, own, tiles, record, folder)
    print(f"{target.name}: {outcome.figures.text()}{_test_text(record)}")
    print(f"export.finetune: wrote {target.folder}; read with --model {for_command_line(target.folder)}", file=sys.stderr)
    return ExitCode.OK


def load_base_tiles(folder: Path, seed: int, limit: int | None = None) -> BaseTiles:
    """Replayed tiles and the frozen set from the training sets of a data folder. Raises DataError."""
    print("loading the base set", file=sys.stderr)
    data = load_training(folder, limit=limit)
    mixture = Mixture(data, seed, MixtureOptions(2 * REPLAY_TILES, REPLAY_TILES, NEGATIVE_SHARE))
    mixture.start_epoch(REPLAY_EPOCH, REPLAY_STRENGTH)
    frozen = FrozenSet(*tuning_tiles(data, FROZEN_SEED))
    if len(frozen) == 0:
        raise UsageError(f"{folder}: no glyph is kept aside to judge by; give more of them than --limit {limit}")
    return BaseTiles(mixture[0][0].numpy()[:, 0], frozen)


def _load_samples(options: argparse.Namespace) -> tuple[OwnSamples, OwnSamples | None]:
    """What to learn from, checked, and what to test with."""
    if options.samples.is_dir():
        if options.labels is not None:
            raise UsageError(f"--labels belongs to a page; in {options.samples} the folders 0 to 9 are the labels")
        own, test = load_folder(options.samples), load_folder(options.samples, "test")
    elif options.labels is None:
        raise UsageError(f"{options.samples}: no folder; for a photographed page give --labels with the digits on it as well")
    else:
        own, test = load_page(options.samples, options.labels), None
    own = check(own, options.samples)
    for line in (*own.remarks, *(test.remarks if test else ())):
        print(f"export.finetune: {line}", file=sys.stderr)
    if test is not None and len(test):
        require_apart(own, test)
    return own, test if test is not None and len(test) else None


def _review(own: OwnSamples, probabilities: NDArray[np.float32], options: argparse.Namespace) -> OwnSamples:
    """List the labels of which the base is sure that they are others, and leave them out when asked to."""
    for line in doubtful(own, probabilities):
        print(f"export.finetune: review {line}", file=sys.stderr)
    if not options.leave_out_doubtful:
        return own
    return check(own.take(~is_doubtful(own, probabilities)), options.samples)


def _record(
    file: ModelFile, plan: Plan, own: OwnSamples, outcome: Outcome, base: Base, test: OwnSamples | None, options: argparse.Namespace
) -> dict[str, Any]:
    tested = {}
    if test is not None:
        before, after = (count_errors(logits_of(each, test.tiles), test.labels) for each in (base.network, outcome.network))
        tested = {"test_samples": len(test), "test_errors_before": before, "test_errors_after": after}
    return {
        "base": file.name,
        "base_sha256": file.sha256,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **describe_commit(),
        "machine": describe_machine(torch.device("cpu")),
        "seed": options.seed,
        "plan": asdict(plan),
        "samples": own.counts(),
        "figures": {**outcome.figures.to_dict(), **tested},
    }


def _publish(target: Target, outcome: Outcome, base: Base, own: OwnSamples, tiles: BaseTiles, record: dict[str, Any], folder: Path) -> None:
    card = base.card
    glyphs = {**card.training.get("glyphs", {}), "own_samples": len(own)}
    # The base's figures are not those of the new weights.
    training = {key: value for key, value in card.training.items() if key != "figures"} | {"glyphs": glyphs, FINE_TUNED: record}
    personal = PersonalTiles(tiles.replay[:CALIBRATION_TILES], own.tiles, own.labels, tiles.frozen)
    entry = publish_personal(target, outcome.network, (card.temperature, card.not_one_digit_share), training, personal, folder / "mnist")
    int8 = {name: figures["accuracy_percent"] for name, figures in entry["int8"]["figures"].items()}
    write_record(target, {**record, "int8_accuracy_percent": int8, "int8_bytes": entry["int8"]["bytes"]})


def _test_text(record: dict[str, Any]) -> str:
    figures = record["figures"]
    if "test_samples" not in figures:
        return ""
    return f"; test errors {figures['test_errors_before']} -> {figures['test_errors_after']} of {figures['test_samples']}"


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.finetune", description="Fine-tune a model to one person's hand, guarded.")
    parser.add_argument("--samples", type=Path, required=True, metavar="DIR|PAGE", help="folder with 0..9, or a photographed page")
    parser.add_argument("--labels", metavar="DIGITS", help="what stands on the page, a blank between lines: '0123456789 0123456789'")
    parser.add_argument("--base", default="digits", help="model of export/models, shipped model, or .onnx file (default: digits)")
    parser.add_argument("--out", required=True, metavar="NAME|DIR", help="a NAME goes to runs/finetune/NAME")
    parser.add_argument("--data", type=Path, metavar="DIR", help="local data folder; without it MNIST is downloaded to a cache")
    parser.add_argument("--way", default="auto", help=f"{', '.join(WAYS)}: what is trained (default: auto, by the number of samples)")
    parser.add_argument("--leave-out-doubtful", action="store_true", help="do not learn labels of which the base is sure they are others")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many glyphs of each set, for a trial run")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch (default: torch's own choice)")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="auto: bfloat16 where it is fast")
    options = parser.parse_args(arguments)
    for name, least in (("seed", 0), ("threads", 0), ("limit", 1)):
        if getattr(options, name) is not None and getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    return options


if __name__ == "__main__":
    sys.exit(main())
