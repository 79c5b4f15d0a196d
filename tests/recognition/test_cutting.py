"""Only what may be several digits is cut; what is not cut keeps its predictions, and nothing that the full set proposes is lost."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.options import RecognitionOptions
from edge_digits.paper.glyphs import Glyphs, cut_glyphs, find_glyphs, find_pieces
from edge_digits.paper.ink import Ink, find_ink
from edge_digits.paper.page import find_page
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier, Predictions
from edge_digits.recognition.cutting import SURE, cut_where_unsure, sure_digits
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from edge_digits.sources.frame import Frame
from tests.strokes import draw_digit, draw_page


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(RecognitionOptions(provider="cpu", threads=1))


def ink_of(picture: NDArray[np.uint8]) -> Ink:
    return find_ink(find_page(Frame.from_array(picture)))


def page_with_pair() -> NDArray[np.uint8]:
    """Four digits apart, and below them two that touch."""
    page = draw_page(["2357"])
    left, right, shared = draw_digit(0, 80, 7), draw_digit(0, 80, 7), 9
    both = np.zeros((len(left), left.shape[1] + right.shape[1] - shared), np.uint8)
    both[:, : left.shape[1]] = left
    both[:, left.shape[1] - shared :] = np.maximum(both[:, left.shape[1] - shared :], right)
    sheet = np.full((page.shape[0] + 200, page.shape[1]), int(page.max()), np.uint8)
    sheet[: page.shape[0]] = page
    y, x = page.shape[0] + 40, 100
    part = sheet[y : y + both.shape[0], x : x + both.shape[1]]
    part[both > 128] = 30
    return sheet


def pieces_of(picture: NDArray[np.uint8], classifier: Classifier) -> tuple[Glyphs, Predictions]:
    glyphs = find_pieces(ink_of(picture))
    return glyphs, classifier.predict(make_tiles([h.picture for h in glyphs.hypotheses]))


def test_sure_digits_stay_whole_and_a_pair_is_cut(classifier: Classifier) -> None:
    glyphs, predictions = pieces_of(page_with_pair(), classifier)
    sure = sure_digits(glyphs, predictions)
    cut, judged = cut_where_unsure(glyphs, predictions, classifier)
    assert len(glyphs.clusters) == 5
    widest = max(range(5), key=lambda index: max(f.box[2] for f in glyphs.clusters[index]))
    assert widest not in sure
    assert len(sure) >= 2
    for index in sure:
        assert cut.clusters[index] == glyphs.clusters[index]
    assert len(cut.clusters[widest]) > 1
    assert judged.probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_predictions_belong_to_their_hypotheses(classifier: Classifier) -> None:
    glyphs, predictions = pieces_of(page_with_pair(), classifier)
    cut, judged = cut_where_unsure(glyphs, predictions, classifier)
    anew = classifier.predict(make_tiles([h.picture for h in cut.hypotheses]))
    assert np.allclose(judged.probabilities, anew.probabilities, atol=1e-4)


def test_all_cut_is_what_the_full_proposals_are() -> None:
    ink = ink_of(page_with_pair())
    full, known = cut_glyphs(find_pieces(ink))
    assert [h.box for h in full.hypotheses] == [h.box for h in find_glyphs(ink).hypotheses]
    assert len(known) == len(full.hypotheses)
    assert (known == -1).any()
    none, same = cut_glyphs(find_pieces(ink), set())
    assert same.tolist() == list(range(len(none.hypotheses)))


def test_doubt_and_odd_shapes_are_never_sure(classifier: Classifier) -> None:
    glyphs, predictions = pieces_of(draw_page(["22"]), classifier)
    rows = np.zeros_like(predictions.probabilities)
    rows[:, 2], rows[:, NOT_ONE_DIGIT] = SURE + 0.01, 0.99 - SURE
    assert sure_digits(glyphs, Predictions(rows)) == {0, 1}
    rows[0, 2], rows[0, NOT_ONE_DIGIT] = SURE - 0.01, 1.01 - SURE
    assert sure_digits(glyphs, Predictions(rows)) == {1}
    small = Glyphs(glyphs.clusters, glyphs.hypotheses, glyphs.typical_height / 3, glyphs.ink)
    assert sure_digits(small, Predictions(rows)) == set()


def test_an_empty_page(classifier: Classifier) -> None:
    glyphs = find_pieces(ink_of(np.full((300, 400), 240, np.uint8)))
    cut, judged = cut_where_unsure(glyphs, Predictions(np.zeros((0, 11), np.float32)), classifier)
    assert len(cut.hypotheses) == len(judged) == 0
