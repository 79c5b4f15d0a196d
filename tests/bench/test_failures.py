"""Pictures of wrong pages and the page that lists them: what is marked where, and that nothing breaks on odd input."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.bench import failures
from edge_digits.bench.evaluation import EvaluatedPage
from edge_digits.bench.failure_index import index_html, picture_name
from edge_digits.bench.failure_picture import COLOURS, LARGEST_SIDE_PX, PANEL_PX, SMALLEST_SIDE_PX, draw_mistakes
from edge_digits.bench.mistakes import find_mistakes
from edge_digits.bench.scoring import score_page
from edge_digits.bench.truth import PageTruth
from edge_digits.errors import InputNotFoundError, UsageError
from edge_digits.reading.reading import Digit, Line, Number, Reading
from edge_digits.sources.frame import Frame

pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")

SIDE = 800


def reading_of(text: str, top: int = 300, *, width: int = SIDE, height: int = SIDE) -> Reading:
    """One line; each digit 40 wide and 60 high, 60 apart from the left edge on."""
    digits = [Digit(None if c == "?" else int(c), 0.9, (20 + 60 * i, top, 40, 60), ((8, 0.5),)) for i, c in enumerate(text)]
    lines = (Line((Number(tuple(digits)),)),) if digits else ()
    return Reading("page.png", 1, width, height, lines)


def frame_of(*shape: int) -> Frame:
    return Frame.from_array(np.full(shape or (SIDE, SIDE, 3), 255, np.uint8), "page.png")


def page_of(truth: list[str], read: str, name: str = "page.png", kind: str = "plain") -> EvaluatedPage:
    wanted, reading = PageTruth(name, tuple(truth), kind=kind, difficulty="hard", half="tune"), reading_of(read)
    lines = [line.text for line in reading.lines]
    return EvaluatedPage(wanted, name, score_page(wanted, lines), frame_of(), reading, None, 1.0, find_mistakes(wanted, lines))


def coloured(picture: np.ndarray, cause: str | None) -> np.ndarray:
    """Columns of the page, without the panel, that hold the colour of a cause."""
    page = picture[:, : picture.shape[1] - PANEL_PX].astype(int)
    return np.flatnonzero((np.abs(page - np.array(COLOURS[cause])) <= 2).all(axis=2).any(axis=0))


@pytest.mark.parametrize(
    ("truth", "read", "cause", "columns"),
    [
        ("123", "193", "confused", (80, 120)),
        ("13", "193", "extra", (80, 120)),
        ("123", "1?3", "unsure", (80, 120)),
        ("1423", "123", "missing", (55, 85)),
        ("1234", "123", "missing", (180, 240)),
        ("4123", "123", "missing", (0, 30)),
    ],
)
def test_a_mistake_is_marked_where_it_is(truth: str, read: str, cause: str, columns: tuple[int, int]) -> None:
    page = page_of([truth], read)
    assert page.reading is not None
    picture = draw_mistakes(frame_of(), page.reading, page.mistakes)
    assert picture.shape == (SIDE, SIDE + PANEL_PX, 3)
    found = coloured(picture, cause)
    assert found.size
    assert columns[0] - 4 <= found.min() <= found.max() <= columns[1] + 4
    others = set(COLOURS) - {cause, None}
    assert all(coloured(picture, other).size == 0 for other in others)


def test_every_cause_has_its_own_colour() -> None:
    assert len(set(COLOURS.values())) == len(COLOURS) == 5


def test_the_panel_tells_what_was_read() -> None:
    page = page_of(["123"], "193")
    assert page.reading is not None
    panel = draw_mistakes(frame_of(), page.reading, page.mistakes)[:, SIDE:]
    assert (panel < 200).any()
    right = page_of(["123"], "123")
    assert right.reading is not None
    empty = draw_mistakes(frame_of(), right.reading, right.mistakes)[:, SIDE:]
    assert (empty == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (8, 3000), (3000, 8, 3), (2400, 2400), (60, 90, 3)])
def test_pictures_of_any_shape(shape: tuple[int, ...]) -> None:
    reading = reading_of("12?", width=shape[1], height=shape[0])
    picture = draw_mistakes(frame_of(*shape), reading, find_mistakes(PageTruth("p", ("9" * 400, "2")), ["12?"]))
    assert picture.dtype == np.uint8
    assert max(picture.shape[0], picture.shape[1] - PANEL_PX) <= LARGEST_SIDE_PX
    assert picture.shape[0] >= SMALLEST_SIDE_PX


def test_a_page_without_any_reading() -> None:
    empty = reading_of("")
    assert draw_mistakes(frame_of(), empty, find_mistakes(PageTruth("p", ("12",)), [])).shape[0] == SIDE


def test_the_index_sums_up_and_lists_worst_first(tmp_path: Path) -> None:
    pages = [page_of(["14"], "19", "a.png"), page_of(["1444"], "9", "b.png", "table"), page_of(["4"], "9", "c.png")]
    failures.make_folder(tmp_path)
    for page in pages:
        failures.keep_picture(tmp_path, page)
    failures.write_index(tmp_path, pages, 7)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "3 of 7 pages read wrongly" in text
    assert "6 digits by cause" in text
    sources = re.findall(r'src="([^"]+)"', text)
    assert [name for name in sources if name.endswith(".read.jpg")] == ["b.png.read.jpg", "a.png.read.jpg", "c.png.read.jpg"]
    assert all(cv2.imread(str(tmp_path / name)) is not None for name in sources)
    anchors = set(re.findall(r'href="#([^"]+)"', text))
    assert anchors == set(re.findall(r'section id="([^"]+)"', text))
    confusion = re.search(r"<b>4</b> read <b class=\"confused\">9</b></td><td class=\"n\">(\d+)", text)
    assert confusion is not None
    assert confusion[1] == "3"
    assert text.index("<td>table</td>") < text.index("<td>plain</td>"), "the kind with most mistakes comes first"


def test_no_page_is_wrong(tmp_path: Path) -> None:
    failures.write_index(tmp_path, [], 4)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "0 of 4 pages read wrongly" in text
    assert "<section" not in text


def test_hostile_names_stay_text() -> None:
    name = '../"><script>alert(1)</script>.png'
    page = page_of(["<b>1</b>"], "2", name)
    text = index_html([page], 1)
    assert "<script" not in text
    assert "/" not in picture_name(page)


def test_a_page_that_could_not_be_opened_is_told_without_a_picture(tmp_path: Path) -> None:
    truth = PageTruth("lost.png", ("12",))
    page = EvaluatedPage(truth, "lost.png", score_page(truth, []), error=InputNotFoundError("lost.png: no such file"))
    failures.keep_picture(tmp_path, page)
    assert list(tmp_path.iterdir()) == []
    text = index_html([page], 1)
    assert "lost.png: no such file" in text
    assert "<img" not in text


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(UsageError, match="cannot be written"):
        failures.keep_picture(gone, page_of(["1"], "2"))
    with pytest.raises(UsageError, match="cannot be written"):
        failures.write_index(gone, [], 1)
