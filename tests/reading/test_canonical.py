"""What a number is worth, where its text has one meaning, and its text where it has two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.reading.canonical import canonical, decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("05", "05"),
        ("-7", "-7"),
        ("12.50", "12.50"),
        ("12,50", "12.50"),
        ("0,125", "0.125"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("-1.234.567", "-1234567"),
        ("12:30", "12:30"),
        ("03/04/2021", "03/04/2021"),
        ("404-1000", "404-1000"),
    ],
)
def test_one_meaning(text: str, value: str) -> None:
    assert canonical(text) == value


@pytest.mark.parametrize("text", ["1,234", "1.234", "-12.000", "1.2.3", "1,23,456", "1,234,567,8", "", "-", ".", "1,,2"])
def test_two_meanings_or_none_stay_as_they_are(text: str) -> None:
    assert canonical(text) == text


@pytest.mark.parametrize(
    ("text", "value"), [("1,234", "1.234"), ("1.234,5", "1234.5"), ("1,234,567", "1234567"), ("7", "7"), ("1.2.3", "1.2.3")]
)
def test_a_known_decimal_number_settles_it(text: str, value: str) -> None:
    assert decimal(text) == value


@given(st.integers(0, 10**9), st.integers(0, 99), st.sampled_from([",.", ".,"]))
def test_grouped_and_plain_forms_have_one_value(whole: int, cents: int, marks: str) -> None:
    written = f"{whole:,}".replace(",", "g") + f"d{cents:02d}"
    assert canonical(written.replace("g", marks[0]).replace("d", marks[1])) == f"{whole}.{cents:02d}"


@given(st.text("0123456789.,-/:", max_size=12))
def test_any_text_has_a_value_of_the_same_digits(text: str) -> None:
    for value in (canonical(text), decimal(text)):
        assert [c for c in value if c.isdecimal()] == [c for c in text if c.isdecimal()]
