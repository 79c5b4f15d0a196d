"""The overlay window: the live picture, the settled numbers over their digits, and the keys."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import deque
from time import monotonic
from typing import Any, Final, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import UsageError
from edge_digits.live.watcher import Look
from edge_digits.reading.draw import annotate
from edge_digits.reading.reading import Box

Key = Literal["", "quit", "save", "freeze", "correct", "next", "back", "done"] | int
"""What a key asks for; a number is a digit that was pressed."""

TITLE: Final = "edge-digits"
KEYS: Final[dict[int, Key]] = {
    ord("q"): "quit",
    27: "done",
    ord("s"): "save",
    ord(" "): "freeze",
    ord("c"): "correct",
    9: "next",
    ord("n"): "next",
    ord("b"): "back",
    **{ord(str(digit)): digit for digit in range(10)},
}
HELP: Final = "q quit   s save   space freeze   c correct"
CORRECTING_HELP: Final = "0-9 name the digit   tab/click other digit   b back   Esc done"
BAR_PX: Final = 28
BAR_COLOUR: Final = (235, 235, 235)
CHOSEN_COLOUR: Final = (255, 60, 200)
LARGEST_PX: Final = (1600, 900)
"""First size of the window at most; it can be pulled larger."""
TRIAL_S: Final = 20.0
TRIAL: Final = "import cv2; cv2.namedWindow('edge-digits'); cv2.destroyAllWindows()"
NO_WINDOW: Final = "or use --no-window for JSON lines on stdout"


class Screen(Protocol):
    """What is used of cv2's highgui."""

    def namedWindow(self, name: str, flags: int = ..., /) -> None: ...  # noqa: D102, N802
    def resizeWindow(self, name: str, width: int, height: int, /) -> None: ...  # noqa: D102, N802
    def imshow(self, name: str, picture: NDArray[Any], /) -> None: ...  # noqa: D102
    def waitKey(self, delay: int, /) -> int: ...  # noqa: D102, N802
    def getWindowProperty(self, name: str, prop: int, /) -> float: ...  # noqa: D102, N802
    def setMouseCallback(self, name: str, callback: Any, /) -> None: ...  # noqa: D102, N802
    def destroyAllWindows(self) -> None: ...  # noqa: D102, N802


def check_screen() -> None:
    """Make sure that a window can be shown on this machine. Raises UsageError that names the remedy.

    OpenCV's Qt ends the whole process when it finds no display, which no `except` catches; so a child process tries first.
    """
    if re.search(r"^\s*GUI:\s*NONE\s*$", cv2.getBuildInformation(), re.MULTILINE):
        swap = "pip uninstall opencv-python-headless && pip install opencv-python"
        raise UsageError(f"this OpenCV has no windows (the headless package); run `{swap}`, {NO_WINDOW}")
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError(f"there is no display (DISPLAY is not set); start it from a desktop session, {NO_WINDOW}")
    try:
        tried = subprocess.run([sys.executable, "-c", TRIAL], capture_output=True, timeout=TRIAL_S, check=False)  # noqa: S603
        opened = tried.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        opened = False
    if not opened:
        display = os.environ.get("DISPLAY", "")
        raise UsageError(f"no window can be opened on display '{display}'; start it from a desktop session, {NO_WINDOW}")


class Window:
    """Shows looks and tells keys. screen : cv2, or a double."""

    def __init__(self, screen: Screen | None = None) -> None:
        # Qt as it comes with OpenCV complains of fonts that it does not ship, many times over.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        self._screen: Screen = screen or cv2  # type: ignore[assignment]
        self._times: deque[float] = deque(maxlen=30)
        self._shown = False
        self._clicked: tuple[int, int] | None = None
        self._screen.namedWindow(TITLE, cv2.WINDOW_NORMAL)
        self._screen.setMouseCallback(TITLE, self._note_mouse)

    def show(self, look: Look, *, frozen: bool = False, chosen: Box | None = None) -> None:
        """Draw one look. chosen : box of the digit that is being corrected."""
        self._times.append(monotonic())
        picture = draw_look(look, self._rate(), frozen=frozen, chosen=chosen)
        if not self._shown:
            # A resizable window starts as small as the toolkit likes.
            shrink = min(1.0, LARGEST_PX[0] / picture.shape[1], LARGEST_PX[1] / picture.shape[0])
            self._screen.resizeWindow(TITLE, max(1, int(picture.shape[1] * shrink)), max(1, int(picture.shape[0] * shrink)))
        self._screen.imshow(TITLE, picture)
        self._shown = True

    def key(self) -> Key:
        """What was pressed since the last call; a closed window counts as quit."""
        pressed: Any = KEYS.get(self._screen.waitKey(1) & 0xFF, "")
        return "quit" if not pressed and self._shown and self._is_closed() else pressed

    def clicked(self) -> tuple[int, int] | None:
        """Where the mouse was pressed since the last call, in pixels of the frame."""
        place, self._clicked = self._clicked, None
        return place

    def close(self) -> None:
        """Take the window away."""
        self._screen.destroyAllWindows()

    def _note_mouse(self, event: int, x: int, y: int, flags: int, data: Any = None) -> None:
        del flags, data
        if event == cv2.EVENT_LBUTTONDOWN:
            self._clicked = x, y

    def _is_closed(self) -> bool:
        try:
            return self._screen.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # Qt knows nothing any more once its last window is closed
            return True

    def _rate(self) -> float:
        span = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / span if span > 0 else 0.0


def draw_look(look: Look, rate: float, *, frozen: bool = False, chosen: Box | None = None) -> NDArray[np.uint8]:
    """The frame with its settled numbers, over a bar that tells state and keys.

    rate : frames a second that were shown. chosen : box of the digit that is being corrected. Returns uint8 (h + BAR_PX, w, 3) BGR.
    """
    frame = look.frame.frame
    if look.overlay is not None:
        picture = annotate(frame, look.overlay.reading)
    else:
        picture = np.array(cv2.cvtColor(frame.picture, cv2.COLOR_GRAY2BGR) if frame.picture.ndim == 2 else frame.picture, np.uint8)
    bar = np.zeros((BAR_PX, picture.shape[1], 3), np.uint8)
    count = len(look.overlay.reading.numbers) if look.overlay is not None else 0
    if chosen is not None:
        x, y, w, h = chosen
        cv2.rectangle(picture, (x - 4, y - 4), (x + w + 4, y + h + 4), CHOSEN_COLOUR, 3)
    state = "frozen" if frozen else "blurred" if look.blurred else "moving" if look.moving else f"{rate:.0f} frames/s"
    text = f"{state}   settled {count}   {HELP if chosen is None else CORRECTING_HELP}"
    cv2.putText(bar, text, (8, BAR_PX - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.5, BAR_COLOUR, 1, cv2.LINE_AA)
    return np.vstack([picture, bar])
