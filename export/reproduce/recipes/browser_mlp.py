"""browser-mlp: 784-128-64-64-10, the smaller network of a page that reads a drawn digit in the browser.

As published: three hidden layers of 128, 64 and 64 ReLU units; 96.7 % of the MNIST test digits. The source leaves out how it
trained: here Adam at 0.001, batches of 128, 20 epochs, pixels 0..1, nothing else. The ONNX file holds only what every backend
of onnxruntime-web runs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import torch
from torch import nn

from export.reproduce.browser import describe_for_browser
from export.reproduce.fitting import fit
from export.reproduce.judging import judge
from export.reproduce.mnist import load_mnist
from export.reproduce.recipe import Recipe, Workbench
from export.reproduce.stages import draw_stages

NAME: Final = "browser-mlp"

SETTINGS: Final[dict[str, Any]] = {"optimiser": "Adam", "learning_rate": 1e-3, "batch": 128, "epochs": 20}


def build() -> nn.Sequential:
    """float32 (n, 1, 28, 28), ink 1 and paper 0, to logits (n, 10)."""
    hidden = [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, 10))


def run(bench: Workbench) -> dict[str, Any]:
    """Train, judge, and see that a browser can run the file."""
    mnist = load_mnist(bench)
    network = build().to(bench.device)
    train = torch.from_numpy(mnist.train_images), torch.from_numpy(mnist.train_labels)
    test = torch.from_numpy(mnist.test_images), torch.from_numpy(mnist.test_labels)
    optimiser = torch.optim.Adam(network.parameters(), lr=SETTINGS["learning_rate"])
    epochs = bench.epoch_count(SETTINGS["epochs"], smoke=2)
    # Too small to gain by bfloat16.
    exact = replace(bench, bfloat16=False)
    rows = fit(network, optimiser, train, test, epochs=epochs, batch=SETTINGS["batch"], bench=exact, phase="training")
    draw_stages(bench.out / "curves.png", rows)
    judged = {NAME: judge(network, bench, NAME)}
    return {"rows": rows, "judged": judged, "browser": describe_for_browser(bench.out / f"{NAME}.float.onnx")}


RECIPE: Final = Recipe(
    name=NAME,
    title="784-128-64-64-10, small enough for any browser",
    source="a page that reads a drawn digit in the browser; layers and figure as published",
    source_figures={"mnist": 96.7},
    settings=SETTINGS,
    run=run,
)
