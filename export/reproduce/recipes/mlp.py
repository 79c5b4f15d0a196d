"""The first network of nearly every course, 784-128-10, trained far beyond the point where it stops to get better.

Source: the beginner's tutorial as found in many courses: one hidden layer of 128 ReLU units, Adam with its default rate of
1e-3, batch 32 (1,875 steps an epoch, so all 60,000 digits train and the 10,000 test digits are the validation set), pixels
0..1. Trained for 5, 20, 50 and 200 epochs to show overfitting. The source states no accuracy.

One run of 200 epochs gives the rows of all four, since the rate is constant and a shorter run is its beginning. Two
variants of 50 epochs show what helps: dropout of 0.2 behind the hidden layer, and digits that are turned, scaled and moved
a little.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from export.pictures import Panel, draw_panels
from export.reproduce.fitting import Rows, as_input, fit
from export.reproduce.judging import judge
from export.reproduce.mnist import Mnist, load_mnist
from export.reproduce.recipe import Recipe, Workbench

SETTINGS: Final[dict[str, Any]] = {
    "hidden": 128,
    "learning_rate": 1e-3,
    "batch": 32,
    "epochs": 200,
    "variant_epochs": 50,
    "dropout": 0.2,
    "rotation_deg": 12.0,
    "scale": 0.1,
    "shift_px": 2.0,
}
MILESTONES: Final = (5, 20, 50, 200)
VARIANTS: Final = ("plain", "dropout", "augmented")
_HALF_SIDE_PX: Final = 14.0


def build(dropout: float = 0.0) -> nn.Sequential:
    """101,770 parameters; float32 (n, 1, 28, 28), ink 1, to logits (n, 10)."""
    middle: list[nn.Module] = [nn.Linear(784, SETTINGS["hidden"]), nn.ReLU()]
    if dropout:
        middle.append(nn.Dropout(dropout))
    return nn.Sequential(nn.Flatten(), *middle, nn.Linear(SETTINGS["hidden"], 10))


def move_a_little(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each digit turned, scaled and moved by its own draw.

    images : uint8 (n, 28, 28). Returns float32 (n, 1, 28, 28), ink 1.
    """
    draw = torch.rand(4, len(images), generator=generator, device=images.device) * 2.0 - 1.0
    angle = draw[0] * math.radians(SETTINGS["rotation_deg"])
    scale = 1.0 + draw[1] * SETTINGS["scale"]
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    shift = draw[2:] * (SETTINGS["shift_px"] / _HALF_SIDE_PX)
    matrices = torch.stack([torch.stack([cos, -sin, shift[0]], 1), torch.stack([sin, cos, shift[1]], 1)], 1)
    inputs = as_input(images)
    grid = nn.functional.affine_grid(matrices, list(inputs.shape), align_corners=False)
    return nn.functional.grid_sample(inputs, grid, align_corners=False)


def run(bench: Workbench) -> dict[str, Any]:
    """The plain network and its two variants, each judged with its last weights."""
    # A step takes some 200 microseconds: casting to bfloat16 would cost more than it saves.
    bench = dataclasses.replace(bench, bfloat16=False)
    mnist = load_mnist(bench)
    rows, judged = {}, {}
    for variant in VARIANTS:
        network = build(SETTINGS["dropout"] if variant == "dropout" else 0.0)
        rows[variant] = _train(network, mnist, bench, variant)
        judged[f"mlp-{variant}"] = judge(network, bench, f"mlp-{variant}")
    reached = [epoch for epoch in MILESTONES if epoch <= len(rows["plain"])] or [len(rows["plain"])]
    table = {variant: [each[epoch - 1] for epoch in reached if epoch <= len(each)] for variant, each in rows.items()}
    (bench.out / "epochs.md").write_text(epochs_table(table), encoding="utf-8")
    _draw(bench.out, rows, reached)
    return {"judged": judged, "by_epochs": table, "best_epoch": {variant: _best(each) for variant, each in rows.items()}}


def _train(network: nn.Module, mnist: Mnist, bench: Workbench, variant: str) -> Rows:
    network.to(bench.device)
    # One kernel for all parameters: for so small a network Adam costs as much as the network itself.
    optimiser = torch.optim.Adam(network.parameters(), lr=SETTINGS["learning_rate"], fused=True)
    return fit(
        network,
        optimiser,
        (torch.from_numpy(mnist.train_images), torch.from_numpy(mnist.train_labels)),
        (torch.from_numpy(mnist.test_images), torch.from_numpy(mnist.test_labels)),
        epochs=bench.epoch_count(SETTINGS["epochs" if variant == "plain" else "variant_epochs"], 6),
        batch=SETTINGS["batch"],
        bench=bench,
        phase=variant,
        prepare=move_a_little if variant == "augmented" else None,
    )


def _best(rows: Rows) -> dict[str, float]:
    """Where the loss on the validation set is least: told to show overfitting, no weights are taken from there."""
    best = min(rows, key=lambda row: row["validation_loss"])
    return {"epoch": best["epoch"], "validation_loss": best["validation_loss"], "validation_accuracy": best["validation_accuracy"]}


def epochs_table(table: dict[str, Rows]) -> str:
    """The rows of the milestones of every variant as Markdown."""
    lines = ["| network | epochs | training loss | validation loss | training % | validation % |", "|---|---|---|---|---|---|"]
    for variant, rows in table.items():
        for row in rows:
            figures = f"{row['loss']:.4f} | {row['validation_loss']:.4f} | {row['accuracy']:.2f} | {row['validation_accuracy']:.2f}"
            lines.append(f"| {variant} | {row['epoch']} | {figures} |")
    return "\n".join(lines) + "\n"


def _draw(out: Path, rows: dict[str, Rows], reached: list[int]) -> None:
    """curves.png: loss and accuracy of every variant. overfitting.png: the plain network after each number of epochs."""
    panels = []
    for column, label, log in (("loss", "cross-entropy", True), ("accuracy", "accuracy, %", False)):
        for variant, each in rows.items():
            curves = {"training": [row[column] for row in each], "validation": [row[f"validation_{column}"] for row in each]}
            panels.append(Panel(variant, curves, "epoch", label, log))
    draw_panels(out / "curves.png", panels)
    plain = [
        Panel(
            f"plain, {epochs} epochs",
            {
                name: [row[column] for row in rows["plain"][:epochs]]
                for name, column in (("training", "loss"), ("validation", "validation_loss"))
            },
            "epoch",
            "cross-entropy",
            log=True,
        )
        for epochs in reached
    ]
    draw_panels(out / "overfitting.png", plain, columns=2)


RECIPE: Final = Recipe(
    name="mlp",
    title="784-128-10 with Adam for 5, 20, 50 and 200 epochs: overfitting, and what dropout and augmentation change",
    source="the beginner's tutorial of many courses, 784-128-10; it states no figure",
    source_figures={},
    settings=SETTINGS,
    run=run,
)
