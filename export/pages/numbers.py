"""What people write: numbers of every kind, and the letters that stand with them in expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

_Maker = Callable[[np.random.Generator], str]


def digits(rng: np.random.Generator, least: int, most: int) -> str:
    """So many digits, evenly drawn."""
    return "".join(str(value) for value in rng.integers(0, 10, int(rng.integers(least, most + 1))))


def integer(rng: np.random.Generator) -> str:
    """Without a leading zero, small ones more often, round ones now and then."""
    length = int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.2, 0.28, 0.24, 0.16, 0.07, 0.05]))
    text = str(int(rng.integers(10 ** (length - 1) if length > 1 else 0, 10**length)))
    if length > 2 and rng.random() < 0.25:
        zeros = int(rng.integers(1, length))
        text = text[: length - zeros] + "0" * zeros
    return text


def decimal(rng: np.random.Generator) -> str:
    """With a point or a comma and one to three places."""
    return f"{integer(rng)[:4]}{rng.choice(['.', ','])}{digits(rng, 1, 3)}"


def negative(rng: np.random.Generator) -> str:
    """A minus before an integer or decimal."""
    return "-" + (integer(rng) if rng.random() < 0.7 else decimal(rng))


def amount(rng: np.random.Generator) -> str:
    """Money: two places, or thousands parted by points, or round with a dash behind."""
    form = rng.random()
    if form < 0.4:
        return f"{integer(rng)[:5]}{rng.choice(['.', ','])}{digits(rng, 2, 2)}"
    if form < 0.75:
        thousands = str(int(rng.integers(1, 1000)))
        return f"{thousands}{rng.choice(['.', ',', '.'])}{digits(rng, 3, 3) if rng.random() < 0.5 else '000'}"
    return f"{integer(rng)[:5]}{rng.choice([',-', '.-', ' -', '/-'])}"


def date(rng: np.random.Generator) -> str:
    """Day, month, year in one of many orders."""
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(1950, 2031))
    mark = str(rng.choice(["/", ".", "-", "/", " "]))
    parts = [f"{day:02d}", f"{month:02d}", str(year)] if rng.random() < 0.6 else [str(day), str(month), f"{year % 100:02d}"]
    return mark.join(parts[::-1] if rng.random() < 0.15 else parts)


def clock(rng: np.random.Generator) -> str:
    """Hours and minutes."""
    return f"{int(rng.integers(0, 24)):{'02d' if rng.random() < 0.5 else 'd'}}{rng.choice([':', ':', '.'])}{int(rng.integers(0, 60)):02d}"


def phone(rng: np.random.Generator) -> str:
    """Eight to eleven digits in groups."""
    text, groups = digits(rng, 8, 11), []
    while text:
        size = int(rng.integers(2, 5))
        groups.append(text[:size])
        text = text[size:]
    return str(rng.choice([" ", "-", " ", "/", "."])).join(groups)


def code(rng: np.random.Generator) -> str:
    """A number to be copied digit by digit: registration, order, account."""
    return digits(rng, 5, 12)


def range_of(rng: np.random.Generator) -> str:
    """Two numbers with a dash between, as in lists of prices and pages."""
    return f"{integer(rng)}-{int(rng.integers(1, 10))}{'0' * int(rng.integers(0, 4))}"


def round_number(rng: np.random.Generator) -> str:
    """One to three digits and then only zeros."""
    return str(int(rng.integers(1, 200))) + "0" * int(rng.integers(1, 5))


NUMBER_KINDS: Final[dict[str, tuple[_Maker, float]]] = {
    "integer": (integer, 0.4),
    "decimal": (decimal, 0.1),
    "negative": (negative, 0.05),
    "amount": (amount, 0.1),
    "date": (date, 0.07),
    "clock": (clock, 0.05),
    "phone": (phone, 0.05),
    "code": (code, 0.08),
    "range": (range_of, 0.04),
    "round": (round_number, 0.06),
}
"""Kind -> (maker, how often)."""


def number(rng: np.random.Generator) -> str:
    """Any number."""
    names = list(NUMBER_KINDS)
    return NUMBER_KINDS[str(rng.choice(names, p=np.array([NUMBER_KINDS[name][1] for name in names])))][0](rng)


_VARIABLES: Final = "xyzabcnktmp"


def expression(rng: np.random.Generator) -> str:
    """Arithmetic or algebra, such as 3x+7, (74+6)-3, 2x-y=543."""
    variable = str(rng.choice(list(_VARIABLES), p=[0.4, 0.2, *[0.4 / 9] * 9]))
    terms = [_term(rng, variable) for _ in range(int(rng.integers(2, 5)))]
    text = terms[0]
    for term in terms[1:]:
        text += str(rng.choice(["+", "-", "+", "-", "\u00d7", "·", "÷", "/"], p=[0.3, 0.3, 0.1, 0.1, 0.06, 0.05, 0.05, 0.04])) + term
    draw = rng.random()
    if draw < 0.25:
        text += "=" + integer(rng)
    elif draw < 0.35:
        text = variable + "=" + text
    elif draw < 0.4:
        text += "="
    return text


def _term(rng: np.random.Generator, variable: str) -> str:
    small = str(int(rng.integers(1, 100 if rng.random() < 0.3 else 10)))
    form = rng.random()
    if form < 0.4:
        return small
    if form < 0.75:
        power = f"^{int(rng.integers(2, 10))}" if rng.random() < 0.3 else ""
        return f"{small if rng.random() < 0.8 else ''}{variable}{power}"
    sign = rng.choice(["+", "-"])
    inside = f"({small}{variable if rng.random() < 0.5 else ''}{sign}{int(rng.integers(1, 10))})"
    return (str(int(rng.integers(2, 10))) if rng.random() < 0.5 else "") + inside + ("^2" if rng.random() < 0.15 else "")


ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
EXPRESSION_INNER: Final = frozenset(".,")
"""In an expression only points and commas hold a number together."""
