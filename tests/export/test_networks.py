from __future__ import annotations

import pytest
import torch

from edge_digits.errors import UsageError
from export.networks import NETWORKS, build, count_parameters


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_shapes_of_every_network(name: str) -> None:
    network = build(name).eval()
    for count in (0, 1, 5):
        tiles = torch.rand(count, 1, 28, 28)
        features = network.features(tiles)
        assert network(tiles).shape == (count, 11)
        assert features.shape[0] == count
        assert torch.equal(network.head(features), network(tiles))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_what_int8_runs_badly_is_not_there(name: str) -> None:
    network = build(name)
    assert not any(isinstance(layer, torch.nn.MaxPool2d) for layer in network.modules())
    widths = [layer.out_channels for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert all(width % 16 == 0 for width in widths)


@pytest.mark.parametrize("name", ["narrow", "small"])
def test_room_is_left_below_100_kb_in_int8(name: str) -> None:
    assert count_parameters(build(name)) < 85_000


def test_an_unknown_network_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="small"):
        build("resnet152")
