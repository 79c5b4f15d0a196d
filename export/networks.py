"""The networks that may be trained, by name. Each is conv, batch norm, ReLU: what int8 runs fast and exactly.

No max pooling, widths in multiples of 16, a stride stem and global average pooling: measured in ONNX Runtime, nets
of this kind are up to 2.5 times faster in int8 than in float, LeNet-like ones slower. All take float32
(n, 1, 28, 28), ink 1 and paper 0, and give logits (n, 11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from edge_digits.errors import UsageError
from edge_digits.paper.tiles import TILE_SIDE_PX
from edge_digits.recognition.weights import LABELS


class Convolution(NamedTuple):
    """One convolution. channels : filters. side : of the kernel, pixels. padded : with zeros, so that stride 1 keeps the size."""

    channels: int
    side: int
    stride: int
    padded: bool = True


class ConvNetwork(nn.Module):
    """A stack of convolutions, global average pooling or the whole last map, and one dense layer.

    pooled : the features are the mean of each channel, else all places of the last map.
    """

    def __init__(self, layers: Iterable[Convolution], *, pooled: bool = True) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width, side = 1, TILE_SIDE_PX
        for layer in layers:
            padding = layer.side // 2 if layer.padded else 0
            blocks += [
                nn.Conv2d(width, layer.channels, layer.side, layer.stride, padding, bias=False),
                nn.BatchNorm2d(layer.channels),
                nn.ReLU(inplace=True),
            ]
            width, side = layer.channels, (side + 2 * padding - layer.side) // layer.stride + 1
        self.body = nn.Sequential(*blocks)
        self.pooled = pooled
        self.head = nn.Linear(width if pooled else width * side * side, len(LABELS))

    def features(self, tiles: Tensor) -> Tensor:
        """tiles : float32 (n, 1, 28, 28). Returns float32 (n, k), before the dense layer."""
        maps = self.body(tiles)
        return torch.flatten(nn.functional.adaptive_avg_pool2d(maps, 1) if self.pooled else maps, 1)

    def forward(self, tiles: Tensor) -> Tensor:
        """tiles : float32 (n, 1, 28, 28). Returns logits (n, 11)."""
        logits: Tensor = self.head(self.features(tiles))
        return logits


def _layers(*layers: tuple[int, int, int] | tuple[int, int, int, bool]) -> list[Convolution]:
    return [Convolution(*layer) for layer in layers]


# In the small ones maps get small early and without a rim: 12, 6, 4 and 2 pixels. A batch of 64 then stays in the second cache of a
# processor, which decides its speed more than the multiplications do.
NETWORKS: Final[dict[str, Callable[[], ConvNetwork]]] = {
    # 76k parameters, 5.1 million multiplications a tile; its last features see the whole digit.
    "narrow": lambda: ConvNetwork(_layers((32, 5, 2), (32, 3, 1), (32, 3, 2), (48, 3, 1), (48, 3, 1), (48, 3, 1))),
    # 85k parameters, 1.3 million multiplications.
    "small": lambda: ConvNetwork(_layers((16, 5, 2, False), (32, 3, 2), (48, 3, 1), (64, 3, 1, False), (64, 3, 1, False))),
    # 18k parameters, 0.25 million multiplications.
    "tiny": lambda: ConvNetwork(_layers((16, 5, 2, False), (16, 3, 2), (32, 3, 1, False), (32, 3, 1, False)), pooled=False),
    # 440k parameters, 12 million multiplications: teaches the others, is never shipped.
    "teacher": lambda: ConvNetwork(
        _layers((48, 5, 2, False), (64, 3, 1), (96, 3, 2), (96, 3, 1), (128, 3, 1, False), (128, 3, 1, False)),
    ),
}


def build(name: str) -> ConvNetwork:
    """A network with fresh weights. Raises UsageError for an unknown name."""
    if name not in NETWORKS:
        raise UsageError(f"network is '{name}'; choose one of {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name]()


def count_parameters(network: nn.Module) -> int:
    """Trainable numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())
