"""What a person gives to learn from: any picture of a digit, and every way in which a folder of them can be wrong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import InputNotFoundError, UsageError
from edge_digits.personal.samples import store_sample
from export.own_samples import check, doubtful, is_doubtful, load_folder, load_page, require_apart, same_pictures
from tests.command_line import LINES
from tests.personal.writers import write_samples
from tests.strokes import draw_digit


def picture(digit: int, side: int = 90, pen: float = 8.0) -> np.ndarray:
    return cv2.copyMakeBorder(draw_digit(digit, side, pen), side // 4, side // 4, side // 4, side // 4, cv2.BORDER_CONSTANT, value=0)


def store(folder: Path, digit: int, ink: np.ndarray, split: str = "train") -> Path:
    return store_sample(folder, split, digit, np.asarray(245 - ink * (205 / 255), np.uint8))  # type: ignore[arg-type]


@pytest.fixture
def hand(tmp_path: Path) -> Path:
    """Two of every digit."""
    return write_samples(tmp_path / "hand", 2, {})


def test_size_polarity_and_paper_do_not_matter(tmp_path: Path) -> None:
    ink = picture(4, 120)
    slope = np.linspace(150, 240, ink.shape[1])[None, :] * np.ones((ink.shape[0], 1))
    forms = {
        "chalk": ink,
        "pen": 255 - ink,
        "slope": (slope * (1 - ink / 255 * 0.8)).astype(np.uint8),
        "large": cv2.resize(255 - ink, None, fx=6, fy=6, interpolation=cv2.INTER_LINEAR),
        "small": cv2.resize(255 - ink, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA),
        "colour": cv2.cvtColor(np.asarray(255 - ink // 2, np.uint8), cv2.COLOR_GRAY2BGR),
    }
    (tmp_path / "4").mkdir()
    for name, form in forms.items():
        cv2.imwrite(str(tmp_path / "4" / f"{name}.png"), form)
    samples = load_folder(tmp_path)
    assert samples.names == [f"4/{name}.png" for name in sorted(forms)]
    differences = [np.abs(samples.tiles[0].astype(int) - tile).mean() for tile in samples.tiles]
    assert max(differences) < 12
    assert samples.tiles.dtype == np.uint8
    assert samples.counts() == [0, 0, 0, 0, 6, 0, 0, 0, 0, 0]


def test_what_cannot_be_used_is_named_and_left_out(hand: Path) -> None:
    (hand / "train" / "3" / "note.png").write_text("no picture", encoding="utf-8")
    cv2.imwrite(str(hand / "train" / "5" / "blank.png"), np.full((40, 40), 230, np.uint8))
    samples = check(load_folder(hand), hand)
    assert len(samples) == 20
    assert len(samples.remarks) == 2
    assert "note.png" in samples.remarks[0]
    assert "no ink" in samples.remarks[1]


def test_an_empty_class_is_told(hand: Path) -> None:
    for path in (hand / "train" / "7").iterdir():
        path.unlink()
    (hand / "train" / "2").rename(hand / "elsewhere")
    samples = check(load_folder(hand), hand)
    assert samples.counts() == [2, 2, 0, 2, 2, 2, 2, 0, 2, 2]
    assert "no samples of 2, 7" in samples.remarks[-1]


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    for pen in range(12):
        store(tmp_path, 3, picture(3, 90, 4 + pen))
    with pytest.raises(UsageError, match="all 12 samples are of the digit 3"):
        check(load_folder(tmp_path), tmp_path)


def test_too_few_and_none(tmp_path: Path) -> None:
    store(tmp_path, 3, picture(3))
    store(tmp_path, 4, picture(4))
    with pytest.raises(UsageError, match="2 samples are too few"):
        check(load_folder(tmp_path), tmp_path)
    with pytest.raises(InputNotFoundError, match="no usable samples"):
        check(load_folder(tmp_path, "test"), tmp_path)


def test_a_folder_of_another_layout(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no folders 0 to 9"):
        load_folder(tmp_path)


def test_the_same_picture_counts_once(hand: Path) -> None:
    path = next((hand / "train" / "6").iterdir())
    again = cv2.imread(str(path))
    cv2.imwrite(str(hand / "train" / "6" / "again.jpg"), again, [cv2.IMWRITE_JPEG_QUALITY, 97])
    samples = check(load_folder(hand), hand)
    assert samples.counts()[6] == 2
    assert "the same picture as" in samples.remarks[-1]


def test_one_picture_under_two_labels_is_refused(hand: Path) -> None:
    path = next((hand / "train" / "6").iterdir())
    (hand / "train" / "8" / "copy.png").write_bytes(path.read_bytes())
    with pytest.raises(UsageError, match="one picture under two labels"):
        check(load_folder(hand), hand)


def test_a_picture_in_train_and_test_is_refused(hand: Path) -> None:
    write_samples(hand, 1, {}, seed=2, split="test")
    train, test = load_folder(hand), load_folder(hand, "test")
    require_apart(train, test)
    for path in sorted((hand / "train").glob("*/*.png"))[:7]:
        (hand / "test" / path.parent.name / f"{path.stem}-copy.png").write_bytes(path.read_bytes())
    with pytest.raises(UsageError, match=r"test/0/.*\(as train/0/.*and 2 more: both in train and in test"):
        require_apart(train, load_folder(hand, "test"))


def test_other_pictures_of_one_hand_are_not_the_same(hand: Path) -> None:
    tiles = load_folder(hand).tiles
    assert same_pictures(tiles, tiles) == [(index, index) for index in range(20)]
    assert same_pictures(tiles[:0], tiles) == []


def test_labels_of_which_the_model_is_sure_otherwise(hand: Path) -> None:
    samples = load_folder(hand)
    chances = np.full((20, 11), 0.0, np.float32)
    chances[np.arange(20), samples.labels] = 1.0
    assert doubtful(samples, chances) == []
    chances[4] = chances[5]
    chances[4, :] = 0.0
    chances[4, 9] = 0.95
    chances[6, :] = 0.0
    chances[6, [3, 9]] = 0.4, 0.6
    (line,) = doubtful(samples, chances)
    assert line == "train/2/0001.png: labelled 2, read as 9 with 0.950"
    assert np.flatnonzero(is_doubtful(samples, chances)).tolist() == [4]


def test_a_labelled_page(good: Path) -> None:
    labels = " ".join(line.replace(" ", "") for line in LINES)
    samples = load_page(good, labels)
    assert samples.labels.tolist() == [int(character) for character in labels if character != " "]
    assert samples.names[0] == "good page.png digit 1"
    assert samples.tiles.any(axis=(1, 2)).all()


def test_a_page_that_the_labels_do_not_fit(good: Path) -> None:
    with pytest.raises(UsageError, match="line 1: 7 digits found"):
        load_page(good, "12 35")


def test_real_writers_hold_no_picture_twice(shared: Path) -> None:
    for writer, count in (("aiano", 99), ("kstock_ds10", 100)):
        folder = shared / "personal" / writer
        assert len(check(load_folder(folder), folder)) == count
