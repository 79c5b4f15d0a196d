"""Units of a line are joined to the numbers that are expected; what does not fit stays and is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.paper.page import Page
from edge_digits.reading.expect import parse_expectation
from edge_digits.reading.expected_numbers import expected_numbers
from edge_digits.reading.numbers import Group, group_digits
from edge_digits.reading.reading import Number
from edge_digits.reading.signs import Mark
from edge_digits.recognition.decode import Candidate

PAGE = Page(np.zeros((4, 4), np.uint8), np.eye(3), (4000, 400), False)
NO_RULES = np.zeros((400, 4000), np.uint8)


def groups(text: str, probability: float = 0.98) -> list[Group]:
    """A line as layout groups it: digits 24 wide, 30 apart, a space a gap of 1.3 heights; signs between, "-" in front."""
    digits, marks, x = [], [], 100
    for place, character in enumerate(text):
        if character == " ":
            x += 46
        elif character.isdecimal():
            row = np.full(11, (1 - probability) / 10, np.float32)
            row[int(character)] = probability
            digits.append(Candidate((x, 100, 24, 40), row))
            x += 30
        else:
            starts = character == "-" and (place == 0 or text[place - 1] == " ")
            marks.append(Mark(character, len(digits), (x, 120, 10, 6), starts))
            x += 12
    return group_digits(digits, marks, NO_RULES)


def read(text: str, expect: str, min_confidence: float = 0.5) -> list[Number]:
    found = expected_numbers(groups(text), parse_expectation(expect), PAGE, min_confidence)
    return [number for _, number in found]


@pytest.mark.parametrize(
    ("text", "expect", "values"),
    [
        ("12 345", "integer", ["12", "345"]),
        ("-7", "integer", ["-7"]),
        ("404-1000", "integer", ["404", "1000"]),
        ("1,234,567", "integer", ["1234567"]),
        ("12,50 7", "decimal", ["12.50", "7"]),
        ("0171 555 0199", "phone", ["01715550199"]),
        ("030-123456", "phone", ["030123456"]),
        ("12 34 56", "digits:6", ["123456"]),
        ("12 34 56 78", "digits:4", ["1234", "5678"]),
        ("1 2 3 4", "digits:4", ["1234"]),
        ("03 04 2021", "date:dmy", ["2021-04-03"]),
        ("14/05/2025", "date:dmy", ["2025-05-14"]),
        ("12:30", r"regex:\d{2}:\d{2}", ["12:30"]),
        ("4821 9077", "values:4821,9077", ["4821", "9077"]),
    ],
)
def test_what_fits_is_joined_and_has_its_value(text: str, expect: str, values: list[str]) -> None:
    assert [number.value for number in read(text, expect)] == values


def test_the_text_stays_as_it_was_written() -> None:
    (number,) = read("0171 555 0199", "phone")
    assert number.text == "0171 555 0199"
    assert number.rule is None


@pytest.mark.parametrize(
    ("text", "expect"),
    [("12345", "digits:6"), ("12.50", "integer"), ("1,2", "integer"), ("31/11/2021", "date:dmy"), ("1111", "values:4821")],
)
def test_what_does_not_fit_stays_without_a_value(text: str, expect: str) -> None:
    (number,) = read(text, expect)
    assert (number.text, number.value) == (text, None)
    assert number.rule is not None
    assert number.rule.to_dict() == {"name": expect, "was": text, "fits": False}
    assert number.confidence < 0.75


def test_the_rule_says_what_it_changed() -> None:
    line = groups("128")
    row = line[0].digits[2].probabilities
    row[8], row[3] = 0.55, 0.4
    (_, number), *rest = expected_numbers(line, parse_expectation("values:123,456"), PAGE, 0.5)
    assert rest == []
    assert (number.text, number.value) == ("123", "123")
    assert number.rule is not None
    assert number.rule.to_dict() == {"name": "values:123,456", "was": "128", "fits": True}
    assert number.digits[2].confidence > 0.9
    assert number.digits[2].candidates[0][0] == 3


def test_a_joined_number_names_all_that_it_was() -> None:
    first, second = read("404-1000", "integer")
    assert first.rule is not None
    assert second.rule is not None
    assert first.rule.was == second.rule.was == "404-1000"


def test_numbers_far_apart_are_not_joined() -> None:
    numbers = read("12    34", "digits:4")
    assert [(number.text, number.value) for number in numbers] == [("12", None), ("34", None)]


def test_an_unsure_digit_stays_unsure() -> None:
    found = expected_numbers(groups("1234", 0.5), parse_expectation("digits:4"), PAGE, 0.9)
    assert [(number.text, number.value) for _, number in found] == [("????", None)]


def test_nothing_gives_nothing() -> None:
    assert expected_numbers([], parse_expectation("integer"), PAGE, 0.5) == []


EXPECTS = ["integer", "decimal", "date", "phone", "digits:4", r"regex:\d+[-/]\d+", "values:12,345,6.7"]


@pytest.mark.parametrize("expect", EXPECTS)
@given(text=st.from_regex(r"-?[0-9]{1,4}([ .,:/-][0-9]{1,3}){0,3}", fullmatch=True), probability=st.floats(0.15, 0.999))
def test_no_digit_is_lost_and_all_is_in_bounds(expect: str, text: str, probability: float) -> None:
    line = groups(text, probability)
    found = expected_numbers(line, parse_expectation(expect), PAGE, 0.5)
    given_digits = [digit for group in line for digit in group.digits]
    assert [digit for group, _ in found for digit in group.digits] == given_digits
    for _, number in found:
        assert 0.0 <= number.confidence <= 1.0
        assert all(0.0 <= digit.confidence <= 1.0 for digit in number.digits)
        assert all(0 <= sign.before < len(number.digits) for sign in number.signs)
        assert (number.value is None) == ("?" in number.text or (number.rule is not None and not number.rule.fits))
