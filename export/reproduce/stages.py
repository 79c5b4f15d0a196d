"""Training that is looked at more than once: after the first epoch, as the source did, and at the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.pictures import Panel, draw_panels
from export.reproduce.fitting import Rows, fit, predict
from export.reproduce.judging import hits
from export.reproduce.mnist import Mnist, first_of_each_class, load_mnist
from export.reproduce.recipe import Workbench

NAMED: Final = "named_after_{}.npy"
"""What a network called the test digits after so many epochs: uint8 (n,)."""

SMOKE_TRAIN: Final = 200
SMOKE_TEST: Final = 100
"""Fewer than other reproductions take: one of the compared networks costs a hundredth of a second a digit."""


@dataclass(frozen=True, slots=True)
class Stages:
    """rows : a row an epoch, as `fit` gives them. named : epochs trained -> classes of the test digits, uint8 (n,)."""

    rows: Rows
    named: dict[int, NDArray[np.uint8]]

    def figures(self, labels: NDArray[np.uint8]) -> dict[str, Any]:
        """Accuracy and errors at each stage, and the rows. labels : uint8 (n,) of the test digits."""
        return {**{f"after_{epochs}": hits(named, labels) for epochs, named in self.named.items()}, "rows": self.rows}


def load_compared(bench: Workbench) -> Mnist:
    """MNIST; in a smoke run so few digits that VGG16 is through in seconds."""
    mnist = load_mnist(bench)
    if not bench.smoke:
        return mnist
    train, test = (
        first_of_each_class(labels, count) for labels, count in ((mnist.train_labels, SMOKE_TRAIN), (mnist.test_labels, SMOKE_TEST))
    )
    return Mnist(mnist.train_images[train], mnist.train_labels[train], mnist.test_images[test], mnist.test_labels[test])


def train_in_stages(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    *,
    epochs: int,
    batch: int,
    bench: Workbench,
) -> Stages:
    """One epoch, a look, the other epochs, a look: weights and optimiser go through, nothing is chosen by what is seen.

    train, test : as `fit` takes them. epochs : in all, > 0. Writes NAMED into the run folder at each look.
    """
    rows = list(fit(network, optimiser, train, test, epochs=1, batch=batch, bench=bench, phase="first_epoch"))
    named = {1: _look(network, test[0], bench, 1)}
    if epochs > 1:
        later = fit(network, optimiser, train, test, epochs=epochs - 1, batch=batch, bench=bench, phase="later_epochs")
        rows += [{**row, "epoch": row["epoch"] + 1} for row in later]
        named[epochs] = _look(network, test[0], bench, epochs)
    return Stages(rows, named)


def draw_stages(path: Path, rows: Rows) -> None:
    """Loss and accuracy by epoch, of training and test digits, as PNG. Raises MissingExtraError without matplotlib."""
    panels = [
        Panel("", {kind: [row[key] for row in rows] for kind, key in keys.items()}, "epoch", label, log=log)
        for label, log, keys in (
            ("loss", True, {"training": "loss", "test": "validation_loss"}),
            ("accuracy, %", False, {"training": "accuracy", "test": "validation_accuracy"}),
        )
    ]
    draw_panels(path, panels)


def _look(network: nn.Module, images: Tensor, bench: Workbench, epochs: int) -> NDArray[np.uint8]:
    named = predict(network, images, bfloat16=bench.bfloat16).astype(np.uint8)
    np.save(bench.out / NAMED.format(epochs), named)
    return named
