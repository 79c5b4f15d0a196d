"""The context network: its shapes, and that at first it adds nothing."""

from __future__ import annotations

import pytest
import torch

from edge_digits.paper.surroundings import PATCH_SHAPE
from export.context_network import LAYERS, ContextNetwork


@pytest.mark.parametrize("count", [1, 3])
def test_a_correction_for_every_label(count: int) -> None:
    network = ContextNetwork().eval()
    assert network(torch.rand(count, 2, *PATCH_SHAPE)).shape == (count, 11)
    assert ContextNetwork(LAYERS[:2])(torch.rand(2, 2, *PATCH_SHAPE)).shape == (2, 11)


def test_no_patches_no_corrections() -> None:
    assert ContextNetwork().eval()(torch.zeros(0, 2, *PATCH_SHAPE)).shape == (0, 11)


def test_at_first_nothing_is_added_and_it_can_learn() -> None:
    network = ContextNetwork()
    corrections = network(torch.rand(4, 2, *PATCH_SHAPE))
    assert (corrections == 0).all()
    torch.nn.functional.cross_entropy(corrections, torch.arange(4)).backward()
    assert network.head.weight.grad is not None
    assert network.head.weight.grad.abs().max() > 0


def test_it_matters_where_ink_stands() -> None:
    torch.manual_seed(1)
    network = ContextNetwork().eval()
    torch.nn.init.normal_(network.head.weight)
    left, right = torch.zeros(2, 1, 2, *PATCH_SHAPE)
    left[..., 4:8] = 1
    right[..., 56:60] = 1
    assert not torch.allclose(network(left), network(right), atol=1e-3)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(RuntimeError):
        ContextNetwork().eval()(torch.rand(1, 2, 32, 32))
