"""The served page in a real Chromium: what people do with it, by mouse, keys, file, camera and phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits import Reader
from edge_digits.sources.camera import LiveFrame
from edge_digits.sources.frame import Frame
from edge_digits.web.device_camera import DeviceCamera
from edge_digits.web.guard import GuardOptions
from tests.personal.writers import mirrored, write_samples
from tests.strokes import draw_page
from tests.web.conftest import TOKEN, Address, serve

pytest.importorskip("starlette", reason='the extra "web" is not installed')
pytest.importorskip("uvicorn", reason='the extra "web" is not installed')
chromium = pytest.importorskip("deploy.chromium", reason="not beside the installed package")

drawing = pytest.importorskip("tests.web.drawing", reason="not beside the installed package")
draw, hindrances, wait_for_digit = drawing.draw, drawing.hindrances, drawing.wait_for_digit

pytestmark = pytest.mark.hardware

PHONE = {"viewport": {"width": 360, "height": 700}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SHOWN = ["407 52", "1936"]
MORE_THAN_HALF = re.compile(r"^(1$|0\.[5-9])")
DARKEST = """() => {
    const canvas = document.getElementById("picture");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((least, value) => Math.min(least, value), 255);
}"""


class Still:
    """A camera that shows one page for ever."""

    ended = False

    def __init__(self, name: str) -> None:
        self._frame, self._number = Frame(draw_page(SHOWN), name), 0

    def __enter__(self) -> Still:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True

    def next_frame(self) -> LiveFrame:
        self._number += 1
        return LiveFrame(self._frame, float(self._number), self._number)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Chromium's fake camera shows: the drawn page, as a film of JPEG pictures."""
    page = cv2.resize(draw_page(SHOWN), (960, 672), interpolation=cv2.INTER_AREA)
    path = tmp_path_factory.mktemp("film") / "page.mjpeg"
    path.write_bytes(cv2.imencode(".jpg", cv2.cvtColor(page, cv2.COLOR_GRAY2BGR))[1].tobytes() * 3)
    return path


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Any]:
    pytest.importorskip("playwright", reason="drives the browser; in the extra dev")
    if chromium.find_chromium() is None:
        pytest.skip("no Chromium here")
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    with chromium.open_chromium(fake) as opened:
        yield opened


@pytest.fixture(scope="module")
def large(reader: Reader) -> Iterator[Address]:
    """A server with the usual upload limit, and a camera."""
    camera = DeviceCamera("0", reader, Still)
    yield from serve(reader, GuardOptions(), camera)
    camera.close()


@pytest.fixture
def page(browser: Any, large: Address) -> Iterator[Any]:
    with chromium.open_page(browser, f"http://127.0.0.1:{large.port}/") as opened:
        yield opened


def text_of(page: Any) -> list[str]:
    """The numbers that the page shows, line by line."""
    page.wait_for_selector("#result:not([hidden])")
    return str(page.inner_text("#text")).splitlines()


def test_each_digit_drawn_with_the_mouse_is_named_and_space_clears(page: Any) -> None:
    from playwright.sync_api import expect

    for digit in range(10):
        draw(page, digit)
        wait_for_digit(page, digit)
        expect(page.locator("#bars progress").nth(digit)).to_have_attribute("value", MORE_THAN_HALF, timeout=chromium.PATIENCE_MS)
        page.keyboard.press("Space")
        chromium.wait_for_text(page, "drawn", "")


def test_undo_takes_one_stroke_back(page: Any) -> None:
    draw(page, 4)
    wait_for_digit(page, 4)
    page.keyboard.press("z")
    page.wait_for_selector("#drawn:not(:text-is('4'))")


def test_the_keyboard_alone_draws_reviews_and_clears(page: Any) -> None:
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "pad":
            break
    assert page.evaluate("document.activeElement.id") == "pad"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for_digit(page, 1)
    page.keyboard.press("Space")
    chromium.wait_for_text(page, "drawn", "")


def test_an_upload_is_read_and_a_doubtful_digit_corrected(page: Any, home: Path) -> None:
    sheet = draw_page(SHOWN)
    page.route("**/read*", lambda route: answer_with_doubts(route, 2))
    page.set_input_files("#file", {"name": "page.png", "mimeType": "image/png", "buffer": cv2.imencode(".png", sheet)[1].tobytes()})
    before = text_of(page)
    assert before[0].startswith("407")
    page.wait_for_selector("#review:not([hidden])")
    page.keyboard.press("3")
    chromium.wait_for_text(page, "text", "403")
    stored = list((home / "samples" / "me" / "train" / "3").glob("*.png"))
    assert len(stored) == 1
    page.locator("#review-back").click()
    chromium.wait_for_text(page, "text", "407")
    assert not stored[0].exists()
    page.locator("#review-none").click()
    chromium.wait_for_text(page, "text", "40 ")


def test_quick_fingers_correct_one_digit_after_the_other(page: Any) -> None:
    sheet = cv2.imencode(".png", draw_page(SHOWN))[1].tobytes()
    page.route("**/read*", lambda route: answer_with_doubts(route, 0, 1, 2))
    page.set_input_files("#file", {"name": "page.png", "mimeType": "image/png", "buffer": sheet})
    page.wait_for_selector("#review:not([hidden])")
    page.evaluate("""() => {
        for (const key of ["6", "8", "9"]) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }""")
    chromium.wait_for_text(page, "review-state", "All 3")
    assert text_of(page)[0].startswith("689")


def answer_with_doubts(route: Any, *indices: int) -> None:
    """Hand on what the server reads, some digits of it doubtful, so that there is something to review on a clean page."""
    answer = route.fetch()
    reading = answer.json()
    digits = [digit for line in reading["lines"] for number in line["numbers"] for digit in number["digits"]]
    for digit in digits:
        digit["confidence"] = 1.0
    for order, index in enumerate(indices):
        digits[index]["confidence"] = 0.4 + 0.01 * order
    route.fulfill(response=answer, body=json.dumps(reading))


def test_what_the_browser_cannot_draw_is_shown_all_the_same(page: Any) -> None:
    tiff = cv2.imencode(".tiff", draw_page(["52"], width=500, height=300))[1].tobytes()
    page.set_input_files("#file", {"name": "scan.tiff", "mimeType": "image/tiff", "buffer": tiff})
    assert text_of(page) == ["52"]
    assert page.evaluate(DARKEST) < 100


def test_a_file_that_is_no_picture_is_told(page: Any) -> None:
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"})
    page.wait_for_selector("#alert:not([hidden])")
    assert "upload" in page.inner_text("#alert")


def test_the_browsers_camera_is_read(page: Any) -> None:
    page.locator("#own-camera").click()
    chromium.wait_for_text(page, "camera-text", "407 52")
    page.locator("#take").click()
    assert text_of(page) == SHOWN


def test_the_devices_camera_is_read(page: Any) -> None:
    page.locator("#device-camera").click()
    chromium.wait_for_text(page, "camera-text", "407 52")
    page.locator("#device-camera").click()
    assert page.get_attribute("#device-camera", "aria-pressed") == "false"


def test_a_hand_is_collected_and_adapted(page: Any, home: Path) -> None:
    # A mirrored 7 is what the shipped model cannot know; most of the samples come from elsewhere, the last from the page.
    write_samples(home / "samples" / "ada", 4, {7: mirrored})
    page.fill("#hand-name", "ada")
    page.locator("#hand-name").blur()
    chromium.wait_for_text(page, "counts", "40 to learn")
    assert page.inner_text("#prompt") == "Draw a 0"
    page.locator("#skip").click()
    assert page.inner_text("#prompt") == "Draw a 1"
    draw(page, 1, "#collect-pad")
    page.locator("#keep").click()
    chromium.wait_for_text(page, "counts", "41 to learn")
    assert len(list((home / "samples" / "ada" / "train" / "1").glob("*.png"))) == 5
    page.locator("#adapt").click()
    page.wait_for_selector("#before-after:not([hidden])")
    before, after = (int(cell) for cell in page.locator("#before-after tbody tr").first.locator("td").all_inner_texts()[:2])
    assert after < before
    assert page.input_value("#hand") == "ada"
    assert (home / "models" / "ada.npz").is_file()
    draw(page, 3)
    wait_for_digit(page, 3)
    first = (home / "models" / "ada.npz").read_bytes()
    assert page.get_by_role("button", name="Go back").count() == 0
    page.locator("#adapt").click()
    page.get_by_role("button", name="Go back to the version before: ada").click()
    page.get_by_role("button", name="Go back").wait_for(state="detached")
    assert (home / "models" / "ada.npz").read_bytes() == first
    assert page.input_value("#hand") == "ada"
    page.get_by_role("button", name="Remove: ada").click()
    page.get_by_role("button", name="Remove: ada").wait_for(state="detached")
    assert not (home / "models" / "ada.npz").exists()


def test_on_a_phone_nothing_is_cut_off_and_all_can_be_touched(browser: Any, large: Address) -> None:
    with chromium.open_page(browser, f"http://127.0.0.1:{large.port}/", **PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = page.evaluate(
            "[...document.querySelectorAll('button, select, input')].filter((e) => e.offsetParent && e.offsetHeight < 44).map((e) => e.id)"
        )
        assert small == []
        page.locator("#pad").scroll_into_view_if_needed()
        box = page.locator("#pad").bounding_box()
        touch = page.context.new_cdp_session(page)
        x, top, bottom = box["x"] + box["width"] / 2, box["y"] + 0.15 * box["height"], box["y"] + 0.85 * box["height"]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": top}]})
        for y in np.linspace(top, bottom, 12):
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x - (y - top) / 12, "y": float(y)}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        wait_for_digit(page, 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out(browser: Any, large: Address, scheme: str) -> None:
    with chromium.open_page(browser, f"http://127.0.0.1:{large.port}/", color_scheme=scheme, bypass_csp=True) as page:
        for part in ("result", "review", "before-after", "camera-view", "hand-choice"):
            page.evaluate("(id) => { document.getElementById(id).hidden = false; }", part)
        page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"})
        page.wait_for_selector("#alert:not([hidden])")
        page.evaluate("for (const id of ['result', 'review']) document.getElementById(id).hidden = false;")
        assert hindrances(page) == []


def test_no_other_host_is_asked(browser: Any, large: Address) -> None:
    address = f"http://127.0.0.1:{large.port}/"
    with chromium.open_page(browser, address) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        page.wait_for_selector("html[data-ready=yes]")
        draw(page, 7)
        wait_for_digit(page, 7)
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


def test_two_at_once_get_their_own_digits(browser: Any, large: Address) -> None:
    address = f"http://127.0.0.1:{large.port}/"
    with chromium.open_page(browser, address) as first, chromium.open_page(browser, address) as second:
        for mine, yours in ((2, 6), (8, 1)):
            draw(first, mine)
            draw(second, yours)
            wait_for_digit(first, mine)
            wait_for_digit(second, yours)
            first.keyboard.press("Space")
            second.keyboard.press("Space")


def test_the_token_is_taken_out_of_sight_and_a_wrong_one_told(browser: Any, guarded: Address) -> None:
    address = f"http://127.0.0.1:{guarded.port}/"
    with chromium.open_page(browser, f"{address}?token={TOKEN}") as page:
        assert page.url == address
        draw(page, 5)
        wait_for_digit(page, 5)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}?token=wrong-token-of-24-letters")
    page.wait_for_selector("#alert:not([hidden])", timeout=chromium.PATIENCE_MS)
    assert "token" in page.inner_text("#alert")
    context.close()


def test_a_server_that_is_gone_is_told(browser: Any, reader: Reader) -> None:
    running = serve(reader, GuardOptions())
    address = next(running)
    with chromium.open_page(browser, f"http://127.0.0.1:{address.port}/") as page:
        running.close()
        draw(page, 3)
        page.wait_for_selector("#alert:not([hidden])")
        assert "does not answer" in page.inner_text("#alert")


def test_the_drawn_page_is_one_that_can_be_read(reader: Reader) -> None:
    assert reader.read(draw_page(SHOWN)).text.splitlines() == SHOWN
