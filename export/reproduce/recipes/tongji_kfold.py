"""Five-fold cross-validation of a broad two-layer CNN, on MNIST alone and together with Chinese writers.

Source: a course project at Tongji University, whose question is ours too: does a network that knows MNIST read digits as they
are written in China? Its settings, all in SETTINGS: conv 5x5 128, pool, dropout 0.3, conv 5x5 256, pool, dropout of whole
channels 0.4, dense 4096-64-32-10, Adam at 0.001, 10 epochs, 5 folds. Its figures on Chinese digits: 95.25 % after MNIST alone,
98.36 % after both. Size of a batch and activation are not told; 64 and ReLU stand for them.

Its own photographs are not public. In their place stand the Chinese writers of Chen-MNIST, of whom a fifth, by hash of the
picture, is in no fold (export/data/folder.py), and the digits of own sheets, where `python -m export.cut_sheet` has put some
into DATA/sheets: those train with the Chinese ones and are never judged on.

Both ways have the same folds of MNIST. A picture that occurs twice is on one side of every fold. Figures are means over the
five networks with the standard deviation; every network is judged on digits that it never saw, and none is chosen by them.
The network that goes on to the common judge is that of the last fold, whatever it reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.data.collect import find_data
from export.data.folder import DataError, load_chen
from export.data.glyphs import GlyphSet
from export.data.homes import HOMES_WITHOUT_CHECKSUM
from export.data.sheets import load_sheets
from export.holdouts import tiles_of
from export.pictures import Panel, draw_confusion, draw_panels
from export.reproduce.fitting import Rows, fit, predict
from export.reproduce.folds import Fold, deal_folds
from export.reproduce.judging import judge
from export.reproduce.mnist import first_of_each_class, load_mnist
from export.reproduce.recipe import Recipe, Workbench

SETTINGS: Final[dict[str, Any]] = {
    "channels": [128, 256],
    "kernel": 5,
    "dropout": 0.3,
    "channel_dropout": 0.4,
    "dense": [64, 32],
    "learning_rate": 1e-3,
    "epochs": 10,
    "batch": 64,
    "folds": 5,
}
WAYS: Final = {"alone": "MNIST alone", "chinese": "MNIST and Chinese writers"}
SHEETS_FOLDER: Final = "sheets"
SMOKE_FOLDS: Final = 2
SMOKE_DIGITS: Final = 100

Pictures = NDArray[np.uint8]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Digits:
    """images : uint8 (n, 28, 28), ink 255 and paper 0. labels : uint8 (n,), 0..9."""

    images: Pictures
    labels: Labels

    def take(self, indices: NDArray[np.int64]) -> Digits:
        """The digits of these indices."""
        return Digits(self.images[indices], self.labels[indices])

    def tensors(self) -> tuple[Tensor, Tensor]:
        """Both as torch has them."""
        return torch.from_numpy(self.images), torch.from_numpy(self.labels)


@dataclass(frozen=True, slots=True)
class Material:
    """What trains, by origin, and what is judged on."""

    training: dict[str, Digits]
    mnist_test: Digits
    chinese_holdout: Digits

    def parts(self, way: str) -> list[Digits]:
        """What trains in a way of WAYS."""
        return [digits for name, digits in self.training.items() if way == "chinese" or name == "mnist"]


class TongjiNetwork(nn.Sequential):
    """float32 (n, 1, 28, 28) to logits (n, 10); 1,087,402 parameters, three quarters of them in the second convolution."""

    def __init__(self) -> None:
        first, second = SETTINGS["channels"]
        dense = SETTINGS["dense"]
        # 28 - 4 = 24, halved 12, - 4 = 8, halved 4: the source's 4096 are 256 channels of 4x4.
        super().__init__(
            nn.Conv2d(1, first, SETTINGS["kernel"]),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(SETTINGS["dropout"]),
            nn.Conv2d(first, second, SETTINGS["kernel"]),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout2d(SETTINGS["channel_dropout"]),
            nn.Flatten(),
            nn.Linear(second * 16, dense[0]),
            nn.ReLU(),
            nn.Linear(dense[0], dense[1]),
            nn.ReLU(),
            nn.Linear(dense[1], 10),
        )


def run(bench: Workbench) -> dict[str, Any]:
    """Train ten networks, five a way, draw their losses and mistakes, judge the last of each way."""
    material = load_material(bench)
    figures: dict[str, Any] = {
        "epochs": {"run": bench.epoch_count(SETTINGS["epochs"]), "source": SETTINGS["epochs"]},
        "digits": {
            **{name: len(digits.labels) for name, digits in material.training.items()},
            "mnist_test": len(material.mnist_test.labels),
            "chinese_holdout": len(material.chinese_holdout.labels),
        },
    }
    judged: dict[str, Any] = {}
    panels = []
    for way, title in WAYS.items():
        figures[way], histories, last = cross_validate(way, material, bench)
        panels.append(Panel(title, _loss_curves(histories), "epoch", "cross-entropy", log=True))
        judged[f"{RECIPE.name}-{way}"] = _judged(judge(last, bench, f"{RECIPE.name}-{way}"), way)
    draw_panels(bench.out / "losses.png", panels, columns=2)
    gain = figures["chinese"]["mean"]["chinese_holdout"] - figures["alone"]["mean"]["chinese_holdout"]
    figures["gain_on_chinese"] = round(gain, 3)
    return {**figures, "judged": judged}


def load_material(bench: Workbench) -> Material:
    """MNIST, and the Chinese writers with their held-out fifth; a hundred of each in a smoke run.

    Pixels are the published ones. Raises DataError without chen_mnist: no home publishes a checksum to fetch it by.
    """
    folder = find_data(bench.data)
    if not (folder / "chen_mnist").is_dir():
        home = HOMES_WITHOUT_CHECKSUM["chen_mnist"]
        raise DataError(
            f"{folder / 'chen_mnist'}: not there; put the digits of {home} into chen_mnist.npz in it: "
            "images uint8 (n, 28, 28), dark on light, and labels; give the folder above by --data"
        )
    mnist = load_mnist(bench)
    training = {
        "mnist": Digits(mnist.train_images, mnist.train_labels),
        "chinese": _digits(load_chen(folder, "train")),
    }
    if (folder / SHEETS_FOLDER).is_dir():
        sheets = load_sheets(folder / SHEETS_FOLDER)
        training[SHEETS_FOLDER] = Digits(tiles_of(sheets), sheets.labels)
    test, holdout = Digits(mnist.test_images, mnist.test_labels), _digits(load_chen(folder, "holdout"))
    if bench.smoke:
        training = {name: _few(digits) for name, digits in training.items()}
        test, holdout = _few(test), _few(holdout)
    return Material(training, test, holdout)


def cross_validate(way: str, material: Material, bench: Workbench) -> tuple[dict[str, Any], list[Rows], nn.Module]:
    """Train and judge one network a fold. Returns the figures, each fold's rows, and the last fold's network."""
    parts = material.parts(way)
    everything = Digits(np.concatenate([each.images for each in parts]), np.concatenate([each.labels for each in parts]))
    folds = deal_folds([(each.images, each.labels) for each in parts], bench.limit(SETTINGS["folds"], SMOKE_FOLDS), bench.seed)
    unseen = {"mnist_test": material.mnist_test, "chinese_holdout": material.chinese_holdout}
    confusions = {name: np.zeros((10, 10), np.int64) for name in ("folds", *unseen)}
    rows: list[dict[str, float]] = []
    histories: list[Rows] = []
    network: nn.Module = nn.Identity()
    for number, fold in enumerate(folds, start=1):
        network, history = _train_fold(way, number, fold, everything, bench)
        histories.append(history)
        judged_on = {"folds": everything.take(fold.validation), **unseen}
        matrices = {name: confusion_of(network, digits, bench) for name, digits in judged_on.items()}
        for name, matrix in matrices.items():
            confusions[name] += matrix
        rows.append({"fold": number, **{name: _accuracy(matrix) for name, matrix in matrices.items()}})
        bench.tell(f"{WAYS[way]}, fold {number}: " + ", ".join(f"{name} {_accuracy(matrix)} %" for name, matrix in matrices.items()))
    draw_confusion(bench.out / f"confusion-{way}.png", confusions["chinese_holdout"], f"{WAYS[way]}: Chinese digits, all folds together")
    figures = {**_summary(rows), "confusion": {name: _rows_of(matrix) for name, matrix in confusions.items()}}
    return {**figures, "losses": [_losses(history) for history in histories]}, histories, network


def confusion_of(network: nn.Module, digits: Digits, bench: Workbench) -> NDArray[np.int64]:
    """int64 (10, 10), rows written, columns named."""
    matrix = np.zeros((10, 10), np.int64)
    np.add.at(matrix, (digits.labels, predict(network, torch.from_numpy(digits.images), bfloat16=bench.bfloat16)), 1)
    return matrix


def _train_fold(way: str, number: int, fold: Fold, everything: Digits, bench: Workbench) -> tuple[nn.Module, Rows]:
    # A seed a fold, the same in both ways: a resumed run starts each fold as an uninterrupted one.
    torch.manual_seed(1000 * bench.seed + number)
    network = TongjiNetwork()
    optimiser = torch.optim.Adam(network.parameters(), lr=SETTINGS["learning_rate"])
    rows = fit(
        network,
        optimiser,
        everything.take(fold.training).tensors(),
        everything.take(fold.validation).tensors(),
        epochs=bench.epoch_count(SETTINGS["epochs"]),
        batch=SETTINGS["batch"],
        bench=bench,
        phase=f"{way}-fold{number}",
    )
    return network, rows


def _summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Each fold's figures, their mean and standard deviation; percent."""
    names = [name for name in rows[0] if name != "fold"]
    values = {name: np.array([row[name] for row in rows]) for name in names}
    return {
        "folds": rows,
        "mean": {name: round(float(each.mean()), 3) for name, each in values.items()},
        "deviation": {name: round(float(each.std(ddof=1)), 3) for name, each in values.items()},
    }


def _losses(history: Rows) -> dict[str, list[float]]:
    return {name: [row[name] for row in history] for name in ("loss", "validation_loss")}


def _loss_curves(histories: list[Rows]) -> dict[str, list[float]]:
    curves: dict[str, list[float]] = {}
    for number, history in enumerate(histories, start=1):
        losses = _losses(history)
        curves[f"fold {number}"] = losses["loss"]
        curves[f"fold {number}, left out"] = losses["validation_loss"]
    return curves


def _rows_of(matrix: NDArray[np.int64]) -> list[str]:
    """A matrix as text, one row written 0 to 9 a line, for a record that people read."""
    return [" ".join(str(count) for count in row) for row in matrix]


def _judged(figures: dict[str, Any], way: str) -> dict[str, Any]:
    """The judge's figures; to a network that has trained on these Chinese writers their hold-out is not zero-shot."""
    if way == "alone":
        return figures
    far = dict(figures["zero_shot"])
    near = {"chen_holdout": far.pop("chen_holdout")} if "chen_holdout" in far else {}
    return {**figures, "zero_shot": far, "writers_met": near}


def _accuracy(matrix: NDArray[np.int64]) -> float:
    return round(100.0 * float(np.trace(matrix)) / max(int(matrix.sum()), 1), 3)


def _digits(glyphs: GlyphSet) -> Digits:
    return Digits(np.array(glyphs.glyphs, np.uint8), glyphs.labels)


def _few(digits: Digits) -> Digits:
    return digits.take(first_of_each_class(digits.labels, SMOKE_DIGITS))


RECIPE: Final = Recipe(
    name="tongji-kfold",
    title="broad CNN in five folds, MNIST alone and with Chinese writers (Tongji course project)",
    source="course project at Tongji University: digits of MNIST and of Chinese writers, photographed and cut by hand",
    source_figures={"chinese_after_mnist_alone": 95.25, "chinese_after_both": 98.36},
    settings=SETTINGS,
    run=run,
)
