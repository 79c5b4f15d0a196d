"""Digits become numbers and lines in the order a person reads them; letters around them are told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_digits.paper.glyphs import Glyphs
from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.reading.context import adapt_to_page
from edge_digits.reading.layout import arrange
from edge_digits.reading.numbers import to_frame_box
from edge_digits.recognition.decode import Candidate, Chosen
from edge_digits.recognition.weights import NOT_ONE_DIGIT

BLANK = np.zeros((4, 4), np.uint8)


def candidate(x: float, y: float, label: int, probability: float = 0.99, size: tuple[int, int] = (24, 40)) -> Candidate:
    row = np.full(11, (1 - probability) / 10, np.float32)
    row[label] = probability
    return Candidate((round(x), round(y), *size), row)


def chosen(candidates: list[Candidate], to_frame: np.ndarray | None = None) -> Chosen:
    page = Page(BLANK, np.eye(3) if to_frame is None else to_frame, (2000, 2000), False)
    return Chosen(tuple(candidates), Glyphs((), (), 40.0, Ink(BLANK, BLANK, BLANK, 1.0, page)))


def write(lines: list[str], slope: float = 0.0) -> list[Candidate]:
    """Digits 30 px apart, "x" a letter, lines 90 px apart, rising or falling by the slope."""
    found = []
    for row, line in enumerate(lines):
        for place, character in enumerate(line):
            if character != " ":
                x = 100 + 30 * place
                found.append(candidate(x, 100 + 90 * row + slope * x, NOT_ONE_DIGIT if character == "x" else int(character)))
    return found


def read(candidates: list[Candidate], min_confidence: float = 0.5) -> list[str]:
    return [line.text for line in arrange(chosen(candidates), min_confidence)]


@pytest.mark.parametrize("slope", [0.0, 0.12, -0.2])
def test_lines_and_numbers(slope: float) -> None:
    lines = ["12  345", "6789", "0 1  22"]
    assert [line.split() for line in read(write(lines, slope))] == [["12", "345"], ["6789"], ["0", "1", "22"]]


def test_order_of_discovery_does_not_matter() -> None:
    candidates = write(["12  345", "6789"])
    shuffled = [candidates[i] for i in np.random.default_rng(2).permutation(len(candidates))]
    assert read(shuffled) == read(candidates)


def test_an_unsure_digit_is_a_question_mark_with_candidates() -> None:
    digits = write(["12"])
    digits[1] = candidate(130, 100, 2, 0.45)
    (line,) = arrange(chosen(digits), 0.9)
    assert line.text == "1?"
    unsure = line.numbers[0].digits[1]
    assert unsure.digit is None
    assert unsure.candidates[0][0] == 2
    assert line.numbers[0].value is None


def test_digits_within_a_word_are_letters() -> None:
    assert read(write(["xx1xx0xx", "", "345"])) == ["345"]


def test_a_digit_beside_a_variable_stays() -> None:
    assert read(write(["2x  345"])) == ["2 345"]


@pytest.mark.parametrize(("lean_deg", "probability", "text"), [(10, 0.9, "5164"), (45, 0.9, "5 64"), (45, 0.995, "5164")])
def test_a_stroke_that_leans_far_is_a_one_only_when_it_surely_looks_like_one(lean_deg: float, probability: float, text: str) -> None:
    digits = write(["5164"])
    row = candidate(0, 0, 1, probability).probabilities
    assert digits[1].digit == 1
    digits[1] = replace(digits[1], probabilities=row, lean_deg=lean_deg)
    assert read(digits) == [text]


def test_nothing_and_letters_only_give_nothing() -> None:
    assert read([]) == []
    assert read(write(["xxx xx"])) == []


def test_dust_and_giants_are_no_digits() -> None:
    digits = [*write(["12345"]), candidate(600, 110, 0, 0.99, (6, 6)), candidate(700, 20, 1, 0.99, (60, 300))]
    assert read(digits) == ["12345"]


@given(st.lists(st.tuples(st.integers(0, 1900), st.integers(0, 1900), st.integers(0, 10), st.floats(0.2, 1.0)), max_size=25))
def test_any_company_is_arranged(places: list[tuple[int, int, int, float]]) -> None:
    lines = arrange(chosen([candidate(*place) for place in places]), 0.5)
    assert sum(len(n.digits) for line in lines for n in line.numbers) <= len(places)
    assert all(line.text for line in lines)


def test_boxes_come_out_in_the_pictures_pixels() -> None:
    page = Page(BLANK, np.array([[2.0, 0, 10], [0, 2.0, 20], [0, 0, 1]]), (400, 300), True)
    assert to_frame_box((5, 5, 10, 20), page) == (20, 30, 20, 40)
    x, y, w, h = to_frame_box((150, 100, 900, 900), page)
    assert x + w <= 400
    assert y + h <= 300


def test_among_letters_a_doubtful_digit_is_a_letter_and_among_digits_it_stays() -> None:
    row = np.zeros(11, np.float32)
    row[6], row[NOT_ONE_DIGIT] = 0.7, 0.3
    doubtful = Candidate((250, 100, 24, 40), row)
    among_letters = adapt_to_page([*write(["xxxxx xxxx"]), doubtful], 40.0)[-1]
    among_digits = adapt_to_page([*write(["12345 6789"]), doubtful], 40.0)[-1]
    assert among_letters.digit_probability < 0.4
    assert among_digits.digit_probability >= 0.7
    assert among_letters.probabilities.sum() == pytest.approx(1.0, abs=1e-4)
