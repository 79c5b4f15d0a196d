"""Which digits a person is still asked for: ten of each to learn from, five of each to measure with, in rounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_digits.errors import UsageError
from edge_digits.personal.samples import DIGITS, Split, count_samples

TRAIN_EACH: Final = 10
TEST_EACH: Final = 5
MOST_EACH: Final = 1000


@dataclass(frozen=True, slots=True)
class Prompt:
    """One digit to write. digit : 0..9. split : where it will be stored."""

    digit: int
    split: Split


def missing_prompts(folder: Path, train_each: int = TRAIN_EACH, test_each: int = TEST_EACH) -> list[Prompt]:
    """What a samples folder still lacks of so many a digit, in rounds of 0 to 9, train before test; [] when it is complete.

    The same folder asked again goes on where it was left. Raises UsageError for numbers out of range.
    """
    for name, each in (("train", train_each), ("test", test_each)):
        if not 0 <= each <= MOST_EACH:
            raise UsageError(f"{name} is {each} drawings a digit; give a number from 0 to {MOST_EACH}")
    wanted: tuple[tuple[Split, int], ...] = (("train", train_each), ("test", test_each))
    prompts = []
    for split, each in wanted:
        stored = [count_samples(folder, digit, split) for digit in DIGITS]
        prompts += [Prompt(digit, split) for turn in range(each) for digit in DIGITS if turn >= stored[digit]]
    return prompts
