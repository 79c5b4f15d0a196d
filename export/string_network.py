"""The network that reads a whole run of ink at once: convolutions down to one row of columns, each of which names a label."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from edge_digits.recognition.weights import LABELS

BLANK: Final = len(LABELS)
"""The label of a column on which nothing new begins (A. Graves et al., "Connectionist temporal classification", 2006)."""


class Layer(NamedTuple):
    """One convolution: filters, kernel height and width, stride down and across, zero rows and columns around."""

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]


LAYERS: Final = (
    Layer(16, (5, 5), (2, 2), (2, 2)),
    Layer(32, (3, 3), (2, 2), (1, 1)),
    Layer(48, (3, 3), (1, 1), (1, 1)),
    Layer(64, (3, 3), (2, 1), (1, 1)),
    Layer(64, (3, 3), (2, 1), (1, 1)),
    Layer(64, (2, 3), (1, 1), (0, 1)),
)
"""From 32 rows to one; a column for every four pixels across."""


class StringNetwork(nn.Module):
    """strips : float32 (n, 1, 32, w), 0..1, see paper/strips.py. Gives logits (n, w / 4, 12): the labels, then BLANK."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width = 1
        for layer in LAYERS:
            blocks += [
                nn.Conv2d(width, layer.channels, layer.kernel, layer.stride, layer.padding, bias=False),
                nn.BatchNorm2d(layer.channels),
                nn.ReLU(inplace=True),
            ]
            width = layer.channels
        self.body = nn.Sequential(*blocks)
        self.head = nn.Conv2d(width, BLANK + 1, 1)

    def forward(self, strips: Tensor) -> Tensor:
        """See the class."""
        maps: Tensor = self.head(self.body(strips))
        return maps.squeeze(2).transpose(1, 2)


def greedy(logits: Tensor) -> list[list[int]]:
    """The best label of every column, repetitions and blanks taken out. logits : (n, columns, 12)."""
    found = []
    for row in logits.argmax(dim=2):
        kept = torch.unique_consecutive(row)
        found.append([int(label) for label in kept if label != BLANK])
    return found
