"""Trains the context network on labelled proposals of generated pages.

    python -m export.train_context --proposals runs/proposals --epochs 20 --seed 1 --out runs/context

The tile classifier was trained on the same digits that stand on the generated pages, and is surer of them than of any on real
paper. What it said is therefore weakened at random, and now and then withheld: the network learns to judge by itself too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_digits.errors import ExitCode, UsageError
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.companion_training import CompanionTraining, add_training_options, check_training_options, prepare_device, run_command
from export.context_network import ContextNetwork
from export.pages.proposals import Proposals, load_shards

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
    return run_command("train_context", train, _parse(arguments))


def train(options: argparse.Namespace) -> ExitCode:
    """Train as the parsed options say; see main."""
    device = prepare_device(options)
    proposals = joined([load_shards(folder) for folder in options.proposals])
    kept_aside = load_shards(options.validation)
    if len(proposals.labels) < options.batch:
        raise UsageError(
            f"--proposals hold {len(proposals.labels)}, too few for one batch of {options.batch}; give more, or a smaller --batch"
        )
    if not 0 < np.count_nonzero(kept_aside.labels < NOT_ONE_DIGIT) < len(kept_aside.labels):
        raise UsageError(f"{options.validation}: needs proposals that are a digit and some that are none; make more of them")
    network = ContextNetwork().to(device, memory_format=torch.channels_last)
    pages = {"count": len(proposals.labels), "pages": len(np.unique(proposals.pages))}
    ContextTraining(network, device, options, proposals, kept_aside).run("context", {"proposals": pages})
    return ExitCode.OK


class ContextTraining(CompanionTraining):
    """The training of the context network, and the proposals it learns from and is validated on."""

    examples = "proposals"

    def __init__(
        self, network: ContextNetwork, device: torch.device, options: argparse.Namespace, proposals: Proposals, kept_aside: Proposals
    ) -> None:
        super().__init__(network, device, options, len(proposals.labels))
        self.proposals, self.kept_aside = proposals, kept_aside

    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """See CompanionTraining."""
        for patches, answers, labels in self._batches(rng):
            yield nn.functional.cross_entropy(answers + self.forward(self.network, patches), labels)

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
    def validate(self) -> dict[str, float]:
        """Loss and errors in percent on proposals of pages kept aside, before and with the context."""
        logits, proposals = [], self.kept_aside
        for start in range(0, len(proposals.labels), VALIDATION_BATCH):
            patches = torch.from_numpy(proposals.patches[start : start + VALIDATION_BATCH].astype(np.float32) / 255.0)
            logits.append(self.forward(self.average, patches.to(self.device)).cpu().numpy())
        alone = proposals.log_probabilities.astype(np.float32)
        both = alone + np.concatenate(logits)
        return {**_figures("alone", alone, proposals.labels), **_figures("both", both, proposals.labels)}


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
    add_training_options(parser, epochs=20, batch=256)
    options = parser.parse_args(arguments)
    check_training_options(parser, options)
    return options


if __name__ == "__main__":
    sys.exit(main())
