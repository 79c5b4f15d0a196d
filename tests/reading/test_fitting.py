"""What was read weighed against what is allowed: compared with adding up every string one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.reading.evidence import DIRT, LOST_SIGN, Evidence, make_evidence
from edge_digits.reading.expect import Expectation, parse_expectation
from edge_digits.reading.fitting import EXPECTED, MISFOUND, fit


def sure_of(
    text: str, probability: float = 0.99, signs: dict[int, str] | None = None, also: dict[int, tuple[int, float]] | None = None
) -> Evidence:
    """Digits read with a probability. also : by place, another digit and its probability."""
    rows = np.full((len(text), 10), (1 - probability) / 9)
    for place, character in enumerate(text):
        rows[place, int(character)] = probability
    for place, (digit, other) in (also or {}).items():
        rows[place] = (1 - probability - other) / 8
        rows[place, int(text[place])], rows[place, digit] = probability, other
    return make_evidence(rows, [(signs or {}).get(place, "") for place in range(len(text))])


def by_hand(evidence: Evidence, expectation: Expectation) -> dict[str, float]:
    """Posterior of every string of digits, by enumeration; for evidence without signs."""
    probabilities = evidence.probabilities
    texts = ["".join(map(str, digits)) for digits in product(range(10), repeat=len(probabilities))]
    assert expectation.automaton is not None
    allowed = {text for text in texts if expectation.automaton.accepts(text)}
    weights = {}
    for text in texts:
        p = float(np.prod([probabilities[place, int(c)] for place, c in enumerate(text)]))
        weights[text] = p * ((1 - EXPECTED) + (EXPECTED * len(texts) / len(allowed) if text in allowed else 0.0))
    total = sum(weights.values())
    return {text: weight / total for text, weight in weights.items()}


ROWS = st.lists(st.lists(st.floats(0.001, 1.0), min_size=10, max_size=10), min_size=1, max_size=3)


@pytest.mark.parametrize("expect", [r"regex:[1-3]\d?[05]?", "integer", r"regex:4|12|345|99\d"])
@given(rows=ROWS)
def test_the_posterior_is_that_of_enumeration(expect: str, rows: list[list[float]]) -> None:
    evidence = make_evidence(np.array(rows), [""] * len(rows))
    expectation = parse_expectation(expect)
    assert expectation.automaton is not None
    found = fit(evidence, expectation)
    posterior = by_hand(evidence, expectation)
    if found.fits:
        assert expectation.automaton.accepts(found.text)
        assert found.probability == pytest.approx(posterior[found.text], rel=1e-6)
        for place, digit in enumerate(found.digits):
            share = sum(p for text, p in posterior.items() if int(text[place]) == digit)
            assert found.marginals[place, digit] == pytest.approx(share, rel=1e-6)
    else:
        assert max((p for text, p in posterior.items() if expectation.automaton.accepts(text)), default=0.0) < 0.55


@given(rows=ROWS, values=st.lists(st.integers(0, 999), min_size=1, max_size=6))
def test_a_list_is_a_pattern_of_alternatives(rows: list[list[float]], values: list[int]) -> None:
    evidence = make_evidence(np.array(rows), [""] * len(rows))
    texts = sorted({str(value) for value in values})
    as_list = fit(evidence, parse_expectation("values:" + ",".join(texts)))
    as_pattern = fit(evidence, parse_expectation("regex:" + "|".join(texts)))
    assert (as_list.text, as_list.fits) == (as_pattern.text, as_pattern.fits)
    assert as_list.probability == pytest.approx(as_pattern.probability, rel=1e-6)


def test_the_second_guess_wins_where_it_alone_is_allowed() -> None:
    evidence = sure_of("123", 0.7, also={2: (8, 0.25)})
    found = fit(evidence, parse_expectation("values:128,456"))
    assert (found.text, found.value, found.fits) == ("128", "128", True)
    assert found.probability > 0.9


def test_clear_digits_stand_against_a_list() -> None:
    found = fit(sure_of("123", 0.999), parse_expectation("values:" + ",".join(str(n) for n in range(456, 956))))
    assert (found.text, found.fits) == ("123", False)


def test_a_long_list_says_less_than_a_short_one() -> None:
    evidence = sure_of("123", 0.6, also={2: (8, 0.3)})
    short = fit(evidence, parse_expectation("values:128"))
    long = fit(evidence, parse_expectation("values:128," + ",".join(str(n) for n in range(400, 900))))
    assert short.fits
    assert short.probability > long.probability


def test_of_another_length_nothing_fits() -> None:
    found = fit(sure_of("12345"), parse_expectation("digits:6"))
    assert not found.fits
    assert found.text == "12345"
    assert found.probability == pytest.approx(0.99**5 * (1 - EXPECTED) / (1 - EXPECTED + EXPECTED * MISFOUND))


def test_what_fits_any_digits_changes_nothing() -> None:
    found = fit(sure_of("123456", 0.9), parse_expectation("digits:6"))
    assert found.fits
    assert found.probability == pytest.approx(0.9**6)
    assert found.evidence == pytest.approx(0.0, abs=1e-9)


def test_a_point_and_a_comma_are_alike_and_a_dash_is_not() -> None:
    read = {1: ","}
    assert fit(sure_of("125", signs=read), parse_expectation(r"regex:\d\.\d{2}")).text == "1.25"
    assert not fit(sure_of("125", signs=read), parse_expectation(r"regex:\d-\d{2}")).fits


def test_dirt_is_sooner_dirt_than_a_number_that_is_none() -> None:
    found = fit(sure_of("125", signs={1: "."}), parse_expectation("values:125"))
    assert (found.text, found.value, found.fits) == ("125", "125", True)
    assert DIRT * EXPECTED * 1000 > 1 - EXPECTED


def test_a_sign_that_was_not_found_is_taken_from_the_list() -> None:
    found = fit(sure_of("1250"), parse_expectation("values:12.50,88.00"))
    assert (found.text, found.value) == ("1250", "12.50")
    both = fit(sure_of("1250"), parse_expectation("values:12.50,1250"))
    assert both.value == "1250"
    assert both.probability == pytest.approx(1 / (1 + LOST_SIGN), abs=0.03)


def test_leaning_ones_are_slashes_in_a_date() -> None:
    text = "1410512025"
    rows = np.full((10, 10), 0.001)
    rows[np.arange(10), [int(c) for c in text]] = 0.991
    leans = [20.0 if place in (2, 5) else 3.0 for place in range(10)]
    found = fit(make_evidence(rows, [""] * 10, leans), parse_expectation("date:dmy"))
    assert (found.text, found.fits) == ("14/05/2025", True)
    assert found.digits[2] is None
    upright = fit(make_evidence(rows, [""] * 10, [3.0] * 10), parse_expectation("date:dmy"))
    assert not upright.fits


def test_gaps_may_be_told_or_not() -> None:
    evidence = sure_of("01715550199", signs={4: " ", 7: " "})
    for expect in ("phone", "digits:11", r"regex:\d{4} \d{3} \d{4}"):
        found = fit(evidence, parse_expectation(expect))
        assert found.fits, expect
        assert found.probability == pytest.approx(0.99**11, rel=0.05)


def test_impossible_digits_do_not_divide_by_zero() -> None:
    rows = np.zeros((2, 10))
    rows[:, 0] = 1.0
    found = fit(make_evidence(rows, ["", ""]), parse_expectation("regex:[5-9]{2}"))
    assert not found.fits
    assert np.isfinite(found.probability)
