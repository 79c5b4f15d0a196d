"""Checks between the fields of a sheet: they raise doubts, and settle those that a single unsure digit leaves.

A wrong digit breaks a sum and a check digit. So where all other digits are sure, the one digit with which the check holds
is the one that was written, if it looks like it at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from edge_digits.forms.checks import Check, CheckDigit, SumCheck
from edge_digits.forms.fields import UNSURE, FieldReading, joined

LEAST_LIKELY: Final = 0.3
"""A digit that a check asks for is taken from this probability on: people add up wrongly too."""


def settle_by_checks(readings: Sequence[FieldReading], checks: Sequence[Check], least: float) -> list[FieldReading]:
    """The fields with the doubts that checks raise, and without those that they settle. least : see Template.doubt_below."""
    found = {reading.field.name: reading for reading in readings}
    for check in checks:
        if isinstance(check, SumCheck | CheckDigit):
            _settle(check, found, least)
    for check in checks:
        if check.holds({name: reading.value for name, reading in found.items()}) is False:
            for name in check.fields:
                if found[name].text:
                    found[name] = found[name].doubted(check.name)
    return [found[reading.field.name] for reading in readings]


def _settle(check: Check, found: dict[str, FieldReading], least: float) -> None:
    doubted = [name for name in check.fields if found[name].doubtful]
    if len(doubted) != 1 or found[doubted[0]].reasons != (UNSURE,):
        return
    reading = found[doubted[0]]
    unsure = [index for index, each in enumerate(reading.written) if each.sure < least]
    if len(unsure) != 1:
        return
    place, values = unsure[0], {name: found[name].value for name in check.fields}
    fitting = []
    for digit in range(10):
        texts = [str(digit if index == place else each.digit) for index, each in enumerate(reading.written)]
        likely = joined(texts, reading.signs)
        if check.holds({**values, reading.field.name: reading.field.expectation.canonical(likely)}):
            fitting.append((digit, likely))
    if len(fitting) != 1:
        return
    digit, likely = fitting[0]
    own = reading.written[place]
    if own.judged.combined[digit] < LEAST_LIKELY:
        return
    written = tuple(replace(each, digit=digit, sure=1.0) if index == place else each for index, each in enumerate(reading.written))
    value = reading.field.expectation.canonical(likely)
    found[doubted[0]] = replace(reading, text=likely, likely=likely, value=value, reasons=(), written=written)
