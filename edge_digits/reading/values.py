"""A list of allowed values, laid out so that all of them are weighed against what was read at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import UsageError
from edge_digits.reading.patterns import ALPHABET, DIGITS

MOST_VALUES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ValuesOfLength:
    """The values of one number of digits.

    digits : uint8 (v, n), 0..9. texts : as they stand in the list. layouts : for each, where its signs stand: a tuple of
        n strings, the signs before each digit. layout_of : intp (v,), index into layouts.
    """

    digits: NDArray[np.uint8]
    texts: tuple[str, ...]
    layouts: tuple[tuple[str, ...], ...]
    layout_of: NDArray[np.intp]


class ValueList:
    """Allowed values. texts : in the order of the list, each once."""

    def __init__(self, texts: Sequence[str]) -> None:
        """texts : of digits and signs, at least one digit in each."""
        self.texts = tuple(dict.fromkeys(texts))
        by_length: dict[int, list[str]] = {}
        for text in self.texts:
            by_length.setdefault(sum(c in DIGITS for c in text), []).append(text)
        self._by_length = {length: _laid_out(values, length) for length, values in by_length.items()}

    def of_length(self, digits: int) -> ValuesOfLength | None:
        """The values with so many digits, None where there are none."""
        return self._by_length.get(digits)


def read_values(named: str) -> ValueList:
    """A list from a file, one value a line, or separated by commas. Raises UsageError."""
    if isfile(named):  # noqa: PTH113 - Path.is_file raises where a long list is too long for a file name
        try:
            found = Path(named).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            raise UsageError(f"{named}: list of values cannot be read ({error}); give a text file with one value a line") from error
    elif all(set(part.strip()) <= ALPHABET for part in named.split(",")):
        found = named.split(",")
    else:
        raise UsageError(f"{named}: no such file; give a text file with one value a line, or values separated by commas")
    values = [value.strip() for value in found if value.strip()]
    for value in values:
        if not set(value) <= ALPHABET or not set(value) & set(DIGITS) or value[-1] not in DIGITS:
            raise UsageError(f"{named}: value '{value}' is no number (digits, with . , - / : between them); take it out of the list")
    if not 0 < len(values) <= MOST_VALUES:
        raise UsageError(f"{named}: holds {len(values)} values; give at least one and at most {MOST_VALUES}")
    return ValueList(values)


def _laid_out(texts: list[str], length: int) -> ValuesOfLength:
    layouts: dict[tuple[str, ...], int] = {}
    numbers = []
    for text in texts:
        before, signs = [], ""
        for character in text:
            if character in DIGITS:
                before.append(signs)
                signs = ""
            else:
                signs += character
        numbers.append(layouts.setdefault(tuple(before), len(layouts)))
    digits = np.array([[int(c) for c in text if c in DIGITS] for text in texts], np.uint8).reshape(len(texts), length)
    return ValuesOfLength(digits, tuple(texts), tuple(layouts), np.array(numbers, np.intp))
