"""Patterns allow what Python's regular expressions allow; what is no pattern of numbers is refused in one line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from edge_digits.errors import UsageError
from edge_digits.reading.patterns import compile_pattern

PATTERNS = [
    r"\d{3}",
    r"[12]\d?|30",
    r"(?:\d{2}-)+\d",
    r"-?\d+(\.\d{2})?",
    r"[^0-4]{2,3}",
    r"^\d{1,2}/(0[1-9]|1[0-2])$",
    r"(1|2|)(3)*4?",
    r"\d{2,}:\d{2}",
    r"[-.]?1[\d,]",
    r"0{0}5",
]

PARTS = st.sampled_from([r"\d", "1", "[0-3]", r"\.", "-", "[^5]", "0|7", "[,:]"])
PATTERN = st.recursive(
    PARTS,
    lambda part: st.one_of(
        st.builds("(?:{})*".format, part),
        st.builds("(?:{}){{1,2}}".format, part),
        st.builds("(?:{})?".format, part),
        st.builds("(?:{})(?:{})".format, part, part),
        st.builds("{}|{}".format, part, part),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=st.text("0123456789.,-/: ", max_size=7))
def test_the_same_as_re(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).accepts(text) == (re.fullmatch(pattern, text) is not None)


@given(PATTERN, st.text("0157.,-:", max_size=5))
def test_the_same_as_re_for_any_pattern(pattern: str, text: str) -> None:
    try:
        automaton = compile_pattern(pattern)
    except UsageError:
        reject()  # It allows no digit.
    assert automaton.accepts(text) == (re.fullmatch(pattern, text) is not None)


def test_every_state_leads_to_an_end() -> None:
    automaton = compile_pattern(r"1(2|34|5-)6{2,4}")
    alive = set(automaton.accepting)
    for _ in automaton.edges:
        alive |= {state for state, steps in enumerate(automaton.edges) if any(to in alive for to in steps.values())}
    reached = {0} | {to for steps in automaton.edges for to in steps.values()}
    assert reached <= alive


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(12", "is not closed"),
        ("12)", "has no partner"),
        ("[12", "is missing"),
        (r"\d{x}", "is no count"),
        (r"\d{3,2}", "out of range"),
        (r"\d{1000}", "out of range"),
        ("[a]", "stands in no number"),
        ("[9-0]", "is no range"),
        ("[]", "allows nothing"),
        ("(?=1)", "only '(?:'"),
        ("1\\", "ends in a backslash"),
        ("*1", "stands where"),
        ("-", "allows no digit"),
        ("", "allows no digit"),
        ("(\\d?" * 12 + "1" + "){64}" * 12, "too large"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        compile_pattern(pattern)
