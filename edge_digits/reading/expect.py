"""What a user expects a number to be: `--expect` and its grammars.

    integer, decimal, date, date:dmy, date:mdy, date:ymd, phone, digits:6, digits:4-6, regex:PATTERN, values:FILE or values:7,12,19

Each is an automaton over digits and signs, or a list. Nothing here looks at a page: reading/fitting.py weighs what was
read against what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from edge_digits.errors import UsageError
from edge_digits.reading.canonical import canonical, decimal
from edge_digits.reading.patterns import MOST_REPEATS, Automaton, compile_pattern
from edge_digits.reading.values import ValueList, read_values

KINDS: Final = "integer, decimal, date, date:dmy|mdy|ymd, phone, digits:N, digits:N-M, regex:PATTERN, values:FILE, values:A,B,C"
ORDERS: Final = ("dmy", "mdy", "ymd")
SEPARATORS: Final = (r"\.", "/", "-", " ")

INTEGER: Final = r"-?(?:\d+|\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+)"
DECIMAL: Final = r"-?(?:\d+(?:[.,]\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d{1,3}(?: \d{3})+(?:[.,]\d+)?)"
PHONE: Final = r"\d(?:[-/. ]?\d){4,14}"
"""At most 15 digits: ITU-T E.164."""
YEAR: Final = r"(?:1[89]|2[01])\d\d"
"""Years that stand on papers of our time: 1800 to 2199."""
GREGORIAN_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a number may be.

    name : as the user gave it. automaton : of all that is allowed, or values : the list of it; the other is None.
    canonical : makes the value of an allowed text. groups : whether gaps may lie inside, as in 0171 555 0199.
    """

    name: str
    automaton: Automaton | None
    values: ValueList | None = None
    canonical: Callable[[str], str] = canonical
    groups: bool = False


def parse_expectation(text: str) -> Expectation:
    """The expectation that a user named. Raises UsageError."""
    kind, colon, rest = text.partition(":")
    if text == "integer":
        found = Expectation(text, compile_pattern(INTEGER), None, partial(re.sub, r"[., ]", ""))
    elif text == "decimal":
        found = Expectation(text, compile_pattern(DECIMAL), None, _decimal)
    elif text == "phone":
        found = Expectation(text, compile_pattern(PHONE), None, partial(re.sub, r"[-/. ]", ""), groups=True)
    elif kind == "date" and (not colon or rest in ORDERS):
        orders = (rest,) if rest else ORDERS
        pattern = "|".join(_date_pattern(order) for order in orders)
        found = Expectation(text, compile_pattern(pattern), None, partial(_iso_date, orders=orders), groups=True)
    elif kind == "digits" and rest:
        found = Expectation(text, compile_pattern(_digits_pattern(rest)), groups=True)
    elif kind == "regex" and rest:
        found = Expectation(text, compile_pattern(rest), groups=True)
    elif kind == "values" and rest:
        found = Expectation(text, None, read_values(rest), str, groups=True)
    else:
        raise UsageError(f"--expect '{text}': is not known; give one of {KINDS}")
    return found


def _digits_pattern(counts: str) -> str:
    first, dash, last = counts.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise UsageError(f"--expect 'digits:{counts}': is no count; give one as in digits:6, or two as in digits:4-6")
    least, most = int(first), int(last) if dash else int(first)
    if not 1 <= least <= most <= MOST_REPEATS:
        raise UsageError(f"--expect 'digits:{counts}': out of range; counts go from 1 to {MOST_REPEATS}, the larger one last")
    return rf"\d{{{least},{most}}}"


def _date_pattern(order: str) -> str:
    """Dates of one order that the calendar has (29 February in any year), with one separator throughout or none."""
    ways = []
    for separator in SEPARATORS:
        pairs = "|".join(separator.join((day, month) if order != "mdy" else (month, day)) for day, month in _day_months("0?"))
        if order == "ymd":
            pairs = "|".join(separator.join((month, day)) for day, month in _day_months("0?"))
        year = rf"(?:{YEAR}|\d\d)" if order != "ymd" else YEAR
        ways.append(separator.join((year, f"(?:{pairs})") if order == "ymd" else (f"(?:{pairs})", year)))
    plain = "|".join(day + month if order == "dmy" else month + day for day, month in _day_months("0"))
    ways.append(rf"{YEAR}(?:{plain})" if order == "ymd" else rf"(?:{plain})(?:{YEAR}|\d\d)")
    return "|".join(ways)


def _day_months(zero: str) -> list[tuple[str, str]]:
    """Patterns of days and the months that have them. zero : what stands before a single digit."""
    any_month = rf"(?:{zero}[1-9]|1[0-2])"
    not_february = rf"(?:{zero}[13-9]|1[0-2])"
    long_month = rf"(?:{zero}[13578]|1[02])"
    return [(rf"(?:{zero}[1-9]|1\d|2\d)", any_month), ("30", not_february), ("31", long_month)]


def _decimal(text: str) -> str:
    return decimal(text.replace(" ", ""))


def _iso_date(text: str, orders: tuple[str, ...]) -> str:
    """A date as 2021-04-03; as it was written where it could be two dates, or its year has two digits."""
    found = {date for order in orders if (date := _read_date(text, order))}
    return found.pop() if len(found) == 1 else text


def _read_date(text: str, order: str) -> str | None:
    parts = re.split(r"[./ -]", text)
    if len(parts) == 1 and len(text) == 8:
        cuts = (4, 6) if order == "ymd" else (2, 4)
        parts = [text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]]
    if len(parts) != 3:
        return None
    named = dict(zip(order, parts, strict=True))
    if len(named["y"]) != 4 or max(len(named["m"]), len(named["d"])) > 2:
        return None
    year, month, day = int(named["y"]), int(named["m"]), int(named["d"])
    if not re.fullmatch(YEAR, named["y"]) or not 1 <= month <= 12 or not 1 <= day <= GREGORIAN_DAYS[month - 1]:
        return None
    return f"{year:04d}-{month:02d}-{day:02d}"
