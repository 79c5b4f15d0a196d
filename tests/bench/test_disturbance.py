"""Every disturbance leaves a page that is still read, and a picture of the page where it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits import Reader
from edge_digits.bench.disturbance import DISTURBANCES, disturb
from edge_digits.cli import main
from edge_digits.errors import ExitCode
from edge_digits.reading.draw import annotate
from edge_digits.sources.frame import Frame
from tests.strokes import draw_page

LINES = ["4073 925", "1892 60"]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbed_page_is_read(reader: Reader, name: str, tmp_path: Path) -> None:
    frame = disturb(Frame.from_array(draw_page(LINES)), name)
    reading = reader.read_frame(frame)
    failure = tmp_path / f"{name}.png"
    if reading.text.splitlines() != LINES:
        cv2.imwrite(str(failure), annotate(frame, reading))
    assert reading.text.splitlines() == LINES, f"read {reading.text!r}; see {failure}"


@pytest.mark.parametrize("name", DISTURBANCES)
@pytest.mark.parametrize("shape", [(120, 90), (120, 90, 3)], ids=["grey", "colour"])
def test_a_disturbance_changes_the_picture_and_nothing_else(name: str, shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    before = picture.copy()
    disturbed = disturb(Frame.from_array(picture, "a.png", 2), name)
    assert (picture == before).all()
    assert (disturbed.source, disturbed.page) == ("a.png", 2)
    assert disturbed.picture.shape != shape or (disturbed.picture != picture).any()
    assert (disturb(Frame.from_array(picture), name).picture == disturbed.picture).all(), "the same every time"


def test_evaluate_disturbs_every_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("scipy", reason="scoring needs the extra `evaluate`")
    cv2.imwrite(str(tmp_path / "page.png"), draw_page(LINES))
    (tmp_path / "truth.json").write_text(json.dumps({"page.png": {"lines": ["4073 925", "1892 61"], "kind": "plain"}}))
    words = ["evaluate", str(tmp_path), "--disturb", "turned-90", "--failures", str(tmp_path / "wrong"), "--format", "json"]
    assert main(words) == ExitCode.OK
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert result["disturbance"] == "turned-90"
    assert result["figures"]["all"]["cer"] == pytest.approx(1 / 13)
    kept = cv2.imread(str(tmp_path / "wrong" / "page.png.read.jpg"))
    assert kept is not None, "the failure is kept"
    assert kept.shape[0] >= 1000, "it shows the page as it was read, on its side"
