"""`read --expect` and `Reader(expect=...)` on drawn pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_digits import Reader, UsageError
from edge_digits.errors import ExitCode
from tests.command_line import Run


def test_expected_integers_read_as_before(run: Run, good: Path) -> None:
    outcome = run("read", good, "--expect", "integer", "--format", "json")
    assert outcome.code == ExitCode.OK
    (page,) = outcome.pages
    numbers = [number for line in page["lines"] for number in line["numbers"]]
    assert [number["value"] for number in numbers] == ["407", "1892", "35"]
    assert not any("rule" in number for number in numbers)


def test_what_does_not_fit_is_told(run: Run, good: Path) -> None:
    (page,) = run("read", good, "--expect", "digits:3", "--format", "json").pages
    numbers = [number for line in page["lines"] for number in line["numbers"]]
    assert [(number["text"], number["value"]) for number in numbers] == [("407", "407"), ("1892", None), ("35", None)]
    assert numbers[1]["rule"] == {"name": "digits:3", "was": "1892", "fits": False}


def test_a_list_mends_what_was_read(good: Path) -> None:
    reading = Reader(threads=1, expect="values:407,1892,36").read(good)
    assert [number.value for number in reading.numbers][:2] == ["407", "1892"]
    last = reading.numbers[2]
    assert last.rule is not None
    assert last.rule.was == "35"


@pytest.mark.parametrize("expect", ["nonsense", "digits:0", "values:", "regex:["])
def test_what_is_no_expectation_is_one_line(run: Run, good: Path, expect: str) -> None:
    outcome = run("read", good, "--expect", expect)
    assert outcome.code == ExitCode.USAGE
    assert len(outcome.complaints) == 1
    assert outcome.out == ""
    with pytest.raises(UsageError):
        Reader(expect=expect)
