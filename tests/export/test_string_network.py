"""The string network: a column for every four pixels, and what its columns spell."""

from __future__ import annotations

import pytest
import torch

from edge_digits.paper.strips import LONGEST_PX, STRIP_HEIGHT_PX, WIDTH_STEP_PX
from export.string_network import BLANK, StringNetwork, greedy


def columns(*rows: list[int]) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(rows), BLANK + 1).float()


@pytest.mark.parametrize("width", [WIDTH_STEP_PX, 80, LONGEST_PX])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_column_for_every_four_pixels(count: int, width: int) -> None:
    network = StringNetwork().eval()
    assert network(torch.rand(count, 1, STRIP_HEIGHT_PX, width)).shape == (count, width // 4, BLANK + 1)


def test_strips_do_not_see_each_other() -> None:
    torch.manual_seed(2)
    network = StringNetwork().eval()
    strips = torch.rand(3, 1, STRIP_HEIGHT_PX, 64)
    assert torch.allclose(network(strips)[1:2], network(strips[1:2]), atol=1e-4)


def test_paper_to_the_right_changes_no_column_far_from_it() -> None:
    torch.manual_seed(2)
    network = StringNetwork().eval()
    strip = torch.rand(1, 1, STRIP_HEIGHT_PX, 96)
    wider = torch.nn.functional.pad(strip, (0, 64))
    assert torch.allclose(network(wider)[:, :16], network(strip)[:, :16], atol=1e-4)


@pytest.mark.parametrize(
    ("row", "spelt"),
    [
        ([BLANK] * 4, []),
        ([3, 3, BLANK, 3], [3, 3]),
        ([BLANK, 3, 4, 4], [3, 4]),
        ([0, BLANK, BLANK, 10], [0, 10]),
        ([5], [5]),
    ],
)
def test_what_columns_spell(row: list[int], spelt: list[int]) -> None:
    assert greedy(columns(row)) == [spelt]


def test_many_and_none_are_spelt() -> None:
    assert greedy(columns([1, BLANK], [BLANK, BLANK], [2, 2])) == [[1], [], [2]]
    assert greedy(torch.zeros(0, 4, BLANK + 1)) == []
