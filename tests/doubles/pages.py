"""Pages with drawn digits, films of them, and a server that streams them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.reading.reading import Box, Digit, Line, Number, Reading
from tests.strokes import draw_digit

Picture = NDArray[np.uint8]

PAPER = 225
NUMBER_ONE, NUMBER_TWO = "4072", "385"


def draw_page(numbers: dict[tuple[int, int], str], size: tuple[int, int] = (720, 960), height_px: int = 80) -> Picture:
    """A sheet with numbers at (x, y) of their left upper corners; uint8 (h, w, 3), dark ink on light paper.

    Digits wander and lean by a fixed seed: all upright on one line they would be print, and rightly refused.
    """
    chance = np.random.default_rng(7)
    ink = np.zeros(size, np.uint8)
    for (left, top), text in numbers.items():
        x = left
        for letter in text:
            glyph = leaning(draw_digit(int(letter), round(height_px * chance.uniform(0.9, 1.1))), chance.uniform(-0.05, 0.3))
            y = top + round(height_px * chance.uniform(0, 0.12))
            view = ink[y : y + glyph.shape[0], x : x + glyph.shape[1]]
            np.maximum(view, glyph[: view.shape[0], : view.shape[1]], out=view)
            x += glyph.shape[1] + height_px // 5
    grey = PAPER - (ink.astype(np.float32) * 0.75)
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def leaning(glyph: Picture, slope: float) -> Picture:
    """A glyph, ink 255, sheared to the right by so many pixels a row."""
    height, width = glyph.shape
    across = round(abs(slope) * height)
    shear = np.array([[1, -slope, max(0.0, slope) * height], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(glyph, shear, (width + across, height)), np.uint8)


def with_noise(picture: Picture, seed: int) -> Picture:
    """The same picture as another exposure of a sensor."""
    noise = np.random.default_rng(seed).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def write_film(path: Path, pictures: Sequence[Picture], fps: float = 25.0) -> Path:
    """Write an MJPG film."""
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


@contextmanager
def serve_mjpeg(
    pictures: Sequence[Picture], pause_s: float = 0.02, *, rounds: int = 10_000, then_hang: threading.Event | None = None
) -> Iterator[str]:
    """Stream the pictures over and over as MJPEG on a free loopback port; gives the URL.

    then_hang : is set at the end, from when on nothing more is said; without it the stream ends.
    """
    parts = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/stream":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for index in range(rounds * len(parts)):
                    part = parts[index % len(parts)]
                    self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(part), part))
                    if over.wait(pause_s):
                        return
                if then_hang is not None:
                    then_hang.set()
                    over.wait(60)
            except OSError:
                pass  # the viewer has gone

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/stream"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def number(text: str, box: Box, confidence: float = 0.99) -> Number:
    """A number whose digits share its box evenly; "?" is an unsure digit."""
    x, y, w, h = box
    step = w // len(text)
    digits = []
    for index, letter in enumerate(text):
        place = (x + index * step, y, w - index * step if index == len(text) - 1 else step, h)
        digits.append(Digit(None if letter == "?" else int(letter), confidence, place))
    return Number(tuple(digits))


def reading(*lines: Sequence[Number], source: str = "film") -> Reading:
    """A reading of the given lines."""
    return Reading(source, 1, 960, 720, tuple(Line(tuple(line)) for line in lines if line), {"name": "double"}, "none")
