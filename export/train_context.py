"""Trains the context network on labelled proposals of generated pages.

    python -m export.train_context --proposals runs/proposals --epochs 20 --seed 1 --out runs/context

The tile classifier was trained on the same digits that stand on the generated pages, and is surer of them than of any on real
paper. What it said is therefore weakened at random, and now and then withheld: the network learns to judge by itself too.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export import checkpoint
from export.context_network import ContextNetwork
from export.networks import count_parameters
from export.optimisation import schedule, use_bfloat16
from export.pages.proposals import Proposals, load_shards
from export.record import RECORD_NAME, describe_commit, describe_machine, write_record

AVERAGE_DECAY: Final = 0.999
WITHHELD: Final = 0.15
"""Share of proposals for which the tile classifier's answer is withheld."""
WEAKEST: Final = 0.35
"""Its answers are scaled by a number between this and 1."""
ANSWER_NOISE: Final = 0.5
"""Standard deviation of the noise on its answers, in logits."""
LEAST_CONTRAST: Final = 0.6
MOST_SHIFT_PX: Final = 2
VALIDATION_BATCH: Final = 1024


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        return train(options)
    except EdgeDigitsError as error:
        print(f"export.train_context: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.train_context: interrupted; go on with --resume", file=sys.stderr)
        return ExitCode.INTERRUPTED


def train(options: argparse.Namespace) -> ExitCode:
    """Train as the parsed options say; see main."""
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    proposals = joined([load_shards(folder) for folder in options.proposals])
    kept_aside = load_shards(options.validation)
    if len(proposals.labels) < options.batch:
        raise UsageError(
            f"--proposals hold {len(proposals.labels)}, too few for one batch of {options.batch}; give more, or a smaller --batch"
        )
    if not 0 < np.count_nonzero(kept_aside.labels < NOT_ONE_DIGIT) < len(kept_aside.labels):
        raise UsageError(f"{options.validation}: needs proposals that are a digit and some that are none; make more of them")
    network = ContextNetwork().to(device, memory_format=torch.channels_last)
    training = ContextTraining(network, device, options, proposals)
    history: list[dict[str, float]] = []
    if options.resume:
        history = training.restore(checkpoint.load(options.out))
    began = time.monotonic()
    for epoch in range(len(history), options.epochs):
        loss = training.run_epoch(epoch)
        row = {"epoch": epoch + 1, "loss": round(loss, 5), **training.validate(kept_aside)}
        print(" ".join(f"{name} {value}" for name, value in row.items()), f"{time.monotonic() - began:.0f} s", file=sys.stderr)
        history.append(row)
        checkpoint.save(options.out, training.state(history))
    record = {
        "network": "context",
        "parameters": count_parameters(network),
        **describe_commit(),
        "seed": options.seed,
        "machine": describe_machine(device),
        "settings": training.settings(),
        "proposals": {"count": len(proposals.labels), "pages": len(np.unique(proposals.pages))},
        "seconds": round(time.monotonic() - began, 1),
        "history": history,
    }
    write_record(options.out / RECORD_NAME, record)
    return ExitCode.OK


class ContextTraining:
    """The network, its averaged twin and its optimiser, and the proposals they learn from."""

    def __init__(self, network: ContextNetwork, device: torch.device, options: argparse.Namespace, proposals: Proposals) -> None:
        self.network, self.device, self.options, self.proposals = network, device, options, proposals
        self.average = copy.deepcopy(network).eval()
        self.steps = max(1, options.epochs * (len(proposals.labels) // options.batch))
        self.step = 0
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=0.02)
        self.bfloat16 = use_bfloat16("auto", device)

    def run_epoch(self, epoch: int) -> float:
        """All proposals once; returns the mean loss."""
        self.network.train()
        losses = []
        batches = self._batches(np.random.default_rng((self.options.seed, epoch)))
        total = len(self.proposals.labels) // self.options.batch
        for patches, answers, labels in tqdm(batches, total=total, desc=f"epoch {epoch + 1}", file=sys.stderr, mininterval=5.0):
            for group in self.optimiser.param_groups:
                group["lr"] = self.options.learning_rate * schedule(self.step / self.steps)
            logits = answers + self._forward(self.network, patches)
            loss = nn.functional.cross_entropy(logits, labels)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            self.step += 1
            self._follow()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _forward(self, network: nn.Module, patches: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            corrections: Tensor = network(patches.contiguous(memory_format=torch.channels_last))
        return corrections.float()

    def _batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        order = rng.permutation(len(self.proposals.labels))
        size = self.options.batch
        for start in range(0, len(order) - size + 1, size):
            chosen = np.sort(order[start : start + size])
            patches = varied(self.proposals.patches[chosen], rng)
            answers = weakened(self.proposals.log_probabilities[chosen].astype(np.float32), rng)
            labels = self.proposals.labels[chosen].astype(np.int64)
            yield (
                torch.from_numpy(patches).to(self.device),
                torch.from_numpy(answers).to(self.device),
                torch.from_numpy(labels).to(self.device),
            )

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        for mine, theirs in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1.0 - decay)
            else:
                mine.copy_(theirs)

    @torch.no_grad()
    def validate(self, proposals: Proposals) -> dict[str, float]:
        """Loss and errors in percent on proposals of pages kept aside, before and with the context."""
        logits = []
        for start in range(0, len(proposals.labels), VALIDATION_BATCH):
            patches = torch.from_numpy(proposals.patches[start : start + VALIDATION_BATCH].astype(np.float32) / 255.0)
            logits.append(self._forward(self.average, patches.to(self.device)).cpu().numpy())
        alone = proposals.log_probabilities.astype(np.float32)
        both = alone + np.concatenate(logits)
        return {**_figures("alone", alone, proposals.labels), **_figures("both", both, proposals.labels)}

    def settings(self) -> dict[str, Any]:
        """What a resumed run must have been started with."""
        chosen = {name: getattr(self.options, name) for name in ("epochs", "batch", "learning_rate", "seed")}
        return {**chosen, "proposals": len(self.proposals.labels), "bfloat16": self.bfloat16}

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


def varied(patches: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Patches as float32 0..1: shifted by up to two pixels, both channels with other contrast, the page with some noise.

    patches : uint8 (n, 2, h, w).
    """
    shifts = rng.integers(-MOST_SHIFT_PX, MOST_SHIFT_PX + 1, 2)
    moved = np.roll(patches, tuple(shifts), axis=(2, 3)).astype(np.float32) / 255.0
    contrast = rng.uniform(LEAST_CONTRAST, 1.3, (len(moved), 2, 1, 1)).astype(np.float32)
    moved *= contrast
    noise = rng.uniform(0, 0.06, (len(moved), 1, 1)).astype(np.float32)
    moved[:, 0] += noise * rng.standard_normal(moved[:, 0].shape, dtype=np.float32)
    return np.asarray(np.clip(moved, 0.0, 1.0), np.float32)


def weakened(answers: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The tile classifier's log-probabilities (n, 11), scaled down, noisy, and for some withheld."""
    scale = rng.uniform(WEAKEST, 1.0, (len(answers), 1)).astype(np.float32)
    scale[rng.random(len(answers)) < WITHHELD] = 0.0
    noise = (ANSWER_NOISE * rng.standard_normal(answers.shape)).astype(np.float32)
    return answers * scale + noise * (scale > 0)


def joined(parts: list[Proposals]) -> Proposals:
    """Several sets of proposals as one."""
    return Proposals(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Proposals.__slots__})


def _figures(name: str, logits: NDArray[np.float32], labels: NDArray[np.uint8]) -> dict[str, float]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    best, digits = logits.argmax(axis=1), labels < NOT_ONE_DIGIT
    return {
        f"{name}_loss": round(float(-log[np.arange(len(labels)), labels].mean()), 4),
        f"{name}_digits_wrong": round(100 * float((best != labels)[digits].mean()), 3),
        f"{name}_others_wrong": round(100 * float((best != labels)[~digits].mean()), 3),
    }


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.train_context", description="Train the context network on labelled proposals.")
    parser.add_argument(
        "--proposals",
        type=Path,
        action="append",
        required=True,
        metavar="DIR",
        help="shards of `python -m export.pages.proposals`; may be given again",
    )
    parser.add_argument("--validation", type=Path, required=True, metavar="DIR", help="shards of pages kept aside")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
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
