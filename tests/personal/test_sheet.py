"""The printed sheet: written on, photographed from anywhere, cut into labelled samples."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.errors import InputDecodeError
from edge_digits.options import SourceOptions
from edge_digits.personal.sheet import PAGE_MM, sheet_boxes, sheet_pdf
from edge_digits.personal.sheet_cutting import cut_sheet, has_sheet
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames
from tests.command_line import Run
from tests.strokes import draw_digit

DPI = 200
EMPTY = {(0, 3), (9, 14)}
"""Boxes left empty: digit, column."""


@pytest.fixture(scope="module")
def blank() -> np.ndarray:
    """The sheet as a printer would print it, at 200 dpi."""
    pytest.importorskip("pypdfium2")
    return next(open_frames(sheet_pdf(), SourceOptions(dpi=DPI))).grey().copy()


@pytest.fixture(scope="module")
def written(blank: np.ndarray) -> np.ndarray:
    """The sheet with a drawn digit in each box but two; one box more is filled to strike it out."""
    page, chance = blank.copy(), np.random.default_rng(7)
    for index, box in enumerate(sheet_boxes()):
        x, y, width, height = (round(side * DPI / 25.4) for side in box.box)
        if (box.digit, index % 15) in EMPTY:
            continue
        if index == 20:
            page[y + 3 : y + height - 3, x + 3 : x + width - 3] = 40
            continue
        ink = draw_digit(box.digit, int(chance.integers(60, 80)), chance.uniform(3, 5))
        ink = cv2.resize(ink, None, fx=chance.uniform(0.8, 1.0), fy=1.0)[:, : width - 8]
        top, left = y + (height - ink.shape[0]) // 2, x + (width - ink.shape[1]) // 2
        part = page[top : top + ink.shape[0], left : left + ink.shape[1]]
        part[:] = np.minimum(part, 255 - (ink * 0.8).astype(np.uint8))
    return page


def photographed(page: np.ndarray, corners: list[tuple[float, float]], size: tuple[int, int], quarters: int = 0) -> Frame:
    """A page on a brown desk, its corners at shares of the picture's size, in slanting light, with noise."""
    height, width = page.shape
    target = np.array([(x * size[0], y * size[1]) for x, y in corners], np.float32)
    matrix = cv2.getPerspectiveTransform(np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32), target)
    picture = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_AREA, borderValue=90).astype(np.float64)
    picture *= np.linspace(1.0, 0.7, size[0])[None, :]
    picture += np.random.default_rng(3).normal(0, 4, picture.shape)
    return Frame.from_array(np.rot90(picture.clip(0, 255).astype(np.uint8), quarters), "photo.jpg")


STRAIGHT = [(0.03, 0.02), (0.97, 0.02), (0.97, 0.98), (0.03, 0.98)]
SLANTED = [(0.10, 0.06), (0.95, 0.02), (0.90, 0.97), (0.04, 0.93)]


def test_the_pdf_is_one_a4_page(blank: np.ndarray) -> None:
    assert blank.shape == pytest.approx((PAGE_MM[1] * DPI / 25.4, PAGE_MM[0] * DPI / 25.4), abs=2)
    boxes = sheet_boxes()
    assert Counter((box.digit, box.split) for box in boxes) == {(d, s): n for d in range(10) for s, n in (("train", 10), ("test", 5))}
    assert all(box.box[0] + box.box[2] <= PAGE_MM[0] - 10 for box in boxes)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_photograph_from_any_side_is_cut(written: np.ndarray, quarters: int) -> None:
    labelled = cut_sheet(photographed(written, SLANTED, (1300, 1800), quarters))
    assert len(labelled) == 147
    counts = Counter((item.label, item.split) for item in labelled)
    assert (counts[0, "train"], counts[9, "test"], counts[1, "train"], counts[5, "train"]) == (9, 4, 9, 10)


def test_samples_are_what_was_written(written: np.ndarray, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    photo = tmp_path / "photo.jpg"
    cv2.imwrite(str(photo), photographed(written, SLANTED, (1700, 2300), 1).picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    done = run("collect", "--from", photo, "--out", tmp_path / "samples", "--yes")
    assert done.code == 0
    assert len(done.out.splitlines()) == 147
    assert "stored 98 train and 49 test" in done.complaints[-1]
    otherwise = int(done.complaints[0].split("; ")[1].split(",")[0])
    assert otherwise <= 10


def test_a_folded_corner_is_forgiven_and_two_are_not(written: np.ndarray) -> None:
    page = written.copy()
    page[:250, :250] = 90
    assert len(cut_sheet(photographed(page, STRAIGHT, (1300, 1800)))) == 147
    page[-250:, :250] = 90
    with pytest.raises(InputDecodeError, match="2 of the sheet's 4 markers"):
        cut_sheet(photographed(page, STRAIGHT, (1300, 1800)))


def test_a_sheet_far_away_is_refused(written: np.ndarray) -> None:
    with pytest.raises(InputDecodeError, match="px wide, 20 are needed"):
        cut_sheet(photographed(cv2.GaussianBlur(written, (0, 0), 2.0), STRAIGHT, (420, 590)))


def test_an_empty_sheet_and_another_page(blank: np.ndarray, run: Run, good: Path, tmp_path: Path) -> None:
    assert cut_sheet(Frame.from_array(blank)) == []
    path = tmp_path / "blank.png"
    cv2.imwrite(str(path), blank)
    empty = run("collect", "--from", path, "--out", tmp_path / "samples", "--yes")
    assert empty.code == 1
    assert "no digit found" in empty.complaints[0]
    assert not has_sheet(Frame.from_array(cv2.imread(str(good))))
    other = run("collect", "--from", good, "--out", tmp_path / "samples", "--yes")
    assert other.code == 2
    assert "--labels" in other.complaints[0]
    assert not (tmp_path / "samples").exists()


def test_the_sheet_is_written_once(run: Run, tmp_path: Path) -> None:
    assert run("collect", "--sheet", tmp_path / "sheet.pdf").code == 0
    assert (tmp_path / "sheet.pdf").read_bytes() == sheet_pdf()
    again = run("collect", "--sheet", tmp_path / "sheet.pdf")
    assert again.code == 2
    assert "exists already" in again.complaints[0]
