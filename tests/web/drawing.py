"""Drawing on the page as a person does, and what the tests look at."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.check_browser import HERE
from deploy.chromium import wait_for_text
from tests.strokes import STROKES

POINTS = 16
"""Of a stroke, about: each is a message to the browser, and curves are smooth enough with so many."""
AXE = HERE / "web" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = "async () => (await axe.run()).violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(' '))])"


def hindrances(page: Any) -> list[Any]:
    """What axe-core finds on the page as it stands that would keep people out. The page must have been opened with bypass_csp."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: cd deploy/web && npm ci --ignore-scripts")
    page.add_script_tag(path=AXE)
    return list(page.evaluate(VIOLATIONS))


def draw(page: Any, digit: int, pad: str = "#pad") -> None:
    """Draw one digit with the mouse."""
    page.locator(pad).scroll_into_view_if_needed()
    box = page.locator(pad).bounding_box()
    side = box["width"]
    for stroke in STROKES[digit]:
        points = [(box["x"] + (0.28 + 0.72 * x) * side, box["y"] + (0.14 + 0.72 * y) * side) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in [*points[1 : -1 : max(1, len(points) // POINTS)], points[-1]]:
            page.mouse.move(x, y)
        page.mouse.up()


def wait_for_digit(page: Any, digit: int) -> None:
    """Wait until the page names the drawn digit."""
    wait_for_text(page, "drawn", str(digit))
