"""`edge-digits collect --from`: a photographed page becomes labelled source crops, or nothing at all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import UsageError
from edge_digits.personal.crops import cut_out
from edge_digits.personal.pairing import contact_sheet, pair_labels, parse_labels
from edge_digits.personal.samples import find_samples
from edge_digits.reading.reading import Digit, Line, Number, Reading
from edge_digits.sources.frame import Frame
from tests.command_line import LINES, Run

LABELS = " ".join(line.replace(" ", "") for line in LINES)
"""What stands on the page of the fixture `good`, one group a line."""


def stored(folder: Path, split: str = "train") -> Counter[int]:
    return Counter(int(path.parent.name) for path in (folder / split).glob("*/*.png"))


def test_a_page_becomes_samples(run: Run, good: Path, tmp_path: Path) -> None:
    done = run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path)
    assert done.code == 0
    assert stored(tmp_path) == Counter(int(character) for character in LABELS if character != " ")
    assert sorted(Path(line) for line in done.out.splitlines()) == sorted(sample.path for sample in find_samples(tmp_path))
    sheet = cv2.imread(str(tmp_path / "contact_sheet.png"))
    assert sheet.shape == (118, 96 * 9, 3)
    assert "0, in red" in done.complaints[0]


def test_crops_are_the_photograph_itself(run: Run, good: Path, tmp_path: Path) -> None:
    run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path)
    page = cv2.imread(str(good), cv2.IMREAD_GRAYSCALE)
    for sample in find_samples(tmp_path):
        crop = cv2.imread(str(sample.path), cv2.IMREAD_UNCHANGED)
        _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(page, crop, cv2.TM_SQDIFF))
        assert (page[y : y + crop.shape[0], x : x + crop.shape[1]] == crop).all()


def test_collecting_twice_adds(run: Run, good: Path, tmp_path: Path) -> None:
    for _ in range(2):
        run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path)
    assert stored(tmp_path).total() == 18


def test_ten_to_train_then_five_to_test(run: Run, good: Path, tmp_path: Path) -> None:
    for number in range(10):
        folder = tmp_path / "train" / "7"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(b"")
    done = run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--split", "10/5")
    assert stored(tmp_path, "test") == Counter({7: 1})
    assert "stored 8 train and 1 test" in done.complaints[-1]


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("4071892 3", "line 2: 2 digits found ('35'), 1 labels given ('3')"),
        ("40718 35", "line 1: 7 digits found ('407 1892'), 5 labels given"),
        ("4071892", "2 lines found (407 1892 / 35), 1 lines of labels given"),
        ("407-1892 35", "'407-1892'"),
        ("  ", "empty"),
        ("٤٠٧ ٣٥", "give digits 0 to 9"),
    ],
)
def test_labels_that_do_not_fit_store_nothing(run: Run, good: Path, tmp_path: Path, labels: str, says: str) -> None:
    refused = run("collect", "--from", good, "--labels", labels, "--out", tmp_path / "samples")
    assert refused.code == 2
    assert refused.out == ""
    assert says in refused.complaints[0]
    assert not (tmp_path / "samples").exists()


def test_a_dry_run_writes_the_sheet_alone(run: Run, good: Path, tmp_path: Path) -> None:
    done = run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--dry-run")
    assert (done.code, done.out) == (0, "")
    assert [path.name for path in tmp_path.rglob("*")] == ["contact_sheet.png"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--from", "missing.jpg", "--labels", "1", "--out", "x"], 1, "missing.jpg"),
        (["--from", "missing.jpg", "--out", "x"], 2, "--labels"),
        (["--draw", "--labels", "12", "--out", "x"], 2, "--draw"),
        (["--draw", "--each", "0", "--out", "x"], 2, "each is 0"),
        (["--out", "x"], 2, "required"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], code: int, says: str) -> None:
    outcome = run("collect", *arguments)
    assert outcome.code == code
    assert outcome.out == ""
    assert says in outcome.err


def test_a_page_without_digits_pairs_with_nothing() -> None:
    frame = Frame.from_array(np.full((50, 50), 255, np.uint8))
    with pytest.raises(UsageError, match=r"0 lines found \(nothing\)"):
        pair_labels(Reading("blank", 1, 50, 50, ()), frame, parse_labels("12"))


def test_unsure_and_misread_digits_are_paired_all_the_same() -> None:
    digits = (Digit(None, 0.4, (2, 2, 5, 8)), Digit(7, 0.9, (20, 2, 5, 8)))
    reading = Reading("page", 1, 40, 12, (Line((Number(digits),)),))
    labelled = pair_labels(reading, Frame.from_array(np.full((12, 40, 3), 200, np.uint8)), ["31"])
    assert [(item.label, item.digit.digit) for item in labelled] == [(3, None), (1, 7)]
    sheet = contact_sheet(labelled)
    red = (sheet[:, :, 2].astype(int) - sheet[:, :, 1]) > 100
    assert not red[:, :96].any()
    assert red[:, 96:].any()


def test_crops_stay_inside_the_frame() -> None:
    frame = Frame.from_array(np.arange(600, dtype=np.uint16).astype(np.uint8).reshape(20, 30))
    assert cut_out(frame, (0, 0, 30, 20)).picture.shape == (20, 30)
    assert (cut_out(frame, (10, 8, 4, 4)).picture == frame.picture[6:14, 8:16]).all()
