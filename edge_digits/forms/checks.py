"""What must hold between the values of a sheet: sums, columns that never fall, ranges, check digits.

A check sees exact decimal numbers. It says nothing where a value that it needs is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Final, Protocol

Values = Mapping[str, str | None]
"""The value of each field by its name: "" for an empty one, None where it is not known."""


class Check(Protocol):
    """Something that must hold."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that it looks at."""

    def holds(self, values: Values) -> bool | None:
        """Whether it holds; None where a value is not known."""


@dataclass(frozen=True, slots=True)
class SumCheck:
    """The parts add up to the total; an empty part counts as nothing."""

    parts: tuple[str, ...]
    total: str

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"sum equals {self.total}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that it looks at."""
        return (*self.parts, self.total)

    def holds(self, values: Values) -> bool | None:
        """Whether it holds; None where a value is not known, or all are empty."""
        if any(values[name] is None for name in self.fields):
            return None
        if not any(values[name] for name in self.fields):
            return None
        numbers = [number(values[name] or "0") for name in self.fields]
        if any(each is None for each in numbers):
            return None
        return sum((each for each in numbers[:-1] if each is not None), Decimal(0)) == numbers[-1]


@dataclass(frozen=True, slots=True)
class NeverFalls:
    """Each value is at least as large as the one before it; empty ones are passed over.

    over_sheets : it goes on from sheet to sheet of a pile, which only whoever has the pile can tell (batch/sheet_order.py).
    for_each : field whose value says which of several sequences a sheet belongs to; "" where there is one.
    """

    sequence: tuple[str, ...]
    over_sheets: bool = False
    for_each: str = ""

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "never falls"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that it looks at."""
        return self.sequence

    def holds(self, values: Values) -> bool | None:
        """Whether it holds among the values that are known; None where fewer than two are."""
        known = [each for name in self.sequence if (text := values[name]) and (each := number(text)) is not None]
        return None if len(known) < 2 else all(first <= second for first, second in pairwise(known))


@dataclass(frozen=True, slots=True)
class RangeCheck:
    """The value lies between two numbers, ends included. least, most : None for no bound."""

    field: str
    least: Decimal | None
    most: Decimal | None

    @property
    def name(self) -> str:
        """What a person calls it."""
        bounds = [word for word in (_bound("from", self.least), _bound("to", self.most)) if word]
        return "range " + " ".join(bounds)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that it looks at."""
        return (self.field,)

    def holds(self, values: Values) -> bool | None:
        """Whether it holds; None where the value is not known or empty."""
        text = values[self.field]
        found = number(text) if text else None
        if found is None:
            return None
        return (self.least is None or found >= self.least) and (self.most is None or found <= self.most)


@dataclass(frozen=True, slots=True)
class CheckDigit:
    """The last digit follows from the others by a known rule."""

    rule: str
    field: str

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"check digit {self.rule}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that it looks at."""
        return (self.field,)

    def holds(self, values: Values) -> bool | None:
        """Whether it holds; None where the value is not known or empty."""
        text = values[self.field]
        if not text:
            return None
        digits = [int(sign) for sign in text if sign.isdecimal()]
        return len(digits) > 1 and CHECK_DIGITS[self.rule](digits)


def number(text: str) -> Decimal | None:
    """The number that a value stands for; None where it is none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _bound(word: str, limit: Decimal | None) -> str:
    return "" if limit is None else f"{word} {limit}"


def _luhn(digits: list[int]) -> bool:
    """H. P. Luhn, US patent 2,950,048: credit cards, IMEI, many customer numbers."""
    doubled = [2 * digit if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _ean(digits: list[int]) -> bool:
    """GS1 General Specifications, 7.9: EAN-8, EAN-13, GTIN, SSCC."""
    return sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _mod11(digits: list[int]) -> bool:
    """Weights 2 to 7 from the right, as in many bank and registration numbers; a rest of 10 is never given out."""
    weighted = sum(digit * (2 + place % 6) for place, digit in enumerate(reversed(digits[:-1])))
    return (11 - weighted % 11) % 11 == digits[-1]


def _mod97(digits: list[int]) -> bool:
    """ISO 7064 MOD 97-10, two check digits at the end."""
    return int("".join(map(str, digits))) % 97 == 1


_DAMM: Final = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def _damm(digits: list[int]) -> bool:
    """H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004: finds every single error and every swap of neighbours."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][digit])
    return interim == 0


CHECK_DIGITS: Final[Mapping[str, Callable[[list[int]], bool]]] = {
    "luhn": _luhn,
    "ean": _ean,
    "mod11": _mod11,
    "mod97": _mod97,
    "damm": _damm,
}
"""Name of a rule -> whether digits, the check digit last, obey it."""
