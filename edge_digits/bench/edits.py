"""Edit alignment of two strings of digits, the digits that stand there and those that were read; every edit costs 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

UNREADABLE: Final = "?"
"""In the truth: matches any one digit, or none."""
OPTIONAL: Final = str.maketrans("0123456789", "abcdefghij")
"""Digits that need not be read stand in the truth as these letters: leaving them out costs nothing."""
PLAIN: Final = {chr(letter): chr(digit) for digit, letter in OPTIONAL.items()}


def edit_costs(truth: str, read: str) -> list[list[int]]:
    """Edit distances of all beginnings: row i, column j for the first i characters of the truth and j of the reading."""
    rows = [list(range(len(read) + 1))]
    for wanted in truth:
        above = rows[-1]
        missing = 0 if wanted == UNREADABLE or wanted in PLAIN else 1
        row = [above[0] + missing]
        for j, found in enumerate(read):
            row.append(min(above[j] + swap_cost(wanted, found), above[j + 1] + missing, row[j] + 1))
        rows.append(row)
    return rows


def edit_steps(truth: str, read: str) -> Iterator[tuple[int | None, int | None]]:
    """The steps of one cheapest alignment, last first: places in the truth and in the reading, None for a missing partner.

    Of several, swaps go before what was read in excess, that before what was left out.
    """
    cost = edit_costs(truth, read)
    i, j = len(truth), len(read)
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + swap_cost(truth[i - 1], read[j - 1]):
            i, j = i - 1, j - 1
            yield i, j
        elif j and cost[i][j] == cost[i][j - 1] + 1:
            j -= 1
            yield None, j
        else:
            i -= 1
            yield i, None


def swap_cost(truth: str, read: str) -> int:
    """0 where one character of the reading is what stands there, else 1."""
    return 0 if truth == UNREADABLE or PLAIN.get(truth, truth) == read else 1
