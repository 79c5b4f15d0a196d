"""`edge-digits collect --from`: a photographed page becomes labelled source crops, or nothing at all."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.errors import UsageError
from edge_digits.personal.contact_sheet import Labelled, confirm, contact_sheet
from edge_digits.personal.crops import Crop, cut_out
from edge_digits.personal.pairing import pair_labels, parse_labels
from edge_digits.personal.samples import find_samples
from edge_digits.reading.reading import Digit, Line, Number, Reading
from edge_digits.sources.frame import Frame
from tests.command_line import LINES, Run

LABELS = " ".join(line.replace(" ", "") for line in LINES)
"""What stands on the page of the fixture `good`, one group a line."""


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_digits.personal.window.sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def stored(folder: Path, split: str = "train") -> Counter[int]:
    return Counter(int(path.parent.name) for path in (folder / split).glob("*/*.png"))


def test_a_page_becomes_samples(run: Run, good: Path, tmp_path: Path) -> None:
    done = run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--yes")
    assert done.code == 0
    assert stored(tmp_path) == Counter(int(character) for character in LABELS if character != " ")
    assert sorted(Path(line) for line in done.out.splitlines()) == sorted(sample.path for sample in find_samples(tmp_path))
    sheet = cv2.imread(str(tmp_path / "contact_sheet.png"))
    assert sheet.shape == (118, 96 * 9, 3)
    assert "0, in red" in done.complaints[0]


def test_crops_are_the_photograph_itself(run: Run, good: Path, tmp_path: Path) -> None:
    run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--yes")
    page = cv2.imread(str(good), cv2.IMREAD_GRAYSCALE)
    for sample in find_samples(tmp_path):
        crop = cv2.imread(str(sample.path), cv2.IMREAD_UNCHANGED)
        _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(page, crop, cv2.TM_SQDIFF))
        assert (page[y : y + crop.shape[0], x : x + crop.shape[1]] == crop).all()


def test_collecting_twice_adds(run: Run, good: Path, tmp_path: Path) -> None:
    for _ in range(2):
        run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--yes")
    assert stored(tmp_path).total() == 18


def test_ten_to_train_then_five_to_test(run: Run, good: Path, tmp_path: Path) -> None:
    for number in range(10):
        folder = tmp_path / "train" / "7"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(b"")
    done = run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--split", "10/5", "--yes")
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
        (["--from", "missing.jpg"], 2, "--out"),
        (["--from", "missing.jpg", "--out", "x"], 1, "missing.jpg"),
        (["--draw", "--labels", "12", "--out", "x"], 2, "belong to --from"),
        (["--sheet", "x.pdf", "--dry-run"], 2, "belong to --from"),
        (["--draw", "--train", "-1", "--out", "x"], 2, "train is -1"),
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
    assert [(item.label, item.crop.origin.read) for item in labelled] == [(3, None), (1, 7)]
    sheet = contact_sheet(labelled)
    red = (sheet[:, :, 2].astype(int) - sheet[:, :, 1]) > 100
    assert not red[:, :96].any()
    assert red[:, 96:].any()
    struck = contact_sheet(labelled, {1})
    assert (struck != sheet)[:96, :96].any()
    assert (struck == sheet)[:, 96:].all()


def test_nobody_there_to_confirm_stores_nothing(run: Run, good: Path, tmp_path: Path) -> None:
    refused = run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path)
    assert refused.code == 2
    assert "--yes" in refused.complaints[-1]
    assert [path.name for path in tmp_path.rglob("*")] == ["contact_sheet.png"]


def test_what_is_left_out_is_not_stored(run: Run, good: Path, tmp_path: Path) -> None:
    done = run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--leave-out", "1", "9")
    assert done.code == 0
    assert stored(tmp_path) == Counter({0: 1, 7: 1, 1: 1, 8: 1, 9: 1, 2: 1, 3: 1})
    assert "1 to 9" in run("collect", "--from", good, "--labels", LABELS, "--out", tmp_path, "--leave-out", "12").complaints[0]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


LABELLED = [Labelled(digit, Crop(np.full((30, 20), 200, np.uint8))) for digit in (3, 4, 5)]


@pytest.mark.parametrize(("typed", "kept"), [("\n", [3, 4, 5]), ("2\n", [3, 5]), ("q\n", []), ("", []), ("9\nnone\n1 3\n", [4])])
def test_the_terminal_is_asked(typed: str, kept: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("edge_digits.personal.contact_sheet.has_display", lambda: False)
    assert [item.label for item in confirm(LABELLED, tmp_path / "sheet.png", Terminal(typed))] == kept


@pytest.mark.parametrize(("keys", "kept"), [(["click", "\r"], [3, 5]), (["click", "click", " "], [3, 4, 5]), (["q"], []), ([], [])])
def test_the_window_is_clicked(keys: list[str], kept: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state: dict[str, Any] = {"open": True}
    script = iter(keys)

    def wait_key(_: int) -> int:
        key = next(script, None)
        state["open"] = key is not None
        if key == "click":
            state["mouse"](cv2.EVENT_LBUTTONDOWN, 96 + 40, 50, 0, None)
            state["mouse"](cv2.EVENT_LBUTTONDOWN, 5 * 96, 50, 0, None)
        return ord(key) if key is not None and len(key) == 1 else -1

    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    monkeypatch.setattr(cv2, "setMouseCallback", lambda _, callback: state.update(mouse=callback))
    monkeypatch.setattr(cv2, "imshow", lambda *_: None)
    monkeypatch.setattr(cv2, "waitKey", wait_key)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0 if state["open"] else 0.0)
    assert [item.label for item in confirm(LABELLED, tmp_path / "sheet.png")] == kept


def test_crops_stay_inside_the_frame() -> None:
    frame = Frame.from_array(np.arange(600, dtype=np.uint16).astype(np.uint8).reshape(20, 30))
    assert cut_out(frame, (0, 0, 30, 20)).picture.shape == (20, 30)
    assert (cut_out(frame, (10, 8, 4, 4)).picture == frame.picture[6:14, 8:16]).all()
