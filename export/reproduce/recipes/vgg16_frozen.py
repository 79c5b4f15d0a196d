"""vgg16-frozen: VGG16 of ImageNet, not trained further, with 512 dense on top, after one epoch and after ten.

As published: digits enlarged to 48x48, three equal channels in the order BGR, less the means of ImageNet; the frozen
convolutions give 512 features; 512 dense, dropout 0.4; 10. Beside the network of kaggle_cnn.py it came to 95.65 % of the
MNIST test digits after one epoch. It leaves out how the head was trained; so that is as for the other network. The frozen
part gives the same features every time, so they are computed once and kept in the run folder.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import torch
from torch import nn

from export.reproduce.compare import compare_with
from export.reproduce.judging import judge
from export.reproduce.recipe import Recipe, Workbench
from export.reproduce.recipes.kaggle_cnn import NAME as OTHER
from export.reproduce.recipes.kaggle_cnn import SETTINGS, optimiser_of, start_as_keras
from export.reproduce.stages import draw_stages, load_compared, train_in_stages
from export.reproduce.vgg16 import FEATURES, FrozenVgg16, features_of, find_weights, read_weights

NAME: Final = "vgg16-frozen"


def build_head() -> nn.Sequential:
    """float32 (n, 512) to logits (n, 10)."""
    return start_as_keras(nn.Sequential(nn.Linear(FEATURES, 512), nn.ReLU(), nn.Dropout(0.4), nn.Linear(512, 10)))


def run(bench: Workbench) -> dict[str, Any]:
    """Compute the features, train the head, judge both as one network, and set beside the other one."""
    weights = find_weights(bench.data)
    mnist = load_compared(bench)
    frozen, head = FrozenVgg16(), build_head()
    frozen.load(read_weights(weights))
    train, test = (
        (features_of(frozen, images, bench.out / f"features_{part}.npy", bench), torch.from_numpy(labels))
        for part, images, labels in (("train", mnist.train_images, mnist.train_labels), ("test", mnist.test_images, mnist.test_labels))
    )
    # The head is too small to gain by bfloat16.
    exact = replace(bench, bfloat16=False)
    epochs = bench.epoch_count(SETTINGS["epochs"], smoke=2)
    stages = train_in_stages(head, optimiser_of(head), train, test, epochs=epochs, batch=SETTINGS["batch"], bench=exact)
    draw_stages(bench.out / "curves.png", stages.rows)
    return {
        "weights": weights.name,
        **stages.figures(mnist.test_labels),
        "judged": {NAME: judge(nn.Sequential(frozen, head), bench, NAME)},
        "compared": compare_with(OTHER, NAME, bench, mnist),
    }


RECIPE: Final = Recipe(
    name=NAME,
    title="frozen VGG16 on 48x48 with 512 dense, after 1 and 10 epochs; the source's figure is that after 1",
    source="K. Simonyan and A. Zisserman, 2014, weights of Keras (CC BY 4.0); figure: a comparison with the Kaggle network, after 1 epoch",
    source_figures={"mnist": 95.65},
    settings=SETTINGS,
    run=run,
)
