"""The expectations by name: what each allows, what value it gives, what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_digits.errors import UsageError
from edge_digits.reading.expect import parse_expectation
from edge_digits.reading.values import MOST_VALUES, ValueList, read_values


def allows(expect: str, text: str) -> bool:
    automaton = parse_expectation(expect).automaton
    assert automaton is not None
    return automaton.accepts(text)


@pytest.mark.parametrize(
    ("expect", "text", "value"),
    [
        ("integer", "-17", "-17"),
        ("integer", "1,234,567", "1234567"),
        ("integer", "12 500", "12500"),
        ("decimal", "12,5", "12.5"),
        ("decimal", "1.234", "1.234"),
        ("decimal", "1.234,50", "1234.50"),
        ("decimal", "7", "7"),
        ("date", "31/12/2021", "2021-12-31"),
        ("date", "2021-04-03", "2021-04-03"),
        ("date", "03/04/2021", "03/04/2021"),
        ("date:dmy", "03/04/2021", "2021-04-03"),
        ("date:mdy", "03/04/2021", "2021-03-04"),
        ("date:dmy", "3.4.21", "3.4.21"),
        ("date:dmy", "03042021", "2021-04-03"),
        ("date:ymd", "20210403", "2021-04-03"),
        ("date:dmy", "29 2 2020", "2020-02-29"),
        ("phone", "0171-555 0199", "01715550199"),
        ("digits:6", "004711", "004711"),
        ("digits:4-6", "12345", "12345"),
        (r"regex:\d{2}:\d{2}", "12:30", "12:30"),
    ],
)
def test_what_is_allowed_has_its_value(expect: str, text: str, value: str) -> None:
    assert allows(expect, text)
    assert parse_expectation(expect).canonical(text) == value


@pytest.mark.parametrize(
    ("expect", "text"),
    [
        ("integer", "12.50"),
        ("integer", "12,34"),
        ("decimal", "1.2.3"),
        ("decimal", "12:30"),
        ("date", "31/11/2021"),
        ("date", "30/02/2021"),
        ("date:dmy", "12/31/2021"),
        ("date:dmy", "1/2-2021"),
        ("date", "1/1/1066"),
        ("phone", "1234"),
        ("phone", "0" * 16),
        ("digits:6", "12345"),
        ("digits:4-6", "1234567"),
    ],
)
def test_what_is_not_allowed(expect: str, text: str) -> None:
    assert not allows(expect, text)


@pytest.mark.parametrize(
    "expect",
    [
        "",
        "number",
        "integer:3",
        "date:ydm",
        "digits",
        "digits:",
        "digits:x",
        "digits:0",
        "digits:9-3",
        "digits:99",
        "regex:",
        "values:",
        "Date",
    ],
)
def test_what_is_not_known_is_told(expect: str) -> None:
    with pytest.raises(UsageError, match=r"give one|is no count|out of range|counts go"):
        parse_expectation(expect)


def test_values_from_a_list_and_a_file(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("\ufeff4821\n\n 9077 \n4821\n12.50\n", encoding="utf-8")
    assert read_values(str(file)).texts == ("4821", "9077", "12.50")
    assert read_values("7, 12,19").texts == ("7", "12", "19")
    expectation = parse_expectation(f"values:{file}")
    assert expectation.automaton is None
    assert expectation.values is not None
    assert expectation.values.texts == ("4821", "9077", "12.50")


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "holds 0 values"), ("12\nabc\n", "'abc' is no number"), ("-\n", "'-' is no number"), ("12.\n", "'12.' is no number")],
)
def test_a_bad_list_is_told(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "known.txt"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(says)):
        read_values(str(file))


def test_a_missing_or_binary_list_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_values(str(tmp_path / "missing.txt"))
    file = tmp_path / "known.txt"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_values(str(file))
    assert MOST_VALUES >= 100_000


def test_values_are_laid_out_by_length() -> None:
    values = ValueList(["12.5", "125", "-125", "7"])
    fitting = values.of_length(3)
    assert fitting is not None
    assert fitting.digits.tolist() == [[1, 2, 5]] * 3
    assert [fitting.layouts[i] for i in fitting.layout_of] == [("", "", "."), ("", "", ""), ("-", "", "")]
    assert values.of_length(2) is None
