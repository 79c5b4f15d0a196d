"""Films have the truth of every frame, and the judge tells right from wrong by place and digits."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import ExitCode, InputDecodeError, UsageError
from edge_digits.reading.reading import Reading
from edge_digits.sources.frame import Frame
from export.films.__main__ import main
from export.films.choreography import DISTURBED, choreograph
from export.films.film import FPS, HEIGHT_PX, SMALLEST_DIGIT_PX, WIDTH_PX, Take, TrueNumber, prepare, render
from export.films.judging import Played, keeping_up, play, settling, simulate
from export.films.store import StoredFilm, load_films
from export.films.verdict import Told, verdict_of
from export.pages.camera import Noise
from export.pages.scenes import Surroundings
from export.pages.view import Sources
from tests.doubles.pages import draw_page, number, reading, with_noise, write_film
from tests.export.pages.drawn_sources import drawn_sources

TWO = (TrueNumber(((1, (10.0, 10.0, 20.0, 40.0)), (2, (40.0, 10.0, 20.0, 40.0)))), TrueNumber(((7, (200.0, 10.0, 20.0, 40.0)),)))


@pytest.fixture(scope="module")
def film() -> Take:
    return prepare(Sources(drawn_sources(), Surroundings((), ()), Noise()), seed=1, index=0)


def stored(path: Path = Path("none.avi"), frames: int = 3) -> StoredFilm:
    poses = np.repeat(np.array([[[1, 0, 100], [0, 1, 50], [0, 0, 1]]], float), frames, axis=0)
    return StoredFilm(path, "plain", TWO, (("printed", (300.0, 10.0, 20.0, 40.0)),), poses, 0.5, 4.0, ())


def told(text: str, box: tuple[int, int, int, int], at_s: float = 1.0, identity: int = 1, kind: str = "settled") -> Told:
    return Told(kind, text, 0.99, box, 0, at_s, at_s, identity)


def test_a_film_begins_and_ends_without_its_sheet(film: Take) -> None:
    story = film.choreography
    assert story.at(0.0).away == story.at(story.length_s).away == 1.0
    assert story.at(story.rest_s).away == 0.0
    assert film.length == int(story.length_s * FPS)


def test_disturbances_come_while_the_sheet_lies() -> None:
    for seed in range(20):
        story = choreograph(np.random.default_rng(seed))
        assert len(story.disturbances) == DISTURBED
        for kind, start, end in story.disturbances:
            assert story.gone < start < end < story.back
            middle = story.at((start + end) / 2)
            assert {"shake": middle.shake > 0, "shadow": middle.shadow is not None, "focus": middle.blur > 0}[kind]
            assert middle.away == 0.0


def test_the_truth_lies_where_the_ink_is(film: Take) -> None:
    at_rest = int((film.choreography.gone + 0.9) * FPS)
    pose = film.pose(at_rest)
    picture = cv2.warpPerspective(film.layer, pose, (WIDTH_PX, HEIGHT_PX))[:, :, 0]
    for _, (x, y, w, h) in (digit for each in film.numbers for digit in each.digits):
        corners = cv2.perspectiveTransform(np.array([[[x, y], [x + w, y + h]]]), pose)[0]
        (left, top), (right, bottom) = corners.min(axis=0).astype(int), corners.max(axis=0).astype(int)
        assert 0 <= left < right <= WIDTH_PX
        assert 0 <= top < bottom <= HEIGHT_PX
        assert bottom - top >= 0.5 * SMALLEST_DIGIT_PX
        inside = picture[top:bottom, left:right]
        assert int(inside.max()) - int(inside.min()) > 15


def test_the_first_frames_show_the_desk_and_no_two_are_alike(film: Take) -> None:
    first, second = islice(render(film, Sources(drawn_sources(), Surroundings((), ()), Noise()), 0), 2)
    assert first.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("text", "box", "kind"),
    [
        ("12", (110, 60, 50, 40), "right"),
        ("1.2", (110, 60, 50, 40), "right"),
        ("13", (110, 60, 50, 40), "wrong"),
        ("2", (110, 60, 50, 40), "wrong"),
        ("1", (110, 60, 20, 40), "grouped otherwise"),
        ("127", (110, 60, 210, 40), "grouped otherwise"),
        ("1?", (110, 60, 50, 40), "unsure"),
        ("5", (400, 60, 20, 40), "mark beside"),
        ("5", (900, 600, 20, 40), "no number"),
    ],
)
def test_what_is_told_is_judged_by_place_and_digits(text: str, box: tuple[int, int, int, int], kind: str) -> None:
    assert verdict_of(told(text, box), stored()).kind == kind


def test_the_sum_counts_numbers_and_not_events() -> None:
    each = Played(
        stored(), [told("1?", (110, 60, 50, 40)), told("12", (110, 60, 50, 40), 2.0, kind="changed"), told("3", (900, 600, 9, 9))]
    )
    result = settling([each])
    assert (result["numbers"], result["settled_right"], result["never_settled"], result["wrong_events"]) == (2, 1, 1, 1)
    assert result["seconds_to_settle"]["p50"] == 1.5
    assert (result["digits"], result["digits_settled_right"]) == (3, 2)
    assert settling([])["share_settled_right"] == 0.0
    assert keeping_up([])["share_of_frames_older_than_two_frame_times"] is None


class SheetReader:
    """Finds the number 12 of `stored` wherever dark ink is in the picture."""

    def read_frame(self, frame: Frame) -> Reading:
        found = [number("12", (110, 60, 50, 40))] if frame.picture.min() < 120 else []
        return reading(found)


@pytest.mark.parametrize("way", ["by its own clock", "in real time"])
def test_a_film_is_watched(way: str, tmp_path: Path) -> None:
    empty, sheet = draw_page({}, (240, 320)), draw_page({(110, 60): "12"}, (240, 320), 40)
    pictures = [with_noise(sheet if index > 14 else empty, index) for index in range(70)]
    played = stored(write_film(tmp_path / "film.avi", pictures, FPS), len(pictures))
    reader = SheetReader()
    result = simulate(played, reader) if way == "by its own clock" else play(played, reader)  # type: ignore[arg-type]
    assert [(each.kind, each.text) for each in result.told] == [("settled", "12")]
    assert settling([result])["settled_right"] == 1
    if way == "in real time":
        assert result.looks + result.dropped <= len(pictures)
        assert len(result.ages_ms) == result.looks


def test_films_that_are_not_there_or_damaged_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="holds no films"):
        load_films(tmp_path)
    (tmp_path / "films.jsonl").write_text(json.dumps({"film": "x.avi"}) + "\n")
    with pytest.raises(InputDecodeError, match="is damaged"):
        load_films(tmp_path)
    assert main(["judge", str(tmp_path / "none")]) == ExitCode.USAGE
    assert capsys.readouterr().err.count("\n") == 1
