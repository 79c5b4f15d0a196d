"""Makes the pictures of deploy/web/README.md: `python -m deploy.web_screenshots`, in a real Chromium, of a server of its own."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from deploy.chromium import open_chromium, open_page, wait_for_text
from deploy.serving import Served, run_server
from tests.personal.writers import mirrored, write_samples
from tests.web.drawing import draw, wait_for_digit

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "web" / "screenshots"
SAMPLE = HERE.parent / "edge_digits" / "bench" / "sample_page.jpg"
DESK = {"viewport": {"width": 620, "height": 620}}
PHONE = {"viewport": {"width": 390, "height": 760}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}


def shoot(page: Any, section: str, name: str) -> None:
    """One section of the page as a picture."""
    page.locator(f"section[aria-labelledby={section}]").screenshot(path=FOLDER / name)


def make_pictures(served: Served, samples: Path) -> None:
    """All four. samples : the folder of the server's samples."""
    address = f"http://127.0.0.1:{served.port}/"
    with open_chromium() as browser:
        with open_page(browser, address, **DESK) as page:
            draw(page, 5)
            wait_for_digit(page, 5)
            shoot(page, "draw-title", "draw.png")
            page.set_input_files("#file", str(SAMPLE))
            page.wait_for_selector("#result:not([hidden])")
            shoot(page, "photo-title", "read.png")
            write_samples(samples / "ada", 10, {7: mirrored})
            page.fill("#hand-name", "ada")
            page.locator("#hand-name").blur()
            wait_for_text(page, "counts", "100 to learn")
            page.locator("#adapt").click()
            page.wait_for_selector("#before-after:not([hidden])")
            draw(page, 0, "#collect-pad")  # what is asked for
            shoot(page, "collect-title", "adapt.png")
        with open_page(browser, address, **PHONE) as page:
            draw(page, 8)
            wait_for_digit(page, 8)
            page.screenshot(path=FOLDER / "phone.png")


def main() -> int:
    """Make them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as samples, run_server("", "--samples", samples) as served:
        make_pictures(served, Path(samples))
    for path in sorted(FOLDER.glob("*.png")):
        print(f"{path.relative_to(HERE.parent)}: {path.stat().st_size} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
