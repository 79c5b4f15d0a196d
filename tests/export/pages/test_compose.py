"""Sheets: the same seed gives the same sheet, boxes hold the ink, and the lines say what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.data.folder import DataError, crop_to_ink, load_mnist
from export.pages.canvas import Canvas
from export.pages.clutter import strike_numbers
from export.pages.compose import compose_sheet
from export.pages.digit_source import VALIDATION_ONE_IN, DigitSet, load_digits
from export.pages.layouts import LAYOUTS
from export.pages.pens import Pen
from export.pages.printed_things import dial, keypad, ruler
from export.pages.sheet import SHEET_KINDS, Sheet
from export.pages.sources import load_sheet_sources
from export.pages.writer import choose_writer
from export.pages.writing import Line, write_line
from export.pages.written_text import cut_words, write_words
from tests.export.pages.drawn_sources import drawn_sources, drawn_words

SOURCES = drawn_sources()
PEN = Pen("fibre", (20, 20, 20), 4.0, 1.0, 0.0, 0.0, 0.3, 0.0)
EMPTY = ("text", "negative")
RARELY = {"printed": 1, "letters": 0}
"""Where a hand wrote a digit only now and then: on so many of six sheets at least."""


def sheet_of(kind: str, seed: int) -> Sheet:
    rng = np.random.default_rng(seed)
    return LAYOUTS[kind][0](rng, SOURCES).finish(rng)


def written(text: str, **how: object) -> Canvas:
    canvas = Canvas(np.full((200, 1200, 3), 255, np.uint8), "plain")
    rng = np.random.default_rng(1)
    line = Line(40, 100, 50, **how)  # type: ignore[arg-type]
    write_line(canvas, choose_writer(rng, SOURCES), PEN, text, line, rng)
    return canvas


def test_every_kind_is_made_and_named() -> None:
    assert set(LAYOUTS) == set(SHEET_KINDS)
    assert sum(share for _, share in LAYOUTS.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_boxes_lie_on_the_sheet_and_lines_agree_with_digits(kind: str) -> None:
    for seed in range(4):
        sheet = sheet_of(kind, seed)
        height, width = sheet.picture.shape[:2]
        assert sheet.picture.dtype == np.uint8
        assert 260 <= min(height, width) <= max(height, width) <= 1800
        assert sheet.kind == kind
        shown: dict[int, str] = {}
        for digit in sheet.digits:
            x, y, w, h = digit.box
            assert min(x, y) >= 0
            assert min(w, h) > 0
            assert x + w <= width + 1e-3
            assert y + h <= height + 1e-3
            shown[digit.line] = shown.get(digit.line, "") + str(digit.digit)
        assert shown == {index: "".join(c for c in line if c.isdigit()) for index, line in enumerate(sheet.lines)}
        if kind in EMPTY:
            assert not sheet.digits


def test_kinds_with_digits_mostly_show_some() -> None:
    for kind in LAYOUTS:
        if kind not in EMPTY:
            least = RARELY.get(kind, 4)
            assert sum(bool(sheet_of(kind, seed).digits) for seed in range(6)) >= least, kind


def test_few_sheets_of_letters_hold_digits() -> None:
    with_digits = [bool(sheet_of("letters", seed).digits) for seed in range(40)]
    assert 1 <= sum(with_digits) <= 14


def test_the_same_seed_gives_the_same_sheet_whatever_was_made_before() -> None:
    first = compose_sheet(np.random.default_rng([3, 7]), drawn_sources())
    for index in range(3):
        compose_sheet(np.random.default_rng([3, index]), SOURCES)
    again = compose_sheet(np.random.default_rng([3, 7]), SOURCES)
    assert np.array_equal(first.picture, again.picture)
    assert (first.digits, first.clutter, first.lines) == (again.digits, again.clutter, again.lines)


def test_boxes_hold_the_ink_of_what_was_written() -> None:
    canvas = written("5 0 7", gap=0.4)
    sheet = canvas.finish(np.random.default_rng(0))
    ink = sheet.picture.min(axis=2) < 128
    left = ink.copy()
    for digit in sheet.digits:
        x, y, w, h = digit.box
        part = np.s_[int(y) - 1 : int(y + h) + 2, int(x) - 1 : int(x + w) + 2]
        assert ink[part].sum() > 100
        rows, columns = np.nonzero(ink[part])
        assert np.ptp(rows) == pytest.approx(h, abs=4)
        assert np.ptp(columns) == pytest.approx(w, abs=4)
        left[part] = False
    assert not left.any()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("12.50", ["12.50"]),
        ("12.50 7", ["12.50", "7"]),
        ("03/04/2021", ["03/04/2021"]),
        ("-7", ["-7"]),
        ("5-", ["5"]),
        ("+ 5", ["5"]),
        ("3.", ["3"]),
        ("4^2", ["4", "2"]),
    ],
)
def test_numbers_are_cut_where_a_reader_would_cut_them(text: str, numbers: list[str]) -> None:
    canvas = written(text)
    assert [number.text for number in canvas.numbers] == numbers


def test_signs_that_hold_no_number_together_are_clutter() -> None:
    canvas = written("3+4-5=2", inner=frozenset(".,"))
    assert [number.text for number in canvas.numbers] == ["3", "4", "5", "2"]
    assert Counter(each.kind for each in canvas.clutter) == {"sign": 3}


def test_letters_are_clutter() -> None:
    canvas = written("ab 12")
    assert [number.text for number in canvas.numbers] == ["12"]
    assert Counter(each.kind for each in canvas.clutter) == {"letter": 2}


def test_a_digit_cut_by_the_edge_is_none() -> None:
    kinds = Counter()
    for x in range(0, 80, 8):
        canvas = Canvas(np.full((200, 300, 3), 255, np.uint8), "plain")
        rng = np.random.default_rng(1)
        write_line(canvas, choose_writer(rng, SOURCES), PEN, "88888888", Line(20 + x, 100, 90, gap=0.1), rng)
        kinds.update(each.kind for each in canvas.clutter)
        assert 0 < len(canvas.numbers[0].digits) < 8
    assert kinds["cut digit"] >= 3


def test_joined_zeros_are_zeros() -> None:
    canvas = written("1000", join_zeros=True)
    (number,) = canvas.numbers
    assert [value for value, _ in number.digits] == [1, 0, 0, 0]
    lefts = [box[0] for _, box in number.digits]
    assert lefts == sorted(lefts)


def test_struck_out_numbers_are_no_digits() -> None:
    canvas = written("12 34 56")
    strike_numbers(canvas, PEN, np.random.default_rng(0), 1.0)
    assert not canvas.numbers
    assert sum(each.kind == "struck out" for each in canvas.clutter) >= 3


def test_splits_share_no_digit(drawn_data: Path) -> None:
    train = load_digits(drawn_data, "train")[0]
    assert train.name == "mnist"
    assert 0.8 < len(train.glyphs) / 240 < 1.0
    kept = {glyph.tobytes() for glyph in train.glyphs}
    glyphs = load_mnist(drawn_data, "train")
    aside = [crop_to_ink(glyph).tobytes() for glyph in glyphs.glyphs if crop_to_ink(glyph).tobytes() not in kept]
    assert 0 < len(aside) < 240 / VALIDATION_ONE_IN * 2


def test_too_few_digits_for_a_split_are_named(drawn_data: Path) -> None:
    with pytest.raises(DataError, match="split validation"):
        load_digits(drawn_data, "validation")


def test_sources_load_without_fonts(drawn_data: Path) -> None:
    sources = load_sheet_sources(drawn_data)
    assert not sources.strings
    assert not sources.lettering.hand_fonts
    sheet = compose_sheet(np.random.default_rng(0), sources)
    assert sheet.picture.ndim == 3


def test_words_are_cut_from_a_page_of_text() -> None:
    page = np.full((600, 800), 230, np.uint8)
    for row in range(4):
        for column in range(3):
            cv2.putText(page, "window", (100 + 200 * column, 150 + 100 * row), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 0.9, 40, 2, cv2.LINE_AA)
    cv2.line(page, (0, 30), (800, 30), 20, 5)
    words = cut_words(page)
    assert len(words) == 12
    assert all(60 < word.shape[1] < 170 and word.max() > 200 for word in words)


def test_words_stay_on_the_sheet_and_are_clutter() -> None:
    canvas = Canvas(np.full((200, 500, 3), 255, np.uint8), "text")
    write_words(canvas, drawn_words(), PEN, (20.0, 100.0, 40.0), 400.0, np.random.default_rng(0))
    assert len(canvas.clutter) >= 2
    assert {each.kind for each in canvas.clutter} == {"word"}
    assert max(each.box[0] + each.box[2] for each in canvas.clutter) <= 440


def test_a_wide_open_zero_is_no_form_to_write() -> None:
    ring, bow = np.zeros((60, 50), np.uint8), np.zeros((60, 50), np.uint8)
    cv2.ellipse(ring, (25, 30), (18, 26), 0, 0, 360, 255, 4, cv2.LINE_AA)
    cv2.ellipse(bow, (25, 30), (18, 26), 0, -40, 220, 255, 4, cv2.LINE_AA)
    both = DigitSet("drawn", [crop_to_ink(ring), crop_to_ink(bow)], (np.arange(2),) + (np.arange(0),) * 9, np.zeros(2, np.float32))
    assert both.traced(0, 0) is not None
    assert both.traced(1, 0) is None


def test_one_kind_alone_may_be_asked_for() -> None:
    sheets = [compose_sheet(np.random.default_rng([4, index]), SOURCES, only="printed") for index in range(6)]
    assert {sheet.kind for sheet in sheets} == {"printed"}
    assert all(any(each.kind == "printed" for each in sheet.clutter) for sheet in sheets)


@pytest.mark.parametrize("thing", [keypad, dial, ruler])
def test_printed_things_hold_no_written_digit(thing: Callable[[Canvas, None, np.random.Generator], None]) -> None:
    for seed in range(8):
        canvas = Canvas(np.full((500, 700, 3), 240, np.uint8), "printed")
        thing(canvas, None, np.random.default_rng(seed))
        sheet = canvas.finish(np.random.default_rng(seed))
        printed = [each for each in sheet.clutter if each.kind == "printed"]
        assert not sheet.digits
        assert len(printed) >= 4
        x, y, w, h = (int(value) for value in printed[0].box)
        part = sheet.picture[y : y + h, x : x + w]
        assert int(part.max()) - int(part.min()) > 40
