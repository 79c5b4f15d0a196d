"""The networks that may be trained, by name. Each is conv, batch norm, ReLU: what int8 runs fast and exactly.

No max pooling, widths in multiples of 16, a stride stem and global average pooling: measured in ONNX Runtime, nets
of this kind are up to 2.5 times faster in int8 than in float, LeNet-like ones slower. All take float32
(n, 1, 28, 28), ink 1 and paper 0, and give logits (n, 11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn

from edge_digits.errors import UsageError
from edge_digits.recognition.weights import LABELS


class ConvNetwork(nn.Module):
    """A stack of convolutions, global average pooling and one dense layer.

    layers : (channels, kernel side, stride) of each convolution. The features are the vector before the dense layer.
    """

    def __init__(self, layers: tuple[tuple[int, int, int], ...]) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width = 1
        for channels, side, stride in layers:
            blocks += [
                nn.Conv2d(width, channels, side, stride, side // 2, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            ]
            width = channels
        self.body = nn.Sequential(*blocks)
        self.head = nn.Linear(width, len(LABELS))

    def features(self, tiles: Tensor) -> Tensor:
        """tiles : float32 (n, 1, 28, 28). Returns float32 (n, k), before the dense layer."""
        return torch.flatten(nn.functional.adaptive_avg_pool2d(self.body(tiles), 1), 1)

    def forward(self, tiles: Tensor) -> Tensor:
        """tiles : float32 (n, 1, 28, 28). Returns logits (n, 11)."""
        logits: Tensor = self.head(self.features(tiles))
        return logits


NETWORKS: Final[dict[str, Callable[[], ConvNetwork]]] = {
    # 76k parameters, 5.1 million multiplications a tile; its last features see the whole digit. In a trial of equal
    # length its loss on unseen tiles was 0.139, that of "small" 0.172.
    "narrow": lambda: ConvNetwork(((32, 5, 2), (32, 3, 1), (32, 3, 2), (48, 3, 1), (48, 3, 1), (48, 3, 1))),
    # 80k parameters, 6.0 million multiplications a tile, four convolutions only.
    "small": lambda: ConvNetwork(((32, 5, 2), (48, 3, 1), (64, 3, 2), (64, 3, 1))),
    # 12k parameters: for trial runs and tests.
    "tiny": lambda: ConvNetwork(((16, 5, 2), (32, 3, 2), (16, 3, 1))),
}


def build(name: str) -> ConvNetwork:
    """A network with fresh weights. Raises UsageError for an unknown name."""
    if name not in NETWORKS:
        raise UsageError(f"network is '{name}'; choose one of {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name]()


def count_parameters(network: nn.Module) -> int:
    """Trainable numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())
