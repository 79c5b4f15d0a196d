"""A cluster read whole against the path over its pieces: the surer one counts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Fragment, Glyphs, Hypothesis
from edge_digits.paper.ink import Ink
from edge_digits.paper.page import Page
from edge_digits.recognition.classifier import Predictions
from edge_digits.recognition.decode import CLEAR_RUN, LEAST_RUN, choose_digits, prefer_run
from edge_digits.recognition.strings import ReadString
from edge_digits.recognition.weights import NOT_ONE_DIGIT

Verdicts = dict[tuple[int, int], tuple[int, float]]


def row(label: int, probability: float) -> NDArray[np.float32]:
    found = np.full(11, (1 - probability) / 10, np.float32)
    found[label] = probability
    return found


def clusters_of(*counts: int) -> Glyphs:
    """Clusters of solid fragments side by side, 10 wide and 20 high, one cluster below the other; all runs proposed."""
    clusters, runs = [], []
    for index, count in enumerate(counts):
        y = 30 * index
        clusters.append(tuple(Fragment((10 * i, y, 10, 20), np.full((20, 10), 255, np.uint8)) for i in range(count)))
        for a in range(count):
            for b in range(a, count):
                ink = np.full((20, 10 * (b - a + 1)), 255, np.uint8)
                runs.append(Hypothesis(index, a, b, (10 * a, y, ink.shape[1], 20), ink))
    page = Page(np.zeros((90, 60), np.uint8), np.eye(3), (60, 90), False)
    return Glyphs(tuple(clusters), tuple(runs), 20.0, Ink(page.grey, page.grey, page.grey, 1.0, page))


def judge(glyphs: Glyphs, verdicts: Verdicts) -> Predictions:
    found = [verdicts.get((h.first, h.last), (NOT_ONE_DIGIT, 0.99)) for h in glyphs.hypotheses]
    return Predictions(np.array([row(label, probability) for label, probability in found], np.float32).reshape(-1, 11))


def read_of(probability: float, *labels: int) -> ReadString:
    middles = tuple((at + 0.5) / len(labels) for at in range(len(labels)))
    return ReadString(labels, probability, middles, np.array([row(label, 0.9) for label in labels], np.float32))


def digits(verdicts: Verdicts, read: ReadString | None, count: int = 2) -> list[tuple[int, tuple[int, int, int, int]]]:
    glyphs = clusters_of(count)
    chosen = choose_digits(glyphs, judge(glyphs, verdicts), None if read is None else {0: read})
    return [(c.digit if c.garbage_probability < 0.5 else NOT_ONE_DIGIT, c.box) for c in chosen.candidates]


UNSURE: Verdicts = {(0, 1): (4, 0.5), (0, 0): (5, 0.4), (1, 1): (6, 0.4)}
WHOLE = [(4, (0, 0, 20, 20))]
PARTED = [(5, (0, 0, 10, 20)), (6, (10, 0, 10, 20))]


def test_a_surer_reading_takes_the_pieces_that_give_it() -> None:
    assert digits(UNSURE, None) == WHOLE
    assert digits(UNSURE, read_of(0.95, 5, 6)) == PARTED


@pytest.mark.parametrize(
    "read",
    [
        read_of(0.4, 5, 6),
        read_of(0.95, 5, NOT_ONE_DIGIT),
        read_of(0.9, NOT_ONE_DIGIT),
        ReadString((), 0.99, (), np.zeros((0, 11), np.float32)),
    ],
    ids=["less sure", "a letter in it", "letters", "nothing"],
)
def test_the_path_stays(read: ReadString) -> None:
    assert digits(UNSURE, read) == digits(UNSURE, None)


def test_an_unlikely_reading_does_not_count_even_against_no_digit() -> None:
    letters: Verdicts = {}
    assert digits(letters, None) == [(NOT_ONE_DIGIT, (0, 0, 20, 20))]
    assert not {5, 6} & {digit for digit, _ in digits(letters, read_of(LEAST_RUN - 0.01, 5, 6))}
    assert digits(letters, read_of(LEAST_RUN + 0.01, 5, 6)) == PARTED


def test_ink_left_over_beside_digits_is_no_letter() -> None:
    pieces: Verdicts = {(0, 0): (5, 0.98), (2, 2): (6, 0.98)}
    assert [digit for digit, _ in digits(pieces, None, 3)] == [5, NOT_ONE_DIGIT, 6]
    assert [digit for digit, _ in digits(pieces, read_of(CLEAR_RUN + 0.01, 5, 6), 3)] == [5, 6]
    assert [digit for digit, _ in digits(pieces, read_of(0.01, 5, 6), 3)] == [5, NOT_ONE_DIGIT, 6]


def test_two_digits_in_one_stroke_are_cut_where_they_were_read() -> None:
    found = digits({(0, 0): (8, 0.3)}, read_of(0.95, 0, 0), count=1)
    assert found == [(0, (0, 0, 5, 20)), (0, (5, 0, 5, 20))]


def test_what_is_said_is_said_by_both() -> None:
    glyphs = clusters_of(2)
    predictions = judge(glyphs, {(0, 0): (5, 0.5), (1, 1): (1, 0.6)})
    judged = list(zip(glyphs.hypotheses, predictions.probabilities, strict=True))
    first, second = prefer_run([], glyphs.clusters[0], judged, read_of(1.0, 5, 6))
    assert (first.digit, second.digit) == (5, 6)
    # The read row gives 0.9, the pieces 0.5 to the same digit and 0.04 to another one.
    assert first.digit_probability > second.digit_probability
    assert first.garbage_probability == pytest.approx(0.01)
    assert first.lean_deg == pytest.approx(0.0, abs=0.1)


def test_other_clusters_are_left_alone() -> None:
    glyphs = clusters_of(2, 2)
    verdicts = judge(glyphs, UNSURE)
    chosen = choose_digits(glyphs, verdicts, {1: read_of(0.9, 5, 6)}).candidates
    assert [(c.digit, c.box[1]) for c in chosen] == [(4, 0), (5, 30), (6, 30)]
    assert choose_digits(glyphs, verdicts, {}).candidates[0].box == (0, 0, 20, 20)
