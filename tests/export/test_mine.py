from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from edge_digits.errors import ExitCode
from export import mine
from export.data.mined import load_mined
from export.networks import build
from export.to_onnx import to_onnx

TEXT = ("the quick brown", "fox jumps over", "a lazy dog")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    picture = np.full((420, 700), 235, np.uint8)
    for row, line in enumerate(TEXT):
        cv2.putText(picture, line, (30, 110 + 120 * row), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 20, 5, cv2.LINE_AA)
    cv2.imwrite(str(folder / "text.jpg"), picture)
    cv2.imwrite(str(folder / "white.jpg"), np.full((300, 300), 240, np.uint8))
    return folder


def model_that_says(label: int, path: Path) -> Path:
    """A model that gives every tile the same label."""
    torch.manual_seed(0)
    network = build("tiny").eval()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
        network.head.bias[label] = 20.0
    path.write_bytes(to_onnx(network, 1.0, {}))
    return path


def call(pages: Path, model: Path, out: Path, *more: str) -> ExitCode:
    return mine.main(["--pages", str(pages), "--model", str(model), "--out", str(out), *more])


def test_letters_are_cut_from_a_page(pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "mined.npz"
    assert call(pages, model_that_says(10, tmp_path / "refuses.onnx"), out) == ExitCode.OK
    mined = load_mined(out)
    # 36 letters are on the page; joined and cut ones come besides.
    assert len(mined) >= 25
    assert all(glyph.max() >= 96 and max(glyph.shape) <= 56 for glyph in mined.glyphs)


def test_what_the_first_model_is_sure_of_is_left_out(pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "mined.npz"
    assert call(pages, model_that_says(3, tmp_path / "three.onnx"), out) == ExitCode.OK
    assert len(load_mined(out)) == 0


def test_a_bad_picture_does_not_stop_the_others(pages: Path, tmp_path: Path, capsys: Any) -> None:
    (pages / "broken.jpg").write_text("no picture")
    out = tmp_path / "mined.npz"
    assert call(pages, model_that_says(10, tmp_path / "refuses.onnx"), out) == ExitCode.SOME_INPUTS_FAILED
    assert "broken.jpg" in capsys.readouterr().err
    assert len(load_mined(out)) >= 25


def test_mistakes(pages: Path, tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        call(pages, tmp_path / "none.onnx", tmp_path / "x.npz", "--pattern", "*.gif")
    assert stop.value.code == ExitCode.USAGE
    assert call(pages, tmp_path / "none.onnx", tmp_path / "x.npz") == ExitCode.MODEL
    assert "no such model file" in capsys.readouterr().err
