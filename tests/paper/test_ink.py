"""Ink is told from paper, light and ruled lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.ink import find_ink, measure_darkness
from edge_digits.paper.page import find_page
from edge_digits.paper.rules import erase_rules, find_rules
from edge_digits.sources.frame import Frame
from tests.strokes import draw_digit, draw_page

Grey = NDArray[np.uint8]


def strokes_of(picture: Grey) -> Grey:
    return find_ink(find_page(Frame.from_array(picture))).strokes


def overlap(found: Grey, truth: Grey) -> float:
    """Shared over joint pixels."""
    a, b = found > 0, truth > 0
    return float((a & b).sum() / max(1, (a | b).sum()))


TRUTH: Grey = (draw_page(["407", "1892"]) < 140).astype(np.uint8) * 255


def test_strokes_are_found() -> None:
    assert overlap(strokes_of(draw_page(["407", "1892"])), TRUTH) > 0.75


def test_a_shadow_across_the_page_changes_little() -> None:
    shade = np.linspace(1.0, 0.35, 1000)[None, :]
    assert overlap(strokes_of((draw_page(["407", "1892"]) * shade).astype(np.uint8)), TRUTH) > 0.7


def test_faint_pencil_beside_black_ink_is_kept() -> None:
    picture = draw_page(["407", "1892"]).astype(np.float32)
    picture[:350] = 235 - (235 - picture[:350]) * 0.3
    found = strokes_of(np.clip(picture, 0, 255).astype(np.uint8))
    assert overlap(found[:350], TRUTH[:350]) > 0.6
    assert overlap(found[350:], TRUTH[350:]) > 0.7


def test_chalk_on_a_board_is_ink() -> None:
    board = (255 - draw_page(["407", "1892"])) // 2 + 30
    assert overlap(strokes_of(board.astype(np.uint8)), TRUTH) > 0.6


@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_an_even_page_has_no_ink(level: int) -> None:
    assert not strokes_of(np.full((600, 800), level, np.uint8)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (2, 2), (7, 3)])
def test_absurd_shapes_pass(shape: tuple[int, int]) -> None:
    chance = np.random.default_rng(0)
    picture = chance.integers(0, 256, shape).astype(np.uint8)
    assert strokes_of(picture).dtype == np.uint8
    assert measure_darkness(picture).shape == shape


def ruled(tilt_px: int = 0) -> Grey:
    """Rules every 100 px over 800 x 1000, lower by tilt_px at the right edge."""
    sheet = np.zeros((800, 1000), np.uint8)
    for y in range(60, 740, 100):
        cv2.line(sheet, (0, y), (999, y + tilt_px), 255, 3)
    return sheet


@pytest.mark.parametrize("tilt_px", [0, 8, -15])
def test_rules_are_found_and_digits_on_them_stay(tilt_px: int) -> None:
    rules = ruled(tilt_px)
    digits = np.zeros_like(rules)
    for place, digit in enumerate((4, 5, 8, 7, 2)):
        glyph = draw_digit(digit, 90, 7)
        digits[280 : 280 + glyph.shape[0], 100 + 160 * place :][:, : glyph.shape[1]] = glyph
    digits = (digits > 127).astype(np.uint8) * 255
    found = find_rules(rules | digits)
    assert (found[rules > 0] > 0).mean() > 0.9
    left = erase_rules(rules | digits, found)
    assert overlap(left, digits) > 0.75


def test_the_bar_of_a_seven_is_no_rule() -> None:
    sheet = np.zeros((800, 1000), np.uint8)
    glyph = draw_digit(7, 150, 8)
    sheet[100 : 100 + glyph.shape[0], 100 : 100 + glyph.shape[1]] = (glyph > 127) * np.uint8(255)
    assert not find_rules(sheet).any()


@pytest.mark.parametrize("polarity", ["inverted", "chalk", "white on brown", "grey paper"])
def test_polarity(polarity: str) -> None:
    picture = draw_page(["407", "1892"]).astype(np.float32)
    level = {
        "inverted": 255 - picture,
        "chalk": (255 - picture) * 0.5 + 40,
        "white on brown": 140 + (235 - picture) * 0.5,
        "grey paper": picture * 0.35,
    }[polarity]
    assert overlap(strokes_of(np.clip(level, 0, 255).astype(np.uint8)), TRUTH) > 0.6
