"""A real Chromium for checks and tests, and a plain server for a static folder. Playwright drives the browser of the system."""

from __future__ import annotations

import functools
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 120_000
"""For machines that do much else at the same time."""


def find_chromium() -> str | None:
    """Path of a Chromium of this system, None without one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def open_chromium(arguments: Sequence[str] = ()) -> Iterator[Any]:
    """A Playwright Browser. Raises FileNotFoundError where no Chromium is installed."""
    from playwright.sync_api import sync_playwright

    program = find_chromium()
    if program is None:
        raise FileNotFoundError("no Chromium here; on Debian: apt-get install chromium")
    # Chromium's own sandbox does not start for the superuser; all pages here are ours.
    bare = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*bare, *arguments])
        try:
            yield browser
        finally:
            browser.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """No line for every request."""


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; gives its address with a slash at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def wait_for_text(page: Any, element: str, begins: str) -> None:
    """Wait until the text of the element with that id begins so; "" waits until it is empty.

    Not by Page.wait_for_function, which needs the eval that the page's content policy forbids.
    """
    from playwright.sync_api import expect

    expect(page.locator(f"#{element}")).to_have_text(re.compile(f"^{re.escape(begins)}" if begins else r"^\s*$"), timeout=PATIENCE_MS)


@contextmanager
def open_page(browser: Any, address: str, **context: Any) -> Iterator[Any]:
    """The page of edge-digits, started. context : as Playwright's new_context takes it."""
    opened = browser.new_context(**context)
    opened.set_default_timeout(PATIENCE_MS)
    try:
        page = opened.new_page()
        page.goto(address)
        page.wait_for_selector("html[data-ready=yes]")
        yield page
    finally:
        opened.close()
