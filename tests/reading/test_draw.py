"""The annotated picture shows every digit and leaves the picture itself alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge_digits.reading.draw import DOUBTFUL, SIGN, SURE, UNSURE, annotate
from edge_digits.reading.reading import Digit, Line, Number, Reading, Sign
from edge_digits.sources.frame import Frame


def reading_of(*digits: Digit) -> Reading:
    return Reading("page.png", 1, 200, 120, (Line((Number(digits),)),) if digits else ())


@pytest.mark.parametrize(
    ("digit", "colour"),
    [(Digit(4, 0.99, (50, 40, 30, 60)), SURE), (Digit(4, 0.7, (50, 40, 30, 60)), DOUBTFUL), (Digit(None, 0.3, (50, 40, 30, 60)), UNSURE)],
)
def test_each_digit_is_boxed_in_its_colour(digit: Digit, colour: tuple[int, int, int]) -> None:
    grey = np.full((120, 200), 255, np.uint8)
    drawn = annotate(Frame.from_array(grey), reading_of(digit))
    assert drawn.shape == (120, 200, 3)
    assert tuple(drawn[100, 60]) == colour
    assert (grey == 255).all()


def test_without_digits_the_picture_is_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    assert (annotate(Frame.from_array(picture), reading_of()) == picture).all()


def test_boxes_over_the_edge_do_no_harm() -> None:
    drawn = annotate(Frame.from_array(np.zeros((10, 10), np.uint8)), reading_of(Digit(8, 1.0, (-5, -5, 500, 500))))
    assert drawn.shape == (10, 10, 3)


def test_a_sign_has_a_box_of_its_own_colour() -> None:
    digits = (Digit(1, 0.99, (20, 40, 30, 60)), Digit(5, 0.99, (90, 40, 30, 60)))
    number = Number(digits, (Sign(".", 1, (60, 92, 10, 10)), Sign(" ", 1, (70, 40, 10, 10))))
    drawn = annotate(Frame.from_array(np.full((120, 200), 255, np.uint8)), Reading("page.png", 1, 200, 120, (Line((number,)),)))
    assert tuple(drawn[102, 65]) == SIGN
    assert tuple(drawn[40, 75]) == (255, 255, 255)
