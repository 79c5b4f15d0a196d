"""Digits that only the finder sees are cut out of what they hang on, and judged beside what pieces of ink hold."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_digits.options import RecognitionOptions
from edge_digits.paper.glyphs import SEEN, Glyphs, find_pieces
from edge_digits.paper.ink import find_ink
from edge_digits.paper.page import find_page
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.companions import CELL_PX
from edge_digits.recognition.decode import Candidate, with_seen
from edge_digits.recognition.finder import PageMaps
from edge_digits.recognition.runs import runs_to_read
from edge_digits.recognition.seen_digits import add_seen_digits, boxes_of_digits, find_seen_digits
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from edge_digits.sources.frame import Frame
from tests.strokes import draw_digit

SCALE = 0.3
HEIGHT = 60
DIGITS = {2: (100, 150), 3: (190, 150), 5: (280, 150)}


def glyphs_of(*, hung: bool) -> Glyphs:
    """Three digits; or the same with a heavy stroke through all of them."""
    picture = np.full((400, 600), 235, np.uint8)
    for digit, (x, y) in DIGITS.items():
        drawn = draw_digit(digit, HEIGHT, 6)
        part = picture[y : y + drawn.shape[0], x : x + drawn.shape[1]]
        part[drawn > 128] = 30
    if hung:
        cv2.line(picture, (80, 200), (420, 245), 30, 5)
        cv2.line(picture, (80, 140), (420, 160), 30, 5)
    return find_pieces(find_ink(find_page(Frame.from_array(picture))))


def maps_of(page: Glyphs) -> PageMaps:
    """What a finder would say that knows all: the ink of the digits and their middles."""
    height, width = page.ink.strokes.shape
    rows, columns = -(-round(height * SCALE) // CELL_PX), -(-round(width * SCALE) // CELL_PX)
    strokes = np.zeros((rows * CELL_PX, columns * CELL_PX), np.float32)
    classes = np.zeros((11, rows, columns), np.float32)
    classes[NOT_ONE_DIGIT] = 1.0
    sizes = np.full((2, rows, columns), HEIGHT * SCALE, np.float32)
    bare = glyphs_of(hung=False)
    ink = cv2.resize(bare.ink.strokes, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    strokes[: ink.shape[0], : ink.shape[1]] = ink / 255.0
    for hypothesis, digit in zip(sorted(bare.hypotheses, key=lambda h: h.box[0]), DIGITS, strict=True):
        x, y, w, h = hypothesis.box
        row, column = int((y + h / 2) * SCALE / CELL_PX), int((x + w / 2) * SCALE / CELL_PX)
        classes[[digit, NOT_ONE_DIGIT], row, column] = 0.9, 0.1
        sizes[:, row, column] = h * SCALE, w * SCALE
    return PageMaps(strokes, classes, sizes, SCALE)


def nothing_seen(maps: PageMaps) -> PageMaps:
    classes = np.zeros_like(maps.classes)
    classes[NOT_ONE_DIGIT] = 1.0
    return replace(maps, classes=classes)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(RecognitionOptions(provider="cpu", threads=1))


def candidate(box: tuple[int, int, int, int], digit: int, probability: float) -> Candidate:
    row = np.full(11, (1 - probability) / 10, np.float32)
    row[digit] = probability
    return Candidate(box, row)


def test_digits_that_hang_together_are_cut_out_and_named(classifier: Classifier) -> None:
    glyphs = glyphs_of(hung=True)
    assert len(glyphs.clusters) < len(DIGITS)
    before = classifier.predict(make_tiles([h.picture for h in glyphs.hypotheses]))
    after, predictions = add_seen_digits(glyphs, maps_of(glyphs), before, classifier)
    added = after.hypotheses[len(glyphs.hypotheses) :]
    assert after.hypotheses[: len(glyphs.hypotheses)] == glyphs.hypotheses
    assert len(predictions) == len(after.hypotheses)
    assert (predictions.probabilities[: len(before)] == before.probabilities).all()
    assert [after.clusters[h.cluster][0].piece for h in added] == [SEEN] * len(DIGITS)
    found = sorted((h.box[0], int(row.argmax())) for h, row in zip(added, predictions.probabilities[len(before) :], strict=True))
    assert [digit for _, digit in found] == list(DIGITS)
    assert {h.cluster for h in added}.isdisjoint(runs_to_read(after))


def test_what_a_hypothesis_holds_is_not_added(classifier: Classifier) -> None:
    glyphs = glyphs_of(hung=False)
    before = classifier.predict(make_tiles([h.picture for h in glyphs.hypotheses]))
    after, predictions = add_seen_digits(glyphs, maps_of(glyphs), before, classifier)
    assert after is glyphs
    assert predictions is before


def test_where_nothing_is_seen_nothing_is_added() -> None:
    glyphs = glyphs_of(hung=True)
    maps = nothing_seen(maps_of(glyphs))
    assert len(boxes_of_digits(maps)) == 0
    assert find_seen_digits(glyphs, maps) == []


@pytest.mark.parametrize("size", [0.01, 1.0, 1e4])
def test_maps_that_cannot_be_are_borne(size: float) -> None:
    glyphs = glyphs_of(hung=True)
    maps = maps_of(glyphs)
    everywhere = np.zeros_like(maps.classes)
    everywhere[7] = 1.0
    wild = PageMaps(np.ones_like(maps.strokes), everywhere, np.full_like(maps.sizes, size), SCALE)
    height, width = glyphs.ink.strokes.shape
    for fragment in find_seen_digits(glyphs, wild):
        x, y, w, h = fragment.box
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
        assert fragment.shape.shape == (h, w)
    blank = replace(glyphs, hypotheses=(), ink=replace(glyphs.ink, darkness=np.zeros_like(glyphs.ink.darkness)))
    assert find_seen_digits(blank, maps) == []


def test_one_digit_is_seen_once() -> None:
    maps = maps_of(glyphs_of(hung=False))
    classes = maps.classes.copy()
    rows, columns = np.nonzero(classes[3] > 0.5)
    classes[:, rows[0], columns[0] + 2] = classes[:, rows[0], columns[0]]
    assert len(boxes_of_digits(replace(maps, classes=classes))) == len(DIGITS)


def digits_of(chosen: list[Candidate]) -> list[int]:
    return [c.digit if c.garbage_probability < 0.5 else NOT_ONE_DIGIT for c in chosen]


def test_a_seen_digit_takes_the_place_of_ink_that_is_none_but_of_no_digit() -> None:
    frame, digit = candidate((0, 0, 100, 100), NOT_ONE_DIGIT, 0.9), candidate((10, 10, 20, 40), 4, 0.9)
    inside, beside = candidate((40, 10, 20, 40), 7, 0.8), candidate((12, 12, 20, 40), 9, 0.95)
    assert digits_of(with_seen([frame, digit], [inside])) == [4, 7]
    assert digits_of(with_seen([frame, digit], [beside])) == [NOT_ONE_DIGIT, 4]
    assert digits_of(with_seen([frame], [candidate((40, 10, 20, 40), NOT_ONE_DIGIT, 0.9)])) == [NOT_ONE_DIGIT]
    assert with_seen([], []) == []
