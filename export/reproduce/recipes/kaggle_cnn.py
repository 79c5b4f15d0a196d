"""kaggle-cnn: the network of the best known Kaggle notebook on digits, after one epoch and after ten.

As published: 32 and 32 filters 5x5, pooling, dropout 0.25; 64 and 64 filters 3x3, pooling, dropout 0.25; 256 dense,
dropout 0.5; 10. A comparison with the frozen VGG16 (vgg16_frozen.py) gives 98.95 % of the MNIST test digits after one
epoch. It leaves out how it trained; so that is taken from the notebook: same padding, pixels 0..1, RMSprop at 0.001
with rho 0.9 and epsilon 1e-8, batches of 86, weights that start as those of Keras. The notebook's augmentation and its
falling rate belong to 30 epochs and are left out.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

from export.reproduce.compare import compare_with
from export.reproduce.judging import judge
from export.reproduce.recipe import Recipe, Workbench
from export.reproduce.stages import draw_stages, load_compared, train_in_stages

NAME: Final = "kaggle-cnn"
OTHER: Final = "vgg16-frozen"

SETTINGS: Final[dict[str, Any]] = {"optimiser": "RMSprop", "learning_rate": 1e-3, "rho": 0.9, "epsilon": 1e-8, "batch": 86, "epochs": 10}


def build() -> nn.Sequential:
    """float32 (n, 1, 28, 28), ink 1 and paper 0, to logits (n, 10)."""
    return start_as_keras(
        nn.Sequential(
            *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)),
            *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)),
            *(nn.Flatten(), nn.Linear(64 * 7 * 7, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10)),
        )
    )


def start_as_keras(network: nn.Sequential) -> nn.Sequential:
    """Give the layers the weights that Keras starts with: Glorot's uniform ones, biases 0. Returns the network."""
    for layer in network:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def optimiser_of(network: nn.Module) -> torch.optim.Optimizer:
    """The notebook's RMSprop."""
    return torch.optim.RMSprop(network.parameters(), lr=SETTINGS["learning_rate"], alpha=SETTINGS["rho"], eps=SETTINGS["epsilon"])


def run(bench: Workbench) -> dict[str, Any]:
    """Train, judge, and set beside the other network where that has been run."""
    mnist = load_compared(bench)
    network = build()
    train = torch.from_numpy(mnist.train_images), torch.from_numpy(mnist.train_labels)
    test = torch.from_numpy(mnist.test_images), torch.from_numpy(mnist.test_labels)
    epochs = bench.epoch_count(SETTINGS["epochs"], smoke=2)
    stages = train_in_stages(network, optimiser_of(network), train, test, epochs=epochs, batch=SETTINGS["batch"], bench=bench)
    draw_stages(bench.out / "curves.png", stages.rows)
    return {
        **stages.figures(mnist.test_labels),
        "judged": {NAME: judge(network, bench, NAME)},
        "compared": compare_with(OTHER, NAME, bench, mnist),
    }


RECIPE: Final = Recipe(
    name=NAME,
    title="two pairs of convolutions and 256 dense, after 1 and 10 epochs; the source's figure is that after 1",
    source="Kaggle notebook 'Introduction to CNN Keras' (Y. Ghouzam), 2017; figure: a comparison of it with VGG16, after 1 epoch",
    source_figures={"mnist": 98.95},
    settings=SETTINGS,
    run=run,
)
