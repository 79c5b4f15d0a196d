"""What of a sheet is told of a picture that shows a part of it."""

from __future__ import annotations

import numpy as np
import pytest

from export.pages.geometry import Pose, window_pose
from export.pages.visible import sight
from tests.export.pages.sheets_by_hand import RADIUS, discs


def window(left: float, top: float, right: float, bottom: float) -> Pose:
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5
    return window_pose(corners, round(right - left), round(bottom - top))


def test_all_of_a_sheet() -> None:
    sheet = discs()
    sighting = sight(sheet, window(0, 0, 900, 700))
    assert sighting.lines == sheet.lines
    assert [(d.digit, d.line, d.number) for d in sighting.digits] == [(d.digit, d.line, d.number) for d in sheet.digits]
    for seen, written in zip(sighting.digits, sheet.digits, strict=True):
        assert seen.box == pytest.approx(written.box, abs=0.01)
    assert [each.kind for each in sighting.clutter] == ["word"]


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom", "lines", "cut"),
    [
        (200, 0, 900, 700, ("23 45", "8.90"), 0),
        (0, 0, 330, 700, ("123", "6", "78"), 0),
        (205, 200, 700, 700, ("8.90",), 0),
        (0, 0, 365, 200, ("123",), 0),
        (0, 0, 425, 200, ("123",), 1),
        (0, 500, 900, 700, (), 0),
    ],
)
def test_lines_lose_what_is_cut_off(left: int, top: int, right: int, bottom: int, lines: tuple[str, ...], cut: int) -> None:
    sighting = sight(discs(), window(left, top, right, bottom))
    assert sighting.lines == lines
    assert "".join(str(d.digit) for d in sighting.digits) == "".join(c for line in lines for c in line if c.isdigit())
    assert sum(each.kind == "cut digit" for each in sighting.clutter) == cut


def test_lines_and_numbers_are_counted_without_gaps() -> None:
    sighting = sight(discs(("12 45", "6", "7 8 90")), window(250, 0, 900, 700))
    assert sighting.lines == ("45", "8 90")
    assert [(d.digit, d.line, d.number) for d in sighting.digits] == [(4, 0, 0), (5, 0, 0), (8, 1, 0), (9, 1, 1), (0, 1, 1)]


def test_no_box_reaches_beyond_the_picture() -> None:
    sighting = sight(discs(), window(150 - RADIUS / 2, 150 - RADIUS / 2, 900, 400))
    for each in (*sighting.digits, *sighting.clutter):
        x, y, w, h = each.box
        assert min(x, y) >= 0
        assert x + w <= 750 + RADIUS / 2
        assert y + h <= 250 + RADIUS / 2
    assert len(sighting.digits) == 8


def test_what_cannot_be_made_out_is_no_digit() -> None:
    sheet = discs(("12",))
    pose = window(0, 0, 900, 700)
    faded = sheet.picture.copy()
    x, y, w, h = (int(v) for v in sheet.digits[1].box)
    faded[y : y + h, x : x + w] = np.maximum(faded[y : y + h, x : x + w], 236)
    assert sight(sheet, pose).legible(sheet.picture).lines == ("12",)
    sighting = sight(sheet, pose).legible(faded)
    assert sighting.lines == ("1",)
    assert [d.digit for d in sighting.digits] == [1]
    assert [each.kind for each in sighting.clutter] == ["word", "faint digit"]
