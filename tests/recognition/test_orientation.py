"""Pages that lie on a side or upside down are turned; pages that may be either stay as they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_digits import Reader, UsageError
from edge_digits.options import Options, PaperOptions
from edge_digits.reading.draw import annotate
from edge_digits.recognition.orientation import STRIP
from edge_digits.sources.frame import Frame
from tests.strokes import draw_page

LINES = ["4073", "18925", "3574"]
TURNS = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


def turned(picture: NDArray[np.uint8], clockwise_deg: int) -> NDArray[np.uint8]:
    turn = TURNS[clockwise_deg]
    return picture if turn is None else np.asarray(cv2.rotate(picture, turn), np.uint8)


@pytest.mark.parametrize("lies_deg", TURNS)
def test_a_page_is_read_however_it_lies(reader: Reader, lies_deg: int, tmp_path: Path) -> None:
    picture = turned(draw_page(LINES), lies_deg)
    reading = reader.read(picture)
    failure = tmp_path / f"lies-{lies_deg}.png"
    if reading.text.split() != LINES:
        cv2.imwrite(str(failure), annotate(Frame.from_array(picture), reading))
    assert reading.text.split() == LINES, f"read {reading.text!r}; see {failure}"


@pytest.mark.parametrize("lies_deg", TURNS)
def test_boxes_stay_in_the_pixels_of_the_picture(reader: Reader, lies_deg: int) -> None:
    upright = [digit.box for digit in reader.read(draw_page(LINES)).digits]
    found = [digit.box for digit in reader.read(turned(draw_page(LINES), lies_deg)).digits]
    for (x, y, w, h), box in zip(upright, found, strict=True):
        there = np.zeros((700, 1000), np.uint8)
        there[y : y + h, x : x + w] = 255
        assert box == pytest.approx(cv2.boundingRect(turned(there, lies_deg)), abs=6)


@pytest.mark.parametrize("line", ["6908", "69", "0", "1", "8", "111"])
def test_what_reads_either_way_stays_as_it_is(reader: Reader, line: str) -> None:
    picture = draw_page([line])
    assert reader.read(picture).text == Reader(threads=1, rotate="0").read(picture).text


@pytest.mark.parametrize("lies_deg", TURNS)
def test_words_are_no_digits_however_they_lie(reader: Reader, lies_deg: int) -> None:
    page = np.full((700, 1000), 235, np.uint8)
    for row, words in enumerate(["the hill below us", "is both Zoe Soils", "lost boggles bliss", "oil on the slope"]):
        cv2.putText(page, words, (60, 150 + 140 * row), cv2.FONT_HERSHEY_SIMPLEX, 2.4, 40, 5, cv2.LINE_AA)
    assert reader.read(turned(page, lies_deg)).text == ""


def test_a_strip_is_not_stood_on_end(reader: Reader) -> None:
    strip = turned(draw_page(["4", "7", "2", "5", "3"], width=170, height=760), 90)
    assert strip.shape[1] > STRIP * strip.shape[0]
    page = cv2.copyMakeBorder(strip, 150, 150, 0, 0, cv2.BORDER_REPLICATE)
    assert reader.read(page).text.split() == ["4", "7", "2", "5", "3"]
    assert reader.read(strip).text == Reader(threads=1, rotate="0").read(strip).text


@pytest.mark.parametrize("lies_deg", [0, 90, 180, 270])
def test_a_turn_that_the_user_gives(lies_deg: int) -> None:
    rotate = str(-lies_deg % 360)
    told = Reader(options=Options(paper=PaperOptions(rotate)))  # type: ignore[arg-type]
    assert told.read(turned(draw_page(LINES), lies_deg)).text.split() == LINES


def test_a_turn_told_wrongly_is_obeyed() -> None:
    assert Reader(threads=1, rotate="90").read(draw_page(LINES)).text.split() != LINES


@pytest.mark.parametrize("rotate", ["45", "", "left"])
def test_other_turns_are_refused(rotate: str) -> None:
    with pytest.raises(UsageError, match="rotate is"):
        Reader(rotate=rotate)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1), (700, 1000)])
def test_an_empty_page_stays_as_it_is(reader: Reader, shape: tuple[int, int]) -> None:
    assert reader.read(np.full(shape, 235, np.uint8)).text == ""
