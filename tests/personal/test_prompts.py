"""Which digits are still asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_digits import UsageError
from edge_digits.personal.prompts import Prompt, missing_prompts
from edge_digits.personal.samples import remove_sample, store_sample

DRAWING = np.full((20, 20), 9, np.uint8)


def test_ten_and_five_of_each_in_rounds(tmp_path: Path) -> None:
    prompts = missing_prompts(tmp_path / "nothing yet")
    assert len(prompts) == 150
    assert [prompt.digit for prompt in prompts[:11]] == [*range(10), 0]
    assert [prompt.split for prompt in prompts] == ["train"] * 100 + ["test"] * 50


def test_what_is_stored_is_not_asked_again(tmp_path: Path) -> None:
    for digit in (0, 0, 3):
        path = store_sample(tmp_path, "train", digit, DRAWING)
    store_sample(tmp_path, "test", 9, DRAWING)
    missing = missing_prompts(tmp_path, 1, 1)
    assert Prompt(0, "train") not in missing
    assert Prompt(9, "test") not in missing
    assert len(missing) == 17
    remove_sample(path)
    assert Prompt(3, "train") in missing_prompts(tmp_path, 1, 1)
    with pytest.raises(UsageError, match="cannot be removed"):
        remove_sample(path)


@pytest.mark.parametrize(("train", "test"), [(-1, 5), (10, 1001)])
def test_absurd_numbers_are_refused(tmp_path: Path, train: int, test: int) -> None:
    with pytest.raises(UsageError, match="give a number from 0"):
        missing_prompts(tmp_path, train, test)
