"""Drawing on the page as a person does, and what the tests look at."""

from __future__ import annotations

from typing import Any

from deploy.chromium import wait_for_text
from tests.strokes import STROKES


def draw(page: Any, digit: int, pad: str = "#pad") -> None:
    """Draw one digit with the mouse."""
    page.locator(pad).scroll_into_view_if_needed()
    box = page.locator(pad).bounding_box()
    side = box["width"]
    for stroke in STROKES[digit]:
        points = [(box["x"] + (0.28 + 0.72 * x) * side, box["y"] + (0.14 + 0.72 * y) * side) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(x, y, steps=2)
        page.mouse.up()


def wait_for_digit(page: Any, digit: int) -> None:
    """Wait until the page names the drawn digit."""
    wait_for_text(page, "drawn", str(digit))
