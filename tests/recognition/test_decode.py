"""The best path through a cluster: whole digits before their parts, sure splits before garbage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge_digits.paper.glyphs import Fragment, Glyphs, Hypothesis
from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.recognition.classifier import Predictions
from edge_digits.recognition.decode import choose_digits
from edge_digits.recognition.weights import NOT_ONE_DIGIT

INK = np.full((20, 10), 255, np.uint8)
PAGE = Page(np.zeros((20, 40), np.uint8), np.eye(3), (40, 20), False)


def cluster_of(count: int) -> Glyphs:
    """One cluster of fragments side by side, all runs proposed."""
    fragments = tuple(Fragment((10 * i, 0, 10, 20), INK) for i in range(count))
    runs = [Hypothesis(0, a, b, (10 * a, 0, 10 * (b - a + 1), 20), INK) for a in range(count) for b in range(a, count)]
    return Glyphs((fragments,), tuple(runs), 20.0, Ink(PAGE.grey, PAGE.grey, PAGE.grey, 1.0, PAGE))


def judge(glyphs: Glyphs, verdicts: dict[tuple[int, int], tuple[int, float]]) -> Predictions:
    """Rows with this label and probability for the named runs, "not one digit" for the others."""
    rows = np.zeros((len(glyphs.hypotheses), 11), np.float32)
    for row, h in zip(rows, glyphs.hypotheses, strict=True):
        label, probability = verdicts.get((h.first, h.last), (NOT_ONE_DIGIT, 0.99))
        row[:] = (1 - probability) / 10
        row[label] = probability
    return Predictions(rows)


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        ({(0, 1): (4, 0.9)}, [4]),
        ({(0, 1): (4, 0.9), (0, 0): (1, 0.95), (1, 1): (1, 0.95)}, [4]),
        ({(0, 0): (5, 0.98), (1, 1): (7, 0.97)}, [5, 7]),
    ],
    ids=["joined", "an open 4 is no 11", "two that touch"],
)
def test_the_better_story_wins(verdicts: dict[tuple[int, int], tuple[int, float]], wanted: list[int]) -> None:
    glyphs = cluster_of(2)
    chosen = choose_digits(glyphs, judge(glyphs, verdicts))
    assert [c.digit for c in chosen.candidates] == wanted


def test_a_letter_does_not_fall_into_ones() -> None:
    glyphs = cluster_of(3)
    chosen = choose_digits(glyphs, judge(glyphs, {(i, i): (1, 0.8) for i in range(3)}))
    assert all(c.garbage_probability > 0.5 for c in chosen.candidates)


def test_nothing_gives_nothing() -> None:
    empty = Glyphs((), (), 0.0, Ink(PAGE.grey, PAGE.grey, PAGE.grey, 1.0, PAGE))
    assert choose_digits(empty, Predictions(np.zeros((0, 11), np.float32))).candidates == ()


def test_every_fragment_is_explained_once() -> None:
    glyphs = cluster_of(4)
    chance = np.random.default_rng(5)
    rows = chance.dirichlet(np.ones(11), len(glyphs.hypotheses)).astype(np.float32)
    boxes = sorted(c.box for c in choose_digits(glyphs, Predictions(rows)).candidates)
    assert boxes[0][0] == 0
    assert sum(box[2] for box in boxes) == 40
    assert all(a[0] + a[2] == b[0] for a, b in pairwise(boxes))
