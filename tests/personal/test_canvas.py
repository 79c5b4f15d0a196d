"""Drawing with the mouse: strokes on the canvas, the keys, and a machine without a window."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_digits.personal import canvas as room
from edge_digits.personal.canvas import SIDE_PX, Canvas
from edge_digits.personal.prompts import Prompt
from tests.command_line import Run


def drag(canvas: Canvas, *points: tuple[int, int]) -> None:
    canvas.mouse(cv2.EVENT_LBUTTONDOWN, *points[0])
    for point in points[1:]:
        canvas.mouse(cv2.EVENT_MOUSEMOVE, *point)
    canvas.mouse(cv2.EVENT_LBUTTONUP, *points[-1])


def test_strokes_are_white_on_black() -> None:
    canvas = Canvas()
    assert not canvas.picture().any()
    canvas.mouse(cv2.EVENT_MOUSEMOVE, 50, 50)
    drag(canvas, (100, 100), (100, 400))
    drag(canvas, (300, 300))
    picture = canvas.picture()
    assert picture.shape == (SIDE_PX, SIDE_PX)
    assert (picture[250, 100], picture[300, 300], picture[50, 50]) == (255, 255, 0)


def test_undo_and_clear() -> None:
    canvas = Canvas()
    drag(canvas, (100, 100), (100, 400))
    drag(canvas, (300, 100), (300, 400))
    canvas.undo()
    assert (canvas.picture()[250, 100], canvas.picture()[250, 300]) == (255, 0)
    canvas.clear()
    canvas.undo()
    assert not canvas.picture().any()


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A window that exists only here; "script" is what the person does at each look: a key, or a stroke."""
    state: dict[str, object] = {"shown": 0, "script": iter(()), "open": True}

    def wait_key(_: int) -> int:
        action = next(state["script"], None)  # type: ignore[call-overload]
        if action is None:
            state["open"] = False
            return -1
        if isinstance(action, tuple):
            drag(state["mouse"].__self__, *action)  # type: ignore[attr-defined]
            return -1
        return ord(action)

    def show(_: str, picture: np.ndarray) -> None:
        assert picture.shape == (SIDE_PX, SIDE_PX)
        state["shown"] = int(state["shown"]) + 1  # type: ignore[call-overload]

    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    monkeypatch.setattr(cv2, "setMouseCallback", lambda _, callback: state.update(mouse=callback))
    monkeypatch.setattr(cv2, "imshow", show)
    monkeypatch.setattr(cv2, "waitKey", wait_key)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0 if state["open"] else 0.0)
    return state


STROKE = ((100, 100), (250, 120), (180, 400))


def drawn(window: dict[str, object], *script: object) -> list[int]:
    """Digits whose drawings are stored in the end."""
    window["script"] = iter(script)
    stored: dict[Path, np.ndarray] = {}

    def store(prompt: Prompt, picture: np.ndarray) -> Path:
        path = Path(f"{len(stored)}-{prompt.digit}")
        stored[path] = picture
        return path

    def take_back(path: Path) -> None:
        del stored[path]

    count = room.draw_digits([Prompt(digit, "train") for digit in (4, 5, 6)], store, take_back)
    assert count == len(stored)
    assert all(picture.any() for picture in stored.values())
    return [int(path.name[-1]) for path in stored]


def test_keys_keep_skip_and_end(window: dict[str, object]) -> None:
    assert drawn(window, STROKE, "\r", "s", STROKE, " ") == [4, 6]
    assert drawn(window, STROKE, " ", STROKE, "q") == [4]


def test_the_last_digit_can_be_drawn_again(window: dict[str, object]) -> None:
    assert drawn(window, STROKE, " ", STROKE, " ", "b", "s", STROKE, " ") == [4, 6]
    assert drawn(window, "b", STROKE, " ", "b", "b", STROKE, " ", "q") == [4]


def test_an_empty_drawing_is_not_kept(window: dict[str, object]) -> None:
    assert drawn(window, "\r", " ", STROKE, "c", "\r", STROKE, "u", " ", "q") == []


def test_closing_the_window_ends_it(window: dict[str, object]) -> None:
    assert drawn(window, STROKE, "\r", STROKE) == [4]


def test_what_is_drawn_is_stored_and_gone_on_with(window: dict[str, object], run: Run, tmp_path: Path) -> None:
    window["script"] = iter([STROKE, "\r"] * 3 + ["q"])
    done = run("collect", "--draw", "--out", tmp_path, "--train", "1", "--test", "1")
    assert done.code == 0
    assert sorted(path.parent.name for path in tmp_path.glob("train/*/*.png")) == ["0", "1", "2"]
    assert "stored 3 samples" in done.complaints[-1]
    window.update(script=iter([STROKE, "\r"] * 20), open=True)
    run("collect", "--draw", "--out", tmp_path, "--train", "1", "--test", "1")
    assert len(list(tmp_path.glob("train/*/*.png"))) == len(list(tmp_path.glob("test/*/*.png"))) == 10
    assert "holds 1 train and 1 test" in run("collect", "--draw", "--out", tmp_path, "--train", "1", "--test", "1").complaints[0]


def test_without_a_display_it_says_so(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("edge_digits.personal.window.sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    refused = run("collect", "--draw", "--out", tmp_path)
    assert refused.code == 2
    assert "no display" in refused.complaints[0]


def test_an_opencv_without_windows_names_the_install(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(cv2, "namedWindow", refuse)
    refused = run("collect", "--draw", "--out", tmp_path)
    assert refused.code == 2
    assert "edge-digits[cpu]" in refused.complaints[0]
