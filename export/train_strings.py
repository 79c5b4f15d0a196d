"""Trains the string network on strips: `python -m export.train_strings --strips runs/strings.npz --epochs 12 --out runs/string`.

Strips of nearly one width form a batch, filled up with paper. The loss is that of connectionist temporal classification:
nobody has to say where a digit ends.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.paper.strips import STRIP_HEIGHT_PX
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export import checkpoint
from export.networks import count_parameters
from export.optimisation import schedule, use_bfloat16
from export.pages.proposals import load_shards
from export.record import RECORD_NAME, describe_commit, describe_machine, write_record
from export.string_network import BLANK, StringNetwork, greedy
from export.strings import NO_LABEL

AVERAGE_DECAY: Final = 0.999
VALIDATION_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Strips:
    """pixels : uint8, all strips one after the other. starts, widths : int64 (n,). labels : uint8 (n, 8), filled up with 255."""

    pixels: NDArray[np.uint8]
    starts: NDArray[np.int64]
    widths: NDArray[np.int64]
    labels: NDArray[np.uint8]

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Strips:
        """Files of `python -m export.strings`, and folders of `python -m export.pages.proposals`. Raises UsageError."""
        parts = []
        for path in paths:
            if path.is_dir():
                shards = load_shards(path)
                parts.append((shards.strip_pixels, shards.strip_widths, shards.strip_labels))
                continue
            try:
                with path.open("rb") as stream, np.load(stream) as file:
                    parts.append((file["pixels"], file["widths"], file["labels"]))
            except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
                raise UsageError(f"{path}: no strips ({error}); make them with `python -m export.strings`") from error
        pixels, widths, labels = (np.concatenate([part[i] for part in parts]) for i in range(3))
        starts = np.concatenate([[0], np.cumsum(widths.astype(np.int64) * STRIP_HEIGHT_PX)[:-1]])
        return cls(pixels, starts, widths.astype(np.int64), labels)

    def batch(self, chosen: NDArray[np.intp]) -> NDArray[np.uint8]:
        """uint8 (n, 1, 32, w), as wide as the widest of them."""
        strips = np.zeros((len(chosen), 1, STRIP_HEIGHT_PX, int(self.widths[chosen].max())), np.uint8)
        for strip, index in zip(strips, chosen, strict=True):
            start, width = self.starts[index], self.widths[index]
            strip[0, :, :width] = self.pixels[start : start + width * STRIP_HEIGHT_PX].reshape(STRIP_HEIGHT_PX, width)
        return strips


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        return train(options)
    except EdgeDigitsError as error:
        print(f"export.train_strings: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.train_strings: interrupted; go on with --resume", file=sys.stderr)
        return ExitCode.INTERRUPTED


def train(options: argparse.Namespace) -> ExitCode:
    """Train as the parsed options say; see main."""
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    strips, validation = Strips.load(options.strips), Strips.load(options.validation)
    if len(strips.widths) < options.batch:
        raise UsageError(f"--strips hold {len(strips.widths)}, too few for one batch of {options.batch}; give more, or a smaller --batch")
    if not 0 < np.count_nonzero((validation.labels == NOT_ONE_DIGIT).any(axis=1)) < len(validation.widths):
        raise UsageError("--validation needs strips of digits alone and some with anything else; make more of them")
    network = StringNetwork()
    if options.start_from is not None:
        _start_from(network, options.start_from)
    training = StringTraining(network.to(device, memory_format=torch.channels_last), device, options, strips, validation)
    history: list[dict[str, float]] = []
    if options.resume:
        history = training.restore(checkpoint.load(options.out))
    began = time.monotonic()
    for epoch in range(len(history), options.epochs):
        loss = training.run_epoch(epoch)
        row = {"epoch": epoch + 1, "loss": round(loss, 5), **training.validate()}
        print(" ".join(f"{name} {value}" for name, value in row.items()), f"{time.monotonic() - began:.0f} s", file=sys.stderr)
        history.append(row)
        checkpoint.save(options.out, training.state(history))
    record = {
        "network": "string",
        "parameters": count_parameters(network),
        **describe_commit(),
        "seed": options.seed,
        "machine": describe_machine(device),
        "settings": training.settings(),
        "seconds": round(time.monotonic() - began, 1),
        "history": history,
    }
    write_record(options.out / RECORD_NAME, record)
    return ExitCode.OK


def _start_from(network: StringNetwork, run: Path) -> None:
    """Give the network the averaged weights of another run. Raises UsageError."""
    try:
        network.load_state_dict(checkpoint.load(run)["average"])
    except (KeyError, RuntimeError) as error:
        raise UsageError(f"{run}: its checkpoint is of no string network; give another --start-from") from error


class StringTraining:
    """The network, its averaged twin and its optimiser, and the strips they learn from."""

    def __init__(
        self, network: StringNetwork, device: torch.device, options: argparse.Namespace, strips: Strips, validation: Strips
    ) -> None:
        self.network, self.device, self.options, self.strips, self.validation = network, device, options, strips, validation
        self.average = copy.deepcopy(network).eval()
        self.steps = max(1, options.epochs * (len(strips.widths) // options.batch))
        self.step = 0
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=0.02)
        self.bfloat16 = use_bfloat16("auto", device)

    def run_epoch(self, epoch: int) -> float:
        """All strips once; returns the mean loss."""
        self.network.train()
        losses = []
        rng = np.random.default_rng((self.options.seed, epoch))
        total = len(self.strips.widths) // self.options.batch
        for chosen in tqdm(self._batches(rng), total=total, desc=f"epoch {epoch + 1}", file=sys.stderr, mininterval=5.0):
            for group in self.optimiser.param_groups:
                group["lr"] = self.options.learning_rate * schedule(self.step / self.steps)
            loss = self._loss(self._logits(self.network, self.strips.batch(chosen)), chosen)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
            self.step += 1
            self._follow()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _batches(self, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
        """Batches of strips of like width, in random order."""
        size = self.options.batch
        shuffled = rng.permutation(len(self.strips.widths))
        by_width = shuffled[np.argsort(self.strips.widths[shuffled], kind="stable")]
        starts = np.arange(0, len(by_width) - size + 1, size)
        for start in rng.permutation(starts):
            yield by_width[start : start + size]

    def _logits(self, network: nn.Module, strips: NDArray[np.uint8]) -> Tensor:
        inputs = torch.from_numpy(strips).to(self.device).float() / 255.0
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits: Tensor = network(inputs.contiguous(memory_format=torch.channels_last))
        return logits.float()

    def _loss(self, logits: Tensor, chosen: NDArray[np.intp]) -> Tensor:
        labels = self.strips.labels[chosen]
        lengths = (labels != NO_LABEL).sum(axis=1)
        targets = torch.from_numpy(labels[labels != NO_LABEL].astype(np.int64))
        columns = torch.full((len(chosen),), logits.shape[1], dtype=torch.long)
        log = torch.log_softmax(logits, dim=2).transpose(0, 1)
        return nn.functional.ctc_loss(log, targets, columns, torch.from_numpy(lengths), blank=BLANK, zero_infinity=True)

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        for mine, theirs in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1.0 - decay)
            else:
                mine.copy_(theirs)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of strips kept aside that are read whole, in percent: strings of digits, and runs of anything else."""
        right: dict[bool, list[bool]] = {True: [], False: []}
        in_order = np.argsort(self.validation.widths, kind="stable")
        for start in range(0, len(in_order), VALIDATION_BATCH):
            chosen = in_order[start : start + VALIDATION_BATCH]
            answers = greedy(self._logits(self.average, self.validation.batch(chosen)))
            for said, row in zip(answers, self.validation.labels[chosen], strict=True):
                meant = [int(label) for label in row if label != NO_LABEL]
                right[NOT_ONE_DIGIT not in meant].append(said == meant)
        return {"digits_right": round(100 * float(np.mean(right[True])), 2), "others_right": round(100 * float(np.mean(right[False])), 2)}

    def settings(self) -> dict[str, Any]:
        """What a resumed run must have been started with."""
        chosen = {name: getattr(self.options, name) for name in ("epochs", "batch", "learning_rate", "seed")}
        return {**chosen, "strips": len(self.strips.widths), "bfloat16": self.bfloat16}

    def state(self, history: list[dict[str, float]]) -> dict[str, Any]:
        """All that a resumed run needs."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "history": history,
            "settings": self.settings(),
        }

    def restore(self, state: dict[str, Any]) -> list[dict[str, float]]:
        """Go on from `state()`; returns the history. Raises UsageError for other settings."""
        if state["settings"] != self.settings():
            raise UsageError(f"{self.options.out}: was begun with other settings; give the same ones or another --out")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])
        return list(state["history"])


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.train_strings", description="Train the string network on strips.")
    parser.add_argument(
        "--strips",
        type=Path,
        action="append",
        required=True,
        metavar="PATH",
        help="npz of `python -m export.strings`, or shards of `python -m export.pages.proposals`; may be given again",
    )
    parser.add_argument("--validation", type=Path, action="append", required=True, metavar="PATH", help="the same, kept aside")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--start-from", type=Path, metavar="DIR", help="another run, whose averaged weights this one begins with")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint of the run folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="run folder")
    options = parser.parse_args(arguments)
    for name, least in (("epochs", 1), ("batch", 2), ("threads", 0), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    if not 0 < options.learning_rate < float("inf"):
        parser.error(f"--learning-rate is {options.learning_rate}; give a number above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
