"""Opens a window for the mouse or a finger, or says in one line why there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final

import cv2

from edge_digits.errors import UsageError

NAME: Final = "edge-digits"

Mouse = Callable[[int, int, int, int, Any], None]


def has_display() -> bool:
    """Whether this session has a screen at all. Qt ends the whole process when there is none: look before it does."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_window(mouse: Mouse, purpose: str, advice: str) -> None:
    """Open the window NAME and hand its mouse events to a function; a touch screen gives the same ones.

    purpose, advice : begin and end of the message. Raises UsageError where no window can be opened.
    """
    if not has_display():
        raise UsageError(f"{purpose} needs a window, and there is no display here; {advice}")
    try:
        cv2.namedWindow(NAME, cv2.WINDOW_AUTOSIZE)
        cv2.setMouseCallback(NAME, mouse)
    except cv2.error as error:
        raise UsageError(f'{purpose} needs a window, and this OpenCV has none; run: pip install "edge-digits[cpu]", or {advice}') from error


def is_closed() -> bool:
    """Whether the person has closed the window."""
    try:
        return cv2.getWindowProperty(NAME, cv2.WND_PROP_VISIBLE) < 1
    except cv2.error:  # Qt knows nothing any more once its last window is closed
        return True
