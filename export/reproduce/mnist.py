"""MNIST as published: the pixels that the sources train on, without the tile rule of this project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.data.collect import find_data
from export.data.folder import load_mnist as load_glyphs
from export.reproduce.recipe import Workbench

SMOKE_TRAIN: Final = 600
SMOKE_TEST: Final = 300
_CLASSES: Final = 10

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Mnist:
    """Images uint8 (n, 28, 28), ink 255 and paper 0; labels uint8 (n,), 0..9."""

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels


def load_mnist(bench: Workbench) -> Mnist:
    """60,000 and 10,000 digits; in a smoke run 600 and 300, the first of each class.

    Raises DataError when the data folder lacks MNIST, DownloadError when it cannot be fetched.
    """
    folder = find_data(bench.data)
    parts: list[NDArray[np.uint8]] = []
    for part, count in (("train", SMOKE_TRAIN), ("test", SMOKE_TEST)):
        glyphs = load_glyphs(folder, part)
        kept = first_of_each_class(glyphs.labels, count) if bench.smoke else np.arange(len(glyphs))
        parts += [np.array([glyphs.glyphs[index] for index in kept], np.uint8), glyphs.labels[kept]]
    return Mnist(*parts)


def first_of_each_class(labels: Labels, count: int) -> NDArray[np.int64]:
    """Indices, ascending, of the first count / 10 of each class 0..9; fewer where a class has fewer.

    labels : uint8 (n,).
    """
    each = count // _CLASSES
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:each] for label in range(_CLASSES)]))
