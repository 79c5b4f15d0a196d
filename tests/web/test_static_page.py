"""The page without a server, in a real Chromium: the tile rule, and, where deploy/web/dist is built, the whole page."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_digits.paper.tiles import make_tile
from edge_digits.recognition.adapted import find_adapted
from tests.strokes import draw_digit

chromium = pytest.importorskip("deploy.chromium", reason="not beside the installed package")
check = pytest.importorskip("deploy.check_browser", reason="not beside the installed package")

drawing = pytest.importorskip("tests.web.drawing", reason="not beside the installed package")
draw, hindrances, wait_for_digit = drawing.draw, drawing.hindrances, drawing.wait_for_digit

pytestmark = pytest.mark.hardware


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    pytest.importorskip("playwright", reason="drives the browser; in the extra dev")
    if chromium.find_chromium() is None:
        pytest.skip("no Chromium here")
    with chromium.open_chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    if not (check.DIST / "index.html").is_file():
        pytest.skip("deploy/web/dist is not built: cd deploy/web && npm ci --ignore-scripts && npm run build")
    with chromium.serve_folder(check.DIST) as served:
        yield served


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with chromium.open_page(browser, address) as opened:
        yield opened


def test_tiles_are_those_of_python(browser: Any) -> None:
    with chromium.serve_folder(check.SOURCE) as address:
        page = browser.new_page()
        page.goto(address)
        compared = check.compare_tiles(page, address, 60)
        page.close()
    assert compared["golden_glyphs"] > 20
    assert max(compared["golden_largest_difference"], compared["chance_largest_difference"]) <= check.MOST_LEVELS


def test_a_wrong_rule_would_be_seen(browser: Any, tmp_path: Path) -> None:
    for name in ("tiles.js", "pictures.js"):
        (tmp_path / name).write_text((check.SOURCE / name).read_text(encoding="utf-8").replace("TILE_SIDE / 2 -", "13 -"), encoding="utf-8")
    with chromium.serve_folder(tmp_path) as address:
        page = browser.new_page()
        page.goto(address)
        assert check.compare_tiles(page, address, 0)["golden_largest_difference"] > 100
        page.close()


def test_digits_are_read_without_a_server_and_without_a_network(page: Any) -> None:
    draw(page, 4)
    wait_for_digit(page, 4)
    page.evaluate("navigator.serviceWorker.ready")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    draw(page, 9)
    wait_for_digit(page, 9)


def idx(values: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """An array as a compressed IDX file."""
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    return gzip.compress(head + values.tobytes())


def test_accuracy_is_measured_on_files_that_are_given(page: Any, tmp_path: Path) -> None:
    tiles = np.array([make_tile(draw_digit(digit, 64, pen)) for pen in (6, 7, 8, 9) for digit in range(10)])
    labels = np.array([*range(10)] * 4, np.uint8)
    labels[0] = 1
    pictures, names = tmp_path / "images.gz", tmp_path / "labels.gz"
    pictures.write_bytes(idx(tiles))
    names.write_bytes(idx(labels))
    shown, found = check.measure_mnist(page, pictures, names)
    assert shown.startswith("97.50 % of 40 ")
    assert found == [*range(10)] * 4
    page.set_input_files("#mnist-files", [str(names)])
    page.wait_for_selector("#alert:not([hidden])")
    assert "two files" in page.inner_text("#alert")


def test_a_head_is_trained_here_saved_and_read_by_python(page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page.evaluate(KEEP_DRAWINGS)
    page.fill("#hand-name", "bo")
    page.locator("#hand-name").blur()
    chromium.wait_for_text(page, "counts", "20 to learn")
    page.locator("#skip").click()
    draw(page, 1, "#collect-pad")
    page.locator("#keep").click()
    chromium.wait_for_text(page, "counts", "21 to learn")
    page.locator("#adapt").click()
    page.wait_for_selector("#before-after:not([hidden])")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file: bo").click()
    monkeypatch.setenv("EDGE_DIGITS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    download.value.save_as(tmp_path / "models" / "bo.npz")
    head = find_adapted("bo")
    assert head is not None
    assert head.metadata["figures"]["samples"] == 21
    page.set_input_files("#hand-file", str(tmp_path / "models" / "bo.npz"))
    page.get_by_role("button", name="Go back to the version before: bo").click()
    page.get_by_role("button", name="Go back").wait_for(state="detached")
    page.get_by_role("button", name="Remove: bo").click()
    page.get_by_role("button", name="Remove: bo").wait_for(state="detached")
    page.set_input_files("#hand-file", str(tmp_path / "models" / "bo.npz"))
    page.wait_for_selector("#hand-choice option:checked:text-is('bo')", state="attached")
    draw(page, 3)
    wait_for_digit(page, 3)


def test_the_same_method_is_chosen_as_by_python(page: Any) -> None:
    tiles = np.array([make_tile(draw_digit(digit, 64, pen)) for pen in (6, 9) for digit in range(10)])
    compared = check.compare_choice(page, tiles, np.array([*range(10)] * 2, np.uint8))
    assert compared["same"]
    assert compared["own_errors_after"]["browser"] == compared["own_errors_after"]["python"]
    assert compared["weights_difference_of_their_length"] < 0.05


KEEP_DRAWINGS = """async () => {
    const { engine } = await import("./engine.js");
    const canvas = new OffscreenCanvas(200, 200);
    const pen = canvas.getContext("2d");
    const strokes = { 1: [[100, 30, 95, 170]], 7: [[140, 35, 60, 40], [60, 40, 110, 170]] };
    for (let turn = 0; turn < 10; turn += 1) {
        for (const digit of [1, 7]) {
            pen.fillStyle = "#000";
            pen.fillRect(0, 0, 200, 200);
            pen.strokeStyle = "#fff";
            pen.lineWidth = 12 + (turn % 4);
            pen.lineCap = "round";
            for (const [x0, y0, x1, y1] of strokes[digit]) {
                pen.beginPath();
                pen.moveTo(x0 + turn, y0);
                pen.lineTo(x1 - turn, y1 - turn);
                pen.stroke();
            }
            await engine.keepSample("bo", digit, "train", { png: () => canvas.convertToBlob({ type: "image/png" }) });
        }
    }
}"""


def test_another_model_is_loaded_and_nonsense_refused(page: Any) -> None:
    page.set_input_files("#model-file", str(check.DIST / "digits.float.onnx"))
    page.wait_for_selector("#model:has-text('digits.float')")
    draw(page, 2)
    wait_for_digit(page, 2)
    page.set_input_files("#model-file", {"name": "no.onnx", "mimeType": "application/octet-stream", "buffer": b"\x08\x07nonsense"})
    page.wait_for_selector("#alert:not([hidden])")
    page.locator("#clear").click()
    draw(page, 2)
    wait_for_digit(page, 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out(browser: Any, address: str, scheme: str) -> None:
    with chromium.open_page(browser, address, color_scheme=scheme, bypass_csp=True) as page:
        assert hindrances(page) == []
