"""Corrections: stored in the layout of `collect`, learned at once, taken back, kept behind the guard."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits import Reader
from edge_digits.errors import InputDecodeError, UsageError
from edge_digits.paper.tiles import as_model_input, make_tiles
from edge_digits.personal.crops import Crop
from edge_digits.personal.learning import Learner, store_correction
from edge_digits.personal.reserve import load_reserve
from edge_digits.personal.samples import find_samples, glyph_of, read_samples
from edge_digits.sources.frame import Frame
from tests.personal.writers import mirrored, write_samples

HABITS = {2: mirrored, 7: mirrored}


@pytest.fixture
def reader() -> Reader:
    return Reader(provider="cpu", threads=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, np.ndarray]]:
    """Four rounds of 0 to 9 by a hand that turns 2 and 7 round."""
    folder = write_samples(tmp_path_factory.mktemp("hand"), 4, HABITS)
    samples = find_samples(folder)
    pictures = [(s.label, cv2.imread(str(s.path), cv2.IMREAD_GRAYSCALE)) for s in samples]
    return [pictures[digit * 4 + turn] for turn in range(4) for digit in range(10)]


def sees(reader: Reader, picture: np.ndarray) -> int:
    return int(reader.classifier.logits(make_tiles([glyph_of(Crop(picture))]))[0, :10].argmax())


def test_a_correction_is_learned_at_once(reader: Reader, written: list[tuple[int, np.ndarray]], tmp_path: Path) -> None:
    learner = Learner(reader, tmp_path)
    before = sum(sees(reader, picture) != digit for digit, picture in written[20:])
    corrections = [learner.add(picture, digit) for digit, picture in written[:20]]
    after = sum(sees(reader, picture) != digit for digit, picture in written[20:])
    assert before >= 3
    assert after < before
    assert all(c.after == c.digit for c in corrections if c.before != c.digit)
    assert learner.samples == 20
    assert len(find_samples(tmp_path)) == 20


def test_other_hands_are_not_forgotten(reader: Reader, written: list[tuple[int, np.ndarray]], tmp_path: Path) -> None:
    reserve = load_reserve()
    tiles = as_model_input(reserve.tiles)
    before = int((reader.classifier.logits(tiles)[:, :10].argmax(axis=1) != reserve.labels).sum())
    learner = Learner(reader, tmp_path)
    for digit, picture in written[:20]:
        learner.add(picture, digit)
    after = int((reader.classifier.logits(tiles)[:, :10].argmax(axis=1) != reserve.labels).sum())
    assert after - before <= 0.002 * len(reserve)


def test_what_the_folder_holds_counts(reader: Reader, written: list[tuple[int, np.ndarray]], tmp_path: Path) -> None:
    write_samples(tmp_path, 2, HABITS, seed=9)
    learner = Learner(reader, tmp_path)
    assert learner.samples == 20
    learner.add(written[0][1], written[0][0])
    assert learner.samples == 21


def test_undo_takes_file_and_learning_back(reader: Reader, written: list[tuple[int, np.ndarray]], tmp_path: Path) -> None:
    learner = Learner(reader, tmp_path)
    tiles = as_model_input(load_reserve().tiles[:20])
    shipped = reader.classifier.logits(tiles)
    correction = learner.add(written[2][1], 2)
    assert not np.array_equal(reader.classifier.logits(tiles), shipped)
    assert learner.undo() == correction.path
    assert not correction.path.exists()
    assert np.allclose(reader.classifier.logits(tiles), shipped, atol=1e-4)
    assert learner.undo() is None


def test_a_digit_of_a_page_is_cut_out_and_stored(reader: Reader, good: Path, tmp_path: Path) -> None:
    reading = reader.read(good)
    frame = Frame.from_array(cv2.imread(str(good)), str(good))
    wrong = reading.digits[1]
    correction = Learner(reader, tmp_path).correct(frame, wrong.box, 6, wrong.digit)
    assert correction.path.parent == tmp_path / "train" / "6"
    assert correction.before == wrong.digit
    other = store_correction(tmp_path, frame, wrong.box, 6, wrong.digit, "test")
    assert other.parent == tmp_path / "test" / "6"
    assert len(read_samples(find_samples(tmp_path))) == 1


def test_nothing_is_stored_of_empty_paper(reader: Reader, tmp_path: Path) -> None:
    learner = Learner(reader, tmp_path)
    with pytest.raises(InputDecodeError, match="no ink"):
        learner.correct(Frame.from_array(np.full((60, 60), 230, np.uint8)), (10, 10, 20, 30), 4)
    with pytest.raises(UsageError, match="digit 11"):
        learner.add(write_picture(), 11)
    assert list(tmp_path.rglob("*.png")) == []
    assert learner.samples == 0


def write_picture() -> np.ndarray:
    picture = np.full((60, 60), 230, np.uint8)
    cv2.line(picture, (30, 12), (28, 48), 20, 4)
    return picture


def test_what_was_learned_is_kept_by_name(
    reader: Reader, written: list[tuple[int, np.ndarray]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_DIGITS_HOME", str(tmp_path / "home"))
    learner = Learner(reader, tmp_path / "samples")
    for digit, picture in written:
        learner.add(picture, digit)
    model = learner.keep("me")
    assert model.adaptation.figures.own_errors_after < model.adaptation.figures.own_errors_before
    again = Reader(model="me", provider="cpu", threads=1)
    more = Learner(again, tmp_path / "samples")
    more.add(written[0][1], written[0][0])
    assert sum(sees(again, picture) != digit for digit, picture in written) <= 2
    assert more.keep("me").path == model.path
