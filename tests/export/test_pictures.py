from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='the workshop needs torch; run: pip install "edge-digits[workshop]"')
pytest.importorskip("matplotlib", reason='pictures need matplotlib; run: pip install "edge-digits[workshop]"')

from edge_digits.errors import MissingExtraError  # noqa: E402 - after the checks
from export.pictures import Panel, draw_confusion, draw_curves, draw_panels  # noqa: E402


def picture(path: Path) -> Any:
    found = cv2.imread(str(path))
    assert found is not None
    return found


def test_curves_are_a_small_picture(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    draw_curves(path, {"training": [1.0, 0.1, 0.01], "test": [1.0, 0.5, 0.6]}, x_label="epoch", y_label="loss", log=True)
    assert len(np.unique(picture(path).reshape(-1, 3), axis=0)) > 10
    assert path.stat().st_size < 60_000
    assert [each.name for each in tmp_path.iterdir()] == ["curves.png"]


def test_panels_fill_rows(tmp_path: Path) -> None:
    one = Panel("one", {"a": [1.0, 2.0]}, "epoch", "loss")
    draw_panels(tmp_path / "1.png", [one])
    draw_panels(tmp_path / "4.png", [one] * 4, columns=3)
    small, large = picture(tmp_path / "1.png"), picture(tmp_path / "4.png")
    assert large.shape[1] == pytest.approx(3 * small.shape[1], abs=3)
    assert large.shape[0] == pytest.approx(2 * small.shape[0], abs=3)


def test_no_epochs_give_empty_axes(tmp_path: Path) -> None:
    draw_curves(tmp_path / "empty.png", {"training": []}, x_label="epoch", y_label="loss")
    assert picture(tmp_path / "empty.png").size


def test_the_same_picture_twice(tmp_path: Path) -> None:
    matrix = np.diag(np.full(10, 980)).astype(np.int64)
    matrix[4, 9] = 7
    for name in ("a.png", "b.png"):
        draw_confusion(tmp_path / name, matrix, "MNIST")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    draw_confusion(tmp_path / "none.png", np.zeros((10, 10), np.int64), "nothing")
    assert (tmp_path / "none.png").read_bytes() != (tmp_path / "a.png").read_bytes()


def test_without_matplotlib_the_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *more: Any, **named: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError("No module named 'matplotlib'")
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r'run: pip install -c constraints.txt -e "\.\[headless,workshop\]"'):
        draw_curves(tmp_path / "curves.png", {"a": [1.0]}, x_label="epoch", y_label="loss")
    assert not list(tmp_path.iterdir())
