"""Trains the string network on strips: `python -m export.train_strings --strips runs/strings.npz --epochs 12 --out runs/string`.

Strips of nearly one width form a batch, filled up with paper. The loss is that of connectionist temporal classification:
nobody has to say where a digit ends.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_digits.errors import ExitCode, UsageError
from edge_digits.paper.strips import STRIP_HEIGHT_PX
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.companion_training import CompanionTraining, add_training_options, check_training_options, prepare_device, run_command
from export.pages.proposals import load_shards
from export.string_network import BLANK, StringNetwork, greedy
from export.strings import NO_LABEL

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
    return run_command("train_strings", train, _parse(arguments))


def train(options: argparse.Namespace) -> ExitCode:
    """Train as the parsed options say; see main."""
    device = prepare_device(options)
    strips, validation = Strips.load(options.strips), Strips.load(options.validation)
    if len(strips.widths) < options.batch:
        raise UsageError(f"--strips hold {len(strips.widths)}, too few for one batch of {options.batch}; give more, or a smaller --batch")
    if not 0 < np.count_nonzero((validation.labels == NOT_ONE_DIGIT).any(axis=1)) < len(validation.widths):
        raise UsageError("--validation needs strips of digits alone and some with anything else; make more of them")
    network = StringNetwork()
    StringTraining(network.to(device, memory_format=torch.channels_last), device, options, strips, validation).run("string")
    return ExitCode.OK


class StringTraining(CompanionTraining):
    """The training of the string network, and the strips it learns from and is validated on."""

    examples = "strips"
    largest_gradient = 5.0

    def __init__(
        self, network: StringNetwork, device: torch.device, options: argparse.Namespace, strips: Strips, validation: Strips
    ) -> None:
        super().__init__(network, device, options, len(strips.widths))
        self.strips, self.validation = strips, validation

    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """See CompanionTraining."""
        for chosen in self._batches(rng):
            yield self._loss(self._logits(self.network, self.strips.batch(chosen)), chosen)

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
        return self.forward(network, inputs)

    def _loss(self, logits: Tensor, chosen: NDArray[np.intp]) -> Tensor:
        labels = self.strips.labels[chosen]
        lengths = (labels != NO_LABEL).sum(axis=1)
        targets = torch.from_numpy(labels[labels != NO_LABEL].astype(np.int64))
        columns = torch.full((len(chosen),), logits.shape[1], dtype=torch.long)
        log = torch.log_softmax(logits, dim=2).transpose(0, 1)
        return nn.functional.ctc_loss(log, targets, columns, torch.from_numpy(lengths), blank=BLANK, zero_infinity=True)

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
    add_training_options(parser, epochs=12, batch=128)
    options = parser.parse_args(arguments)
    check_training_options(parser, options)
    return options


if __name__ == "__main__":
    sys.exit(main())
