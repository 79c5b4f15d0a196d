"""A window to draw digits in, with the mouse or a finger: a black canvas, white strokes, one digit asked for after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.personal.prompts import Prompt
from edge_digits.personal.window import NAME, is_closed, open_window

SIDE_PX: Final = 512
PEN_PX: Final = 28
KEYS: Final = "Enter, space: keep  U: undo stroke  C: clear  B: last digit again  S: skip  Q: end"
WAIT_MS: Final = 20
ADVICE: Final = "draw on a machine with a screen, or write on paper: edge-digits collect --sheet sheet.pdf"

KEEP: Final = (13, 10, 32)
BACK: Final = (ord("b"), 8)
SKIP: Final = (ord("s"),)
END: Final = (27, ord("q"))

Store = Callable[[Prompt, NDArray[np.uint8]], Path]
TakeBack = Callable[[Path], None]


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


def draw_digits(prompts: Sequence[Prompt], store: Store, take_back: TakeBack) -> int:
    """Ask for one digit after the other and store each drawing as soon as it is kept. Returns how many are stored in the end.

    store : is given a prompt and its drawing, uint8 (512, 512), strokes 255, and returns its path.
    take_back : is given that path when the person wants to draw the last digit again.
    Raises UsageError where no window can be opened.
    """
    canvas = Canvas()
    open_window(canvas.mouse, "--draw", ADVICE)
    stored: dict[int, Path] = {}
    position = 0
    try:
        while position < len(prompts):
            canvas.clear()
            prompt = prompts[position]
            key = _wait(canvas, f"{prompt.digit}", f"{prompt.split}, {position + 1} of {len(prompts)}")
            if key in END:
                break
            if key in BACK:
                position = max(0, position - 1)
                if position in stored:
                    take_back(stored.pop(position))
                continue
            if key in KEEP:
                stored[position] = store(prompt, canvas.picture())
            position += 1
    finally:
        cv2.destroyAllWindows()
    return len(stored)


def _wait(canvas: Canvas, digit: str, where: str) -> int:
    """Show the canvas until a key ends this digit; gives the key. A drawing without strokes is not kept."""
    while True:
        shown = canvas.picture()
        cv2.putText(shown, digit, (10, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 170, 2, cv2.LINE_AA)
        cv2.putText(shown, where, (52, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.55, 130, 1, cv2.LINE_AA)
        cv2.putText(shown, KEYS, (8, SIDE_PX - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 120, 1, cv2.LINE_AA)
        cv2.imshow(NAME, shown)
        key = cv2.waitKey(WAIT_MS) & 0xFF
        if key == ord("c"):
            canvas.clear()
        elif key == ord("u"):
            canvas.undo()
        elif key in END or key in SKIP or key in BACK or (key in KEEP and canvas.strokes):
            return key
        if is_closed():
            return END[0]
