"""LeNet-5 on MNIST, then its dense layers trained on one writer's own digits: the usual way to personal handwriting.

Source: published coursework known by its settings. First phase: MNIST, SGD 0.05, batch 64, 20 epochs. Second phase: all
but the dense layers frozen, SGD 2e-4, batch 6, 1,000 epochs on ten own digits a class, judged on five a class, drawn
white on a black canvas of 512 x 512 pixels and squashed to 28 x 28. Its own digits: 70 % before, 77 % after.

Not told by the source and set here: ReLU and max pooling, no momentum, pixels 0..1. Written digits are set in the middle
of such a canvas (canvases.py). The split is drawn anew several times a writer, since 50 digits or fewer judge it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from edge_digits.errors import UsageError
from export.pictures import Panel, draw_panels
from export.reproduce.canvases import Canvases, by_tile_rule, load_drawn, place_written, resize_naively
from export.reproduce.fitting import Rows, accuracy_of, fit
from export.reproduce.judging import judge
from export.reproduce.mnist import Mnist, load_mnist
from export.reproduce.recipe import Recipe, Workbench

SETTINGS: Final[dict[str, Any]] = {
    "learning_rate": 0.05,
    "batch": 64,
    "epochs": 20,
    "own_learning_rate": 2e-4,
    "own_batch": 6,
    "own_epochs": 1000,
    "train_each": 10,
    "test_each": 5,
    "draws": 5,
}
SMOKE_OWN_EPOCHS: Final = 3
SHOWN_EPOCHS: Final = (1, 2, 3, 5, 10, 20, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
"""Rows of the accuracy table: the whole of a thousand is in the picture."""
DENSE: Final = "dense"


@dataclass(frozen=True, slots=True)
class OwnDigits:
    """One draw of a writer's digits, images uint8 (n, 28, 28) with labels uint8 (n,).

    train, test : squashed. ruled : the same as test, by the tile rule.
    """

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    ruled: tuple[Tensor, Tensor]


def build() -> nn.Sequential:
    """LeNet-5 as 28 x 28 pixels need it, 61,706 parameters; float32 (n, 1, 28, 28), ink 1, to logits (n, 10).

    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998.
    """
    body = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    )
    dense = nn.Sequential(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    return nn.Sequential(OrderedDict(body=body, dense=dense))


def run(bench: Workbench) -> dict[str, Any]:
    """Both phases; the second for every writer and draw, from the same first."""
    folders = find_writers(bench)
    drawn = _draws(bench, folders)
    mnist = load_mnist(bench)
    network = build()
    base_rows = _train_on_mnist(network, mnist, bench)
    base = {name: value.clone() for name, value in network.state_dict().items()}
    writers = {}
    curves: dict[str, Rows] = {}
    for name, draws in drawn.items():
        results = []
        for index, own in enumerate(draws):
            network.load_state_dict(base)
            rows, figures = _train_on_own(network, own, mnist, bench, f"{name}-{index + 1}")
            results.append(figures)
            curves.setdefault(name, rows)
        writers[name] = {**_mean(results), "draws": results}
    network.load_state_dict(base)
    _draw(bench.out, base_rows, curves)
    table = accuracy_table(base_rows, curves)
    (bench.out / "accuracy.md").write_text(table, encoding="utf-8")
    return {
        "judged": {"lenet5": judge(network, bench, "lenet5")},
        "mnist_by_epoch": base_rows,
        "writers": writers,
        "mean": _mean(list(writers.values())),
        "own_by_epoch": {name: [row for row in rows if row["epoch"] in SHOWN_EPOCHS] for name, rows in curves.items()},
    }


def squash(canvases: Canvases) -> OwnDigits:
    """Canvases as the network takes them."""
    train, test, ruled = (
        (torch.from_numpy(images), torch.from_numpy(labels))
        for images, labels in (
            (resize_naively(canvases.train_images), canvases.train_labels),
            (resize_naively(canvases.test_images), canvases.test_labels),
            (by_tile_rule(canvases.test_images), canvases.test_labels),
        )
    )
    return OwnDigits(train, test, ruled)


def find_writers(bench: Workbench) -> list[Path]:
    """The folders of the writers. Raises UsageError when there are none."""
    if bench.samples is not None:
        return [bench.samples]
    place = bench.writers
    if place is None and bench.data is not None:
        place = next((folder for folder in (bench.data / "personal", bench.data.resolve().parent / "personal") if folder.is_dir()), None)
    if place is None:
        raise UsageError("lenet5-transfer needs a writer's own digits; give their folder by --samples, or a folder of such by --writers")
    found = sorted(folder for folder in place.iterdir() if folder.is_dir())
    if not found:
        raise UsageError(f"{place}: holds no folders; give a folder with one folder 0 to 9 a writer by --writers")
    return found


def _draws(bench: Workbench, folders: list[Path]) -> dict[str, list[OwnDigits]]:
    """Own digits by writer; one draw where the writer's folder is split already."""
    result = {}
    for folder in folders:
        if (folder / "train").is_dir() or (folder / "test").is_dir():
            result[folder.name] = [squash(load_drawn(folder))]
        else:
            chances = [np.random.default_rng([bench.seed, draw]) for draw in range(bench.limit(SETTINGS["draws"], 1))]
            # Squashed one draw after the other: the canvases of all would fill hundreds of megabytes.
            result[folder.name] = [squash(each) for each in place_written(folder, SETTINGS["train_each"], SETTINGS["test_each"], chances)]
    return result


def _train_on_mnist(network: nn.Module, mnist: Mnist, bench: Workbench) -> Rows:
    optimiser = torch.optim.SGD(network.parameters(), lr=SETTINGS["learning_rate"])
    return fit(
        network,
        optimiser,
        (torch.from_numpy(mnist.train_images), torch.from_numpy(mnist.train_labels)),
        (torch.from_numpy(mnist.test_images), torch.from_numpy(mnist.test_labels)),
        epochs=bench.epoch_count(SETTINGS["epochs"], 4),
        batch=SETTINGS["batch"],
        bench=bench,
        phase="mnist",
    )


def _train_on_own(network: nn.Module, own: OwnDigits, mnist: Mnist, bench: Workbench, phase: str) -> tuple[Rows, dict[str, float]]:
    """The dense layers on one draw of a writer's digits; rows and figures."""
    # Batches of six: casting to bfloat16 costs more than it saves.
    bench = replace(bench, bfloat16=False)
    base = torch.from_numpy(mnist.test_images), torch.from_numpy(mnist.test_labels)
    before = {
        "own_before": accuracy_of(network, *own.test),
        "tile_rule_before": accuracy_of(network, *own.ruled),
        "mnist_before": accuracy_of(network, *base),
    }
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(DENSE))
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=SETTINGS["own_learning_rate"])
    epochs = bench.limit(SETTINGS["own_epochs"], SMOKE_OWN_EPOCHS) if bench.epochs is None else bench.epochs
    rows = fit(network, optimiser, own.train, own.test, epochs=epochs, batch=SETTINGS["own_batch"], bench=bench, phase=phase)
    after = {"own_after": accuracy_of(network, *own.test), "mnist_after": accuracy_of(network, *base)}
    figures = {
        **before,
        **after,
        "own_gain": after["own_after"] - before["own_before"],
        "mnist_loss": before["mnist_before"] - after["mnist_after"],
    }
    sizes = {"train": len(own.train[1]), "test": len(own.test[1])}
    return rows, {**sizes, **{name: round(value, 3) for name, value in figures.items()}}


def _mean(results: list[dict[str, Any]]) -> dict[str, float]:
    """The mean of every figure over draws or writers."""
    names = [name for name, value in results[0].items() if isinstance(value, (int, float))]
    return {name: round(float(np.mean([each[name] for each in results])), 3) for name in names}


def accuracy_table(base_rows: Rows, curves: dict[str, Rows]) -> str:
    """Accuracy by epoch of both phases as Markdown."""
    lines = ["| MNIST, epoch | loss | training % | test % |", "|---|---|---|---|"]
    lines += [f"| {row['epoch']} | {row['loss']:.4f} | {row['accuracy']:.2f} | {row['validation_accuracy']:.2f} |" for row in base_rows]
    lines += ["", "Own digits, the first draw of each writer, test %:", ""]
    lines += ["| own, epoch | " + " | ".join(curves) + " |", "|---|" + "---|" * len(curves)]
    for epoch in SHOWN_EPOCHS:
        cells = [[f"{row['validation_accuracy']:.1f}" for row in rows if row["epoch"] == epoch] for rows in curves.values()]
        if all(cells):
            lines.append(f"| {epoch} | " + " | ".join(cell[0] for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _draw(out: Path, base_rows: Rows, curves: dict[str, Rows]) -> None:
    loss = {"training": [row["loss"] for row in base_rows], "test": [row["validation_loss"] for row in base_rows]}
    panels = [Panel("MNIST", loss, "epoch", "cross-entropy", log=True)]
    for title, column, label in (
        ("own digits, training", "loss", "cross-entropy"),
        ("own digits, test", "validation_loss", "cross-entropy"),
        ("own digits, test", "validation_accuracy", "accuracy, %"),
    ):
        panels.append(Panel(title, {name: [row[column] for row in rows] for name, rows in curves.items()}, "epoch", label))
    draw_panels(out / "curves.png", panels, columns=2)


RECIPE: Final = Recipe(
    name="lenet5-transfer",
    title="LeNet-5 on MNIST, its dense layers then trained on one writer's own digits",
    source="published coursework: LeNet-5, then transfer to digits drawn on a 512 x 512 canvas",
    source_figures={"own_before": 70.0, "own_after": 77.0},
    settings=SETTINGS,
    run=run,
    takes_samples=True,
)
