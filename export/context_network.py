"""The network that judges a glyph in its surroundings: what it adds to the tile classifier's logits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor, nn

from edge_digits.paper.surroundings import PATCH_SHAPE
from edge_digits.recognition.weights import LABELS
from export.networks import Convolution

LAYERS: Final = (
    Convolution(16, 5, 2),
    Convolution(32, 3, 2),
    Convolution(48, 3, 2),
    Convolution(64, 3, 1),
    Convolution(64, 3, 2),
)


class ContextNetwork(nn.Module):
    """Convolutions, then one dense layer over all places: where ink stands around the glyph matters.

    patches : float32 (n, 2, 48, 64), 0..1, see paper/surroundings.py. Gives corrections (n, 11) to be added to the
    logarithms of the tile classifier's probabilities.
    """

    def __init__(self, layers: Iterable[Convolution] = LAYERS) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width, (height, length) = 2, PATCH_SHAPE
        for layer in layers:
            padding = layer.side // 2
            blocks += [
                nn.Conv2d(width, layer.channels, layer.side, layer.stride, padding, bias=False),
                nn.BatchNorm2d(layer.channels),
                nn.ReLU(inplace=True),
            ]
            width = layer.channels
            height, length = ((side + 2 * padding - layer.side) // layer.stride + 1 for side in (height, length))
        self.body = nn.Sequential(*blocks)
        self.head = nn.Linear(width * height * length, len(LABELS))
        # At first nothing is added: training begins at what the tile classifier knows.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, patches: Tensor) -> Tensor:
        """See the class."""
        corrections: Tensor = self.head(torch.flatten(self.body(patches), 1))
        return corrections
