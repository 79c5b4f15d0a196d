"""What is written: every kind of number has its form."""

from __future__ import annotations

import re

import numpy as np
import pytest

from export.pages.line_texts import STYLES, line_text
from export.pages.numbers import NUMBER_KINDS, expression, number
from export.pages.signs import drawn_sign, has_sign, joined_zeros

FORMS = {
    "integer": r"\d{1,6}",
    "decimal": r"\d{1,4}[.,]\d{1,3}",
    "negative": r"-\d{1,6}([.,]\d{1,3})?",
    "amount": r"\d{1,5}([.,]\d{2,3}|,-|\.-| -|/-)",
    "date": r"\d{1,4}([/. -])\d{1,2}\1\d{1,4}",
    "clock": r"\d{1,2}[:.]\d{2}",
    "phone": r"[\d /.-]{8,20}",
    "code": r"\d{5,12}",
    "range": r"\d+-\d+",
    "round": r"\d{1,3}0{1,4}",
}


@pytest.mark.parametrize("kind", NUMBER_KINDS)
def test_numbers_have_the_form_of_their_kind(kind: str) -> None:
    rng = np.random.default_rng(4)
    made = [NUMBER_KINDS[kind][0](rng) for _ in range(200)]
    assert all(re.fullmatch(FORMS[kind], text) for text in made), made
    assert len(set(made)) > 8


def test_kinds_are_all_drawn_and_their_shares_make_one() -> None:
    assert sum(share for _, share in NUMBER_KINDS.values()) == pytest.approx(1.0)
    assert sum(share for _, share in STYLES.values()) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    assert all(any(character.isdigit() for character in number(rng)) for _ in range(300))


def test_signs_of_expressions_can_all_be_drawn() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        for character in expression(rng):
            assert (character.isascii() and character.isalnum()) or character == "^" or has_sign(character), character


def test_lines_of_every_style_hold_text() -> None:
    rng = np.random.default_rng(0)
    for style in STYLES:
        assert all(line_text(rng, style)[0].strip() for _ in range(50))


def test_signs_keep_to_the_line() -> None:
    for character in "+-=()/.,:":
        points = np.concatenate(drawn_sign(character).strokes)
        assert points[:, 1].min() >= -0.2
        assert points[:, 1].max() <= 1.25


def test_joined_zeros_link_all_but_the_last() -> None:
    zeros = joined_zeros(np.random.default_rng(2), 4)
    assert [len(zero.links) for zero in zeros] == [1, 1, 1, 0]
    for zero in zeros:
        (loop,) = zero.strokes
        assert np.ptp(loop[:, 1]) == pytest.approx(1.0, abs=0.2)
        # The link begins where the loop ends.
        for link in zero.links:
            assert np.hypot(*(link[0, :2] - loop[-1, :2])) < 0.02
