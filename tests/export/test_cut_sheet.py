"""`python -m export.cut_sheet`: a photographed sheet becomes digits in folders 0 to 9, and what does not fit is left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.reading.reading import Digit, Line, Number, Reading
from edge_digits.sources.frame import Frame
from export import cut_sheet
from export.cut_sheet import Cut
from export.data.folder import load_mnist
from export.data.sheets import load_sheets
from export.data.transcript import parse_transcript
from export.holdouts import tiles_of
from tests.command_line import LINES
from tests.export.written_sheets import write_sheet

LABELS = " ".join(line.replace(" ", "") for line in LINES)
"""What stands on the page of the fixture `good`."""

ROWS = tuple(str(digit) * 12 for digit in range(10))
PAPER = "donut_paper_1.jpg"


def call(photo: Path, labels: str, out: Path, *more: str) -> ExitCode:
    return cut_sheet.main([str(photo), "--labels", labels, "--out", str(out), "--threads", "1", *more])


def saved(folder: Path) -> Counter[int]:
    return Counter(int(path.parent.name) for path in folder.glob("[0-9]/*.png"))


def read_page(*lines: str, confidence: float = 0.99) -> tuple[Frame, Reading]:
    """A page as if the lines had been read on it; each digit's pixels hold its place in the order of reading."""
    picture = np.full((40 * len(lines) + 10, 400), 255, np.uint8)
    rows, count = [], 0
    for row, text in enumerate(lines):
        digits = []
        for place, letter in enumerate(text):
            box = 20 * place + 8, 40 * row + 10, 10, 20
            picture[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = count
            digits.append(Digit(None if letter == "?" else int(letter), confidence, box))
            count += 1
        rows.append(Line((Number(tuple(digits)),)))
    return Frame.from_array(picture), Reading("page", 1, 400, len(picture), tuple(rows))


def labels_of(cuts: tuple[Cut, ...]) -> str:
    return "".join(str(cut.labelled.label) for cut in cuts)


def test_a_sheet_of_real_digits_on_real_paper(shared: Path, tmp_path: Path, capsys: Any) -> None:
    mnist = load_mnist(shared / "data", "test")
    stock = {digit: [mnist.glyphs[i] for i in np.flatnonzero(mnist.labels == digit)[:12]] for digit in range(10)}
    photo = tmp_path / "sheet.jpg"
    cv2.imwrite(str(photo), write_sheet(ROWS, stock, cv2.imread(str(shared / "data" / "paper" / PAPER))))
    code = call(photo, " ".join(f"{digit}*" for digit in range(10)), tmp_path / "cut")
    outcome = capsys.readouterr()
    assert code == ExitCode.OK, outcome.err
    counts = saved(tmp_path / "cut")
    # Some hands of MNIST are read as another digit and held back; nothing may be made of what is no digit.
    assert counts.total() >= 0.95 * 120
    assert max(counts.values()) <= 12
    sheets = load_sheets(tmp_path / "cut")
    assert len(sheets) == counts.total() == len(outcome.out.splitlines())
    nearest = [_nearest_label(tile, stock) for tile in tiles_of(sheets)]
    assert np.mean(np.array(nearest) == sheets.labels) > 0.97


def _nearest_label(tile: np.ndarray, stock: dict[int, list[np.ndarray]]) -> int:
    """Which of the digits that were written a tile is most like, by correlation; they follow the same rule as it."""
    flat = tile.astype(np.float64).ravel()
    likeness = {digit: max(np.corrcoef(flat, each.astype(np.float64).ravel())[0, 1] for each in stock[digit]) for digit in stock}
    return max(likeness, key=lambda digit: likeness[digit])


def test_a_page_becomes_pictures_by_digit(good: Path, tmp_path: Path, capsys: Any) -> None:
    assert call(good, LABELS, tmp_path) == ExitCode.OK
    outcome = capsys.readouterr()
    assert saved(tmp_path) == Counter(int(character) for character in LABELS if character != " ")
    assert sorted(Path(line) for line in outcome.out.splitlines()) == sorted(tmp_path.glob("[0-9]/*.png"))
    assert cv2.imread(str(tmp_path / f"{good.stem}-contact_sheet.png")).shape == (118, 96 * 9, 3)
    page = cv2.imread(str(good), cv2.IMREAD_GRAYSCALE)
    for path in tmp_path.glob("[0-9]/*.png"):
        crop = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(page, crop, cv2.TM_SQDIFF))
        assert (page[y : y + crop.shape[0], x : x + crop.shape[1]] == crop).all()


def test_labels_may_come_from_a_file(good: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(LABELS.replace(" ", "\n"), encoding="utf-8")
    assert cut_sheet.main([str(good), "--labels-file", str(labels), "--out", str(tmp_path / "cut"), "--threads", "1"]) == ExitCode.OK
    assert saved(tmp_path / "cut").total() == 9


def test_lines_with_another_number_of_digits_are_listed_and_the_others_saved(good: Path, tmp_path: Path, capsys: Any) -> None:
    assert call(good, "4071892 3", tmp_path) == ExitCode.SOME_INPUTS_FAILED
    assert "line 2, read as '35', has 2 digits where the labels have 1 ('3')" in capsys.readouterr().err
    assert saved(tmp_path).total() == 7


def test_labels_never_come_from_the_reader() -> None:
    frame, reading = read_page("123?5678", "99")
    sheet = cut_sheet.cut_sheet(frame, reading, parse_transcript("12345078 9*"))
    assert labels_of(sheet.cuts) == "12345078" + "99"
    assert [cut.otherwise for cut in sheet.cuts] == [False] * 5 + [True] + [False] * 4
    assert (sheet.left_out, sheet.lines) == ((), 2)


def test_crops_and_labels_belong_together() -> None:
    frame, reading = read_page("12", "345")
    cuts = cut_sheet.cut_sheet(frame, reading, parse_transcript("12 345")).cuts
    assert [int(cut.labelled.crop.picture.min()) for cut in cuts] == [0, 1, 2, 3, 4]
    assert [(cut.line, cut.place) for cut in cuts] == [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]


def test_a_line_that_slipped_is_not_saved() -> None:
    frame, reading = read_page("0123456789", "4444")
    # One digit missed at the start, a blot counted at the end: the numbers agree and the labels do not.
    sheet = cut_sheet.cut_sheet(frame, reading, parse_transcript("9012345678 4*"))
    assert labels_of(sheet.cuts) == "4444"
    assert "in 10 of 10 places" in sheet.left_out[0]


def test_lines_without_a_partner_are_named_on_both_sides() -> None:
    frame, reading = read_page("88", "123", "789")
    sheet = cut_sheet.cut_sheet(frame, reading, parse_transcript("123 456 789"))
    assert labels_of(sheet.cuts) == "123789"
    assert sheet.left_out == ("line 1, read as '88', is like no line of the labels", "'456' of the labels was not found on the sheet")


def test_what_reads_otherwise_is_held_back_unless_asked_for(good: Path, tmp_path: Path, capsys: Any) -> None:
    wrong = LABELS.replace("4071892", "4071893")
    assert call(good, wrong, tmp_path / "a") == ExitCode.OK
    assert "saved 8, held back 1" in capsys.readouterr().err
    assert call(good, wrong, tmp_path / "b", "--keep-otherwise") == ExitCode.OK
    assert saved(tmp_path / "b") - saved(tmp_path / "a") == Counter({3: 1})


def test_the_same_sheet_twice_is_refused(good: Path, tmp_path: Path, capsys: Any) -> None:
    assert call(good, LABELS, tmp_path) == ExitCode.OK
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    assert call(good, LABELS.replace("4071892", "4071893"), tmp_path, "--keep-otherwise") == ExitCode.USAGE
    assert "was cut into this folder before" in capsys.readouterr().err.splitlines()[-1]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before


def test_another_sheet_joins(good: Path, tmp_path: Path) -> None:
    twin = tmp_path / "other page.png"
    twin.write_bytes(good.read_bytes())
    for photo in (good, twin):
        assert call(photo, LABELS, tmp_path / "cut") == ExitCode.OK
    assert saved(tmp_path / "cut").total() == 18


def test_a_dry_run_writes_the_sheet_alone(good: Path, tmp_path: Path, capsys: Any) -> None:
    assert call(good, LABELS, tmp_path, "--dry-run") == ExitCode.OK
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.rglob("*")] == [f"{good.stem}-contact_sheet.png"]


def test_an_empty_sheet_saves_nothing(tmp_path: Path, capsys: Any) -> None:
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((400, 500), 230, np.uint8))
    assert call(blank, "12", tmp_path / "cut") == ExitCode.USAGE
    assert "no line fits the labels" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "cut").exists()


@pytest.mark.parametrize(
    ("photo", "labels", "code", "said"),
    [("missing.jpg", "12", ExitCode.SOME_INPUTS_FAILED, "missing.jpg"), (None, "1-2", ExitCode.USAGE, "'1-2'")],
)
def test_mistakes_are_one_line(good: Path, tmp_path: Path, capsys: Any, photo: str | None, labels: str, code: ExitCode, said: str) -> None:
    assert call(good if photo is None else tmp_path / photo, labels, tmp_path / "cut") == code
    outcome = capsys.readouterr()
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 1
    assert said in outcome.err
    assert not (tmp_path / "cut").exists()


def test_files_that_cannot_be_read_or_written(good: Path, tmp_path: Path, capsys: Any) -> None:
    arguments = [str(good), "--labels-file", str(tmp_path / "none.txt"), "--out", str(tmp_path / "cut")]
    assert cut_sheet.main(arguments) == ExitCode.USAGE
    assert "none.txt: cannot be read" in capsys.readouterr().err
    (tmp_path / "file").write_text("no folder")
    assert call(good, LABELS, tmp_path / "file") == ExitCode.USAGE
    assert "cannot be written" in capsys.readouterr().err


def test_a_folder_of_cut_digits_becomes_a_set(good: Path, tmp_path: Path) -> None:
    assert call(good, LABELS, tmp_path) == ExitCode.OK
    (tmp_path / "8" / "blank.png").write_bytes(cv2.imencode(".png", np.full((30, 30), 255, np.uint8))[1].tobytes())
    sheets = load_sheets(tmp_path)
    assert Counter(sheets.labels.tolist()) == saved(tmp_path) - Counter({8: 1})
    assert all(glyph.dtype == np.uint8 and glyph.max() == 255 for glyph in sheets.glyphs)


def test_a_folder_without_digits_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no folders 0 to 9"):
        load_sheets(tmp_path)
    (tmp_path / "3").mkdir()
    with pytest.raises(EdgeDigitsError, match="no usable samples"):
        load_sheets(tmp_path)
