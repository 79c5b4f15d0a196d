"""A window to draw digits in with the mouse: a black canvas, white strokes, one digit asked for after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import UsageError

SIDE_PX: Final = 512
PEN_PX: Final = 28
WINDOW: Final = "edge-digits"
KEYS: Final = "Enter or space: keep   C: clear   U: undo a stroke   S: skip   Q: end"
WAIT_MS: Final = 20

NEXT: Final = (13, 10, 32)
END: Final = (27, ord("q"))


class Canvas:
    """Strokes on a square canvas; knows nothing of windows.

    strokes : points (x, y) in pixels of the canvas, origin top left, one list a stroke.
    """

    def __init__(self) -> None:
        self.strokes: list[list[tuple[int, int]]] = []
        self._down = False

    def mouse(self, event: int, x: int, y: int, flags: int = 0, parameter: Any = None) -> None:  # noqa: ARG002 - OpenCV's signature
        """Take one mouse event of OpenCV."""
        if event == cv2.EVENT_LBUTTONDOWN:
            self.strokes.append([(x, y)])
            self._down = True
        elif event == cv2.EVENT_MOUSEMOVE and self._down:
            self.strokes[-1].append((x, y))
        elif event == cv2.EVENT_LBUTTONUP:
            self._down = False

    def undo(self) -> None:
        """Take the last stroke back."""
        self._down = False
        if self.strokes:
            self.strokes.pop()

    def clear(self) -> None:
        """Take all strokes back."""
        self._down = False
        self.strokes.clear()

    def picture(self) -> NDArray[np.uint8]:
        """What is drawn: uint8 (512, 512), strokes 255, ground 0."""
        picture = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
        for stroke in self.strokes:
            points = np.array(stroke, np.int32).reshape(-1, 1, 2)
            cv2.polylines(picture, [points], isClosed=False, color=255, thickness=PEN_PX, lineType=cv2.LINE_AA)
            cv2.circle(picture, stroke[0], PEN_PX // 2, 255, -1, cv2.LINE_AA)
        return picture


def draw_digits(wanted: list[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Ask for digits one after the other; gives each kept drawing with its label, uint8 (512, 512).

    Raises UsageError where no window can be opened.
    """
    canvas = Canvas()
    _open_window(canvas)
    try:
        for position, digit in enumerate(wanted):
            canvas.clear()
            key = _wait(canvas, f"{digit}   ({position + 1} of {len(wanted)})")
            if key in END:
                return
            if key in NEXT:
                yield digit, canvas.picture()
    finally:
        cv2.destroyAllWindows()


def _open_window(canvas: Canvas) -> None:
    advice = "draw on a machine with a screen, or photograph a page: edge-digits collect --from photo.jpg --labels ..."
    # Qt ends the whole process when there is no display: look before it does.
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError(f"--draw needs a window, and there is no display here; {advice}")
    try:
        cv2.namedWindow(WINDOW, cv2.WINDOW_AUTOSIZE)
        cv2.setMouseCallback(WINDOW, canvas.mouse)
    except cv2.error as error:
        raise UsageError(f'--draw needs a window, and this OpenCV has none; run: pip install "edge-digits[cpu]", or {advice}') from error


def _wait(canvas: Canvas, prompt: str) -> int:
    """Show the canvas until a key ends this digit; gives the key. A drawing without strokes is not kept."""
    while True:
        shown = canvas.picture()
        cv2.putText(shown, prompt, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 150, 1, cv2.LINE_AA)
        cv2.putText(shown, KEYS, (8, SIDE_PX - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 110, 1, cv2.LINE_AA)
        cv2.imshow(WINDOW, shown)
        key = cv2.waitKey(WAIT_MS) & 0xFF
        if key == ord("c"):
            canvas.clear()
        elif key == ord("u"):
            canvas.undo()
        elif key in END or key == ord("s") or (key in NEXT and canvas.strokes):
            return key
        if cv2.getWindowProperty(WINDOW, cv2.WND_PROP_VISIBLE) < 1:
            return END[0]
