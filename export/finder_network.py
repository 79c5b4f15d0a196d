"""The network that looks at a whole page at once: which ink is a written digit, and where the middle of each digit lies."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from edge_digits.recognition.companions import CELL_PX, MAP_CHANNELS

WIDTHS: Final = (16, 32, 64, 80)
"""Channels at a half, a quarter, an eighth and a sixteenth of the resolution."""


class FinderNetwork(nn.Module):
    """Convolutions down to a sixteenth and back up to a quarter of the resolution, as in U-Net (Ronneberger et al. 2015).

    pages : float32 (n, 1, h, w), 0..1, sides multiples of 16, see paper/overview.py. Gives maps (n, 29, h / 4, w / 4), see
    recognition/companions.py.
    """

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = widths
        self.fine = nn.Sequential(_convolution(1, half, 5, 2), _convolution(half, quarter, 3, 2), _convolution(quarter, quarter))
        self.middle = nn.Sequential(_convolution(quarter, eighth, 3, 2), _convolution(eighth, eighth))
        self.coarse = nn.Sequential(
            _convolution(eighth, sixteenth, 3, 2), _convolution(sixteenth, sixteenth), _convolution(sixteenth, sixteenth)
        )
        self.from_coarse = nn.Sequential(_convolution(sixteenth, eighth, 1), nn.Upsample(scale_factor=2, mode="nearest"))
        self.joined_middle = _convolution(eighth, eighth)
        self.from_middle = nn.Sequential(_convolution(eighth, quarter, 1), nn.Upsample(scale_factor=2, mode="nearest"))
        self.joined_fine = _convolution(quarter, quarter + 16)
        self.head = nn.Conv2d(quarter + 16, MAP_CHANNELS, 1)
        # Most ink and most cells are no digit: training begins near there.
        nn.init.constant_(self.head.bias[: CELL_PX**2], -3.0)

    def forward(self, pages: Tensor) -> Tensor:
        """See the class."""
        fine = self.fine(pages)
        middle = self.middle(fine)
        middle = self.joined_middle(middle + self.from_coarse(self.coarse(middle)))
        maps: Tensor = self.head(self.joined_fine(fine + self.from_middle(middle)))
        return maps


def _convolution(before: int, after: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, side, stride, side // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True))


def stroke_logits(maps: Tensor) -> Tensor:
    """float32 (n, h, w): the logit of each pixel's being the ink of a written digit."""
    return torch.pixel_shuffle(maps[:, : CELL_PX**2], CELL_PX)[:, 0]
