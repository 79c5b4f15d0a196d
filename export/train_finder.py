"""Trains the finder network on parts of generated pages and of real ones.

python -m export.train_finder --crops runs/crops-1 --crops runs/crops-real --validation runs/crops-val --out runs/finder
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_digits.errors import ExitCode, UsageError
from edge_digits.recognition.companions import CELL_PX
from edge_digits.recognition.weights import LABELS
from export.companion_training import CompanionTraining, add_training_options, check_training_options, prepare_device, run_command
from export.finder_network import FinderNetwork, stroke_logits
from export.pages.crops import NO_DIGIT, OPEN, Crops, joined, load_crops

INKED: Final = 50
"""Pixels darker than this count fully; bare paper, of which there is most and where little can be learnt, counts PAPER_WEIGHT."""
PAPER_WEIGHT: Final = 0.03
CELL_WEIGHT: Final = 8.0
SIZE_WEIGHT: Final = 0.3
VALIDATION_BATCH: Final = 64
MOVED_SHARE: Final = 0.7
SCALE, ASPECT, SHEAR, TURN_DEG, SHIFT_PX = 0.2, 0.12, 0.25, 5.0, 12.0
"""So many of the crops are shown otherwise each time: larger or smaller, stretched (natural logarithms), slanted, turned, shifted."""
TURNED_SHARE: Final = 0.4
"""Of the crops that show no digit, so many lie on a side or upside down: a letter that lies so is still none, whatever it looks like."""


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    return run_command("train_finder", train, _parse(arguments))


def train(options: argparse.Namespace) -> ExitCode:
    """Train as the parsed options say; see main."""
    device = prepare_device(options)
    crops = joined([load_crops(folder) for folder in options.crops])
    kept_aside = load_crops(options.validation)
    if len(crops.pictures) < options.batch:
        raise UsageError(f"--crops hold {len(crops.pictures)}, too few for one batch of {options.batch}; give more, or a smaller --batch")
    if not np.count_nonzero(kept_aside.strokes == 1):
        raise UsageError(f"{options.validation}: shows no digit; make more crops")
    network = FinderNetwork()
    FinderTraining(network.to(device, memory_format=torch.channels_last), device, options, crops, kept_aside).run("finder")
    return ExitCode.OK


class FinderTraining(CompanionTraining):
    """The training of the finder network, and the parts of pages it learns from and is validated on."""

    examples = "crops"

    def __init__(self, network: FinderNetwork, device: torch.device, options: argparse.Namespace, crops: Crops, kept_aside: Crops) -> None:
        super().__init__(network, device, options, len(crops.pictures))
        self.crops, self.kept_aside = crops, kept_aside

    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """See CompanionTraining."""
        order, size = rng.permutation(len(self.crops.pictures)), self.options.batch
        for start in range(0, len(order) - size + 1, size):
            chosen = np.sort(order[start : start + size])
            crops = moved(turned(part(self.crops, chosen), rng), rng)
            pictures = torch.from_numpy(varied(crops.pictures, rng)).to(self.device)
            yield sum(loss_parts(self.forward(self.network, pictures), crops).values(), torch.zeros(()))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Losses on what was kept aside, and percent of stroke pixels of digits missed and of other ink taken for a digit's."""
        totals: dict[str, float] = {}
        crops = self.kept_aside
        for start in range(0, len(crops.pictures), VALIDATION_BATCH):
            shown = part(crops, np.arange(start, min(start + VALIDATION_BATCH, len(crops.pictures))))
            maps = self.forward(self.average, torch.from_numpy(shown.pictures[:, None].astype(np.float32) / 255.0).to(self.device))
            for name, value in loss_parts(maps, shown).items():
                totals[name] = totals.get(name, 0.0) + float(value) * len(shown.pictures)
            found, meant, inked = (stroke_logits(maps) > 0).cpu().numpy(), shown.strokes, shown.pictures > INKED
            best, cells = maps[:, CELL_PX**2 : CELL_PX**2 + len(LABELS)].argmax(1).cpu().numpy(), shown.cells
            counts = {
                "missed": (~found & (meant == 1)).sum(),
                "strokes": (meant == 1).sum(),
                "false": (found & inked & (meant == 0)).sum(),
                "others": (inked & (meant == 0)).sum(),
                "cells_wrong": ((best != cells) & (cells < NO_DIGIT)).sum(),
                "cells": (cells < NO_DIGIT).sum(),
            }
            for name, value in counts.items():
                totals[name] = totals.get(name, 0.0) + float(value)
        count = len(crops.pictures)
        return {
            **{name: round(totals[name] / count, 4) for name in ("stroke_loss", "cell_loss", "size_loss")},
            "strokes_missed": round(100 * totals["missed"] / totals["strokes"], 3),
            "others_taken": round(100 * totals["false"] / max(1.0, totals["others"]), 3),
            "cells_wrong": round(100 * totals["cells_wrong"] / max(1.0, totals["cells"]), 3),
        }


def loss_parts(maps: Tensor, crops: Crops) -> dict[str, Tensor]:
    """The parts of the loss, weighted: which ink is a digit's, which digit has its middle where, how large it is.

    maps : (n, 29, 32, 32) of these crops.
    """
    strokes = torch.from_numpy(crops.strokes).to(maps.device)
    inked = torch.from_numpy(crops.pictures).to(maps.device) > INKED
    weights = torch.where(inked | (strokes == 1), 1.0, PAPER_WEIGHT) * (strokes != OPEN)
    errors = nn.functional.binary_cross_entropy_with_logits(stroke_logits(maps), (strokes == 1).float(), reduction="none")
    cells = torch.from_numpy(crops.cells.astype(np.int64)).to(maps.device)
    classes = maps[:, CELL_PX**2 : CELL_PX**2 + len(LABELS)]
    cell_errors = nn.functional.cross_entropy(classes, cells, ignore_index=OPEN)
    sizes = torch.log(torch.from_numpy(crops.sizes.astype(np.float32)).to(maps.device).clamp(min=1.0) / CELL_PX)
    is_digit = (cells < NO_DIGIT)[:, None]
    size_errors = (maps[:, CELL_PX**2 + len(LABELS) :] - sizes).abs() * is_digit
    return {
        "stroke_loss": (errors * weights).sum() / weights.sum().clamp(min=1.0),
        "cell_loss": CELL_WEIGHT * cell_errors,
        "size_loss": SIZE_WEIGHT * size_errors.sum() / (2 * is_digit.sum()).clamp(min=1.0),
    }


def part(crops: Crops, chosen: NDArray[np.intp]) -> Crops:
    """The crops with these indices."""
    return Crops(crops.pictures[chosen], crops.strokes[chosen], crops.cells[chosen], crops.sizes[chosen])


def turned(crops: Crops, rng: np.random.Generator) -> Crops:
    """The same crops, TURNED_SHARE of those without any digit turned by one to three quarters."""
    result = part(crops, np.arange(len(crops.pictures)))
    bare = (crops.strokes == 0).all(axis=(1, 2)) & (crops.cells == NO_DIGIT).all(axis=(1, 2))
    for i in np.flatnonzero(bare & (rng.random(len(bare)) < TURNED_SHARE)):
        result.pictures[i] = np.rot90(result.pictures[i], int(rng.integers(1, 4)))
    return result


def moved(crops: Crops, rng: np.random.Generator) -> Crops:
    """The same crops, MOVED_SHARE of them seen otherwise, with what their pixels and cells mean; what comes in at the sides is bare."""
    result = part(crops, np.arange(len(crops.pictures)))
    for i in np.flatnonzero(rng.random(len(result.pictures)) < MOVED_SHARE):
        stretch = np.exp(rng.uniform(-SCALE, SCALE) + rng.uniform(-ASPECT, ASPECT) * np.array([1.0, -1.0]))
        turn, shift = np.radians(rng.uniform(-TURN_DEG, TURN_DEG)), rng.uniform(-SHIFT_PX, SHIFT_PX, 2)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        linear = rotation @ np.array([[1.0, rng.uniform(-SHEAR, SHEAR)], [0.0, 1.0]]) @ np.diag(stretch)
        result.pictures[i] = _warped(result.pictures[i], linear, shift, cv2.INTER_LINEAR)
        result.strokes[i] = _warped(result.strokes[i], linear, shift)
        result.cells[i] = _warped(result.cells[i], linear, shift / CELL_PX, bare=NO_DIGIT)
        for axis, factor in enumerate(stretch[::-1]):
            sizes = _warped(result.sizes[i, axis], linear, shift / CELL_PX)
            result.sizes[i, axis] = np.clip(np.rint(sizes * factor), 0, 255)
    return result


def _warped(
    picture: NDArray[np.uint8], linear: NDArray[np.float64], shift: NDArray[np.float64], way: int = cv2.INTER_NEAREST, bare: int = 0
) -> NDArray[np.uint8]:
    """The picture moved about its middle: `linear` (2, 2), then `shift` in its pixels; `bare` comes in from outside."""
    middle = (np.array(picture.shape[::-1]) - 1) / 2
    matrix = np.column_stack([linear, middle + shift - linear @ middle])
    return np.asarray(cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=way, borderValue=(bare,)), np.uint8)


def varied(pictures: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Crops (n, h, w) as float32 (n, 1, h, w), 0..1: with other contrast and some noise."""
    contrast = rng.uniform(0.5, 1.4, (len(pictures), 1, 1)).astype(np.float32) / np.float32(255.0)
    noise = rng.uniform(0, 0.05, (len(pictures), 1, 1)).astype(np.float32)
    changed = pictures.astype(np.float32) * contrast + noise * rng.standard_normal(pictures.shape, dtype=np.float32)
    return np.asarray(np.clip(changed, 0.0, 1.0), np.float32)[:, None]


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.train_finder", description="Train the finder network on parts of pages.")
    parser.add_argument(
        "--crops",
        type=Path,
        action="append",
        required=True,
        metavar="DIR",
        help="shards of `python -m export.pages.crops`; may be given again",
    )
    parser.add_argument("--validation", type=Path, required=True, metavar="DIR", help="shards of pages kept aside")
    add_training_options(parser, epochs=8, batch=32)
    options = parser.parse_args(arguments)
    check_training_options(parser, options)
    return options


if __name__ == "__main__":
    sys.exit(main())
