"""Checks: known good numbers hold, every single wrong digit is found where the rule promises it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from edge_digits.forms.checks import CheckDigit, NeverFalls, RangeCheck, SumCheck


@pytest.mark.parametrize(
    ("rule", "number"),
    [("luhn", "79927398713"), ("ean", "4006381333931"), ("mod11", "03653277"), ("mod97", "79444"), ("damm", "5724")],
)
def test_check_digits_find_every_single_error(rule: str, number: str) -> None:
    check = CheckDigit(rule, "id")
    assert check.holds({"id": number}) is True
    for place, right in enumerate(number):
        wrong = [number[:place] + str(digit) + number[place + 1 :] for digit in range(10) if str(digit) != right]
        assert not any(check.holds({"id": text}) for text in wrong)
    assert check.holds({"id": None}) is None
    assert check.holds({"id": ""}) is None
    assert check.holds({"id": "7"}) is False


def test_sums_are_exact_and_pass_over_empty_parts() -> None:
    check = SumCheck(("a", "b"), "total")
    assert check.holds({"a": "0.10", "b": "0.20", "total": "0.3"}) is True
    assert check.holds({"a": "1", "b": "", "total": "1"}) is True
    assert check.holds({"a": "1", "b": "2", "total": "4"}) is False
    assert check.holds({"a": "1", "b": None, "total": "4"}) is None
    assert check.holds({"a": "", "b": "", "total": ""}) is None


def test_what_never_falls_and_ranges() -> None:
    rising = NeverFalls(("a", "b", "c"))
    assert rising.holds({"a": "5", "b": "", "c": "5"}) is True
    assert rising.holds({"a": "5", "b": "6", "c": "4"}) is False
    assert rising.holds({"a": "5", "b": None, "c": None}) is None
    limits = RangeCheck("a", Decimal(0), Decimal(10))
    assert [limits.holds({"a": text}) for text in ("0", "10", "10.01", "", None)] == [True, True, False, None, None]
