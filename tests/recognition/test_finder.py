"""What the finder sees of a page is turned into maps, digits are cut free of frames, and its word is weighed with the others'."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits.paper.glyphs import Glyphs, find_pieces
from edge_digits.paper.ink import find_ink
from edge_digits.paper.overview import GLYPH_HEIGHT_PX
from edge_digits.paper.page import find_page
from edge_digits.recognition.classifier import Predictions
from edge_digits.recognition.companions import CELL_PX, MAP_CHANNELS
from edge_digits.recognition.finder import Finder, PageMaps, agreed, evidence, load_finder, weigh, without_frames
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from edge_digits.sources.frame import Frame
from tests.strokes import draw_digit


class FakeEngine:
    """Says that everything darker than half is a digit's ink, and that a 3 of `height` pixels has its middle in the darkest cell."""

    def __init__(self, height: float = GLYPH_HEIGHT_PX) -> None:
        self.height = height
        self.seen: list[tuple[int, ...]] = []

    def run(self, output: str, pages: NDArray[np.float32]) -> NDArray[np.float32]:
        assert output == "maps"
        self.seen.append(pages.shape)
        _, _, height, width = pages.shape
        maps = np.zeros((1, MAP_CHANNELS, height // CELL_PX, width // CELL_PX), np.float32)
        blocks = pages[0, 0].reshape(height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX)
        maps[0, : CELL_PX**2] = 20 * (blocks.transpose(1, 3, 0, 2).reshape(CELL_PX**2, *maps.shape[2:]) - 0.5)
        maps[0, CELL_PX**2 + NOT_ONE_DIGIT] = 6
        row, column = np.unravel_index(int(blocks.sum(axis=(1, 3)).argmax()), maps.shape[2:])
        maps[0, CELL_PX**2 + NOT_ONE_DIGIT, row, column], maps[0, CELL_PX**2 + 3, row, column] = 0, 6
        maps[0, CELL_PX**2 + NOT_ONE_DIGIT + 1 :] = np.log(self.height / CELL_PX)
        return maps


def finder(engine: Any) -> Finder:
    return Finder(engine)


def page_of(digits: tuple[int, ...] = (2, 3, 5), *, frame: bool = False) -> NDArray[np.uint8]:
    picture = np.full((400, 600), 235, np.uint8)
    for at, digit in enumerate(digits):
        drawn = draw_digit(digit, 60, 6)
        h, w = drawn.shape
        part = picture[150 : 150 + h, 100 + 90 * at : 100 + 90 * at + w]
        part[drawn > 128] = 30
    if frame:
        # Slanted, so that it is not found to be a rule.
        cv2.line(picture, (80, 200), (420, 245), 110, 3)
    return picture


def glyphs_of(picture: NDArray[np.uint8]) -> Glyphs:
    return find_pieces(find_ink(find_page(Frame.from_array(picture))))


def test_maps_lie_where_the_ink_lies() -> None:
    glyphs = glyphs_of(page_of())
    engine = FakeEngine()
    maps = finder(engine).look(glyphs)
    assert len(engine.seen) == 1
    height, width = maps.strokes.shape
    ink = cv2.resize(glyphs.ink.strokes, None, fx=maps.scale, fy=maps.scale, interpolation=cv2.INTER_AREA)
    inside = maps.strokes[: ink.shape[0], : ink.shape[1]][:height, :width]
    assert inside[ink[:height, :width] > 250].mean() > 0.9
    assert inside[ink[:height, :width] == 0].mean() < 0.1
    assert maps.classes.shape == (11, height // CELL_PX, width // CELL_PX)
    assert maps.classes.sum(axis=0) == pytest.approx(1.0, abs=1e-4)
    assert maps.sizes.max() == pytest.approx(GLYPH_HEIGHT_PX, rel=1e-3)


@pytest.mark.parametrize(("height", "looks"), [(GLYPH_HEIGHT_PX, 1), (1.3 * GLYPH_HEIGHT_PX, 1), (3 * GLYPH_HEIGHT_PX, 2), (4.0, 2)])
def test_a_page_is_looked_at_again_when_its_digits_are_of_another_size(height: float, looks: int) -> None:
    engine = FakeEngine(height)
    finder(engine).look(glyphs_of(page_of()))
    assert len(engine.seen) == looks
    if looks == 2:
        assert (engine.seen[1] > engine.seen[0]) == (height < GLYPH_HEIGHT_PX)


def test_digits_are_cut_free_of_what_they_hang_on() -> None:
    plain, hung = glyphs_of(page_of()), glyphs_of(page_of(frame=True))
    assert len(plain.clusters) == 3
    assert len(hung.clusters) < 3
    height, width = hung.ink.strokes.shape
    digits = cv2.resize(plain.ink.strokes, (width, height)).astype(np.float32) / 255
    scale = GLYPH_HEIGHT_PX / 60
    cells = np.zeros((11, round(height * scale) // CELL_PX, round(width * scale) // CELL_PX), np.float32)
    maps = PageMaps(cv2.resize(digits, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cells, cells[:2], scale)
    freed = without_frames(hung, maps)
    assert freed is not None
    assert not freed.strokes.flags.writeable
    assert len(find_pieces(freed).clusters) == 3
    assert without_frames(plain, maps) is None


def test_words_and_frames_alone_are_left_alone() -> None:
    hung = glyphs_of(page_of(frame=True))
    height, width = hung.ink.strokes.shape
    nothing = np.zeros((round(height / 3), round(width / 3)), np.float32)
    cells = np.zeros((11, 8, 8), np.float32)
    for strokes in (nothing, nothing + 1):
        assert without_frames(hung, PageMaps(strokes, cells, cells[:2], 1 / 3)) is None


def test_evidence_is_taken_at_each_glyph() -> None:
    glyphs = glyphs_of(page_of())
    maps = finder(FakeEngine()).look(glyphs)
    shares, classes = evidence(maps, glyphs)
    assert shares.shape == (len(glyphs.hypotheses),)
    assert (shares > 0.6).all()
    assert classes.shape == (len(glyphs.hypotheses), 11)
    assert classes.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    blind = PageMaps(np.zeros_like(maps.strokes), maps.classes, maps.sizes, maps.scale)
    assert (evidence(blind, glyphs)[0] == 0).all()


def test_what_is_no_digits_ink_becomes_less_of_a_digit() -> None:
    rows = np.full((3, 11), 0.01, np.float32)
    rows[:, 7] = 0.9
    classes = np.full((3, 11), 1 / 11, np.float32)
    weighed = weigh(Predictions(rows), np.array([0.0, 0.5, 1.0], np.float32), classes).probabilities
    assert weighed.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert weighed[0, 7] < weighed[1, 7] < weighed[2, 7]
    assert weighed[1, :10] == pytest.approx(rows[1, :10] / rows[1, :10].sum() * (1 - weighed[1, 10]), abs=1e-5)
    named = np.full((1, 11), 0.01, np.float32)
    named[0, 1] = 0.9
    assert weigh(Predictions(rows[:1]), np.array([0.5], np.float32), named).probabilities[0, 1] > weighed[1, 1]


def test_only_what_both_are_sure_of_and_agree_on_is_settled() -> None:
    rows = np.full((5, 11), 0.001, np.float32)
    rows[:, 7] = 0.99
    rows[1, [7, NOT_ONE_DIGIT]] = 0.7, 0.29
    classes = np.full((5, 11), 0.001, np.float32)
    classes[:, 7] = 0.99
    classes[2, [1, 7]] = 0.99, 0.001
    shares = np.array([0.95, 0.95, 0.95, 0.3, 0.95], np.float32)
    assert agreed(Predictions(rows), shares, classes).tolist() == [True, False, False, False, True]
    assert agreed(Predictions(rows[:0]), shares[:0], classes[:0]).shape == (0,)


def test_an_empty_page_is_not_looked_at() -> None:
    engine = FakeEngine()
    blank = glyphs_of(np.full((300, 400), 235, np.uint8))
    maps = finder(engine).look(blank)
    assert engine.seen == []
    assert not maps.strokes.any()
    assert without_frames(blank, maps) is None
    assert [part.shape for part in evidence(maps, blank)] == [(0,), (0, 11)]
    nothing = weigh(Predictions(np.zeros((0, 11), np.float32)), np.zeros(0, np.float32), np.zeros((0, 11), np.float32))
    assert len(nothing) == 0


def test_a_folder_without_a_finder_has_none(tmp_path: Any) -> None:
    assert load_finder(None, tmp_path) is None
