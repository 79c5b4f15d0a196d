"""A real server on a free port of this machine, and a client that shows every header."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge_digits import Reader
from edge_digits.web.device_camera import DeviceCamera
from edge_digits.web.guard import GuardOptions

TOKEN = "a-token-of-24-characters"
SMALL_LIMIT = 1_000_000
START_WAIT_S = 20.0


@dataclass
class Answer:
    """What came back. headers : names in small letters."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        """The JSON in it."""
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The type of the error in it."""
        return str(self.value["error"]["type"])


@dataclass
class Address:
    """Where a server listens."""

    port: int

    def __call__(self, path: str, body: bytes | None = None, *, method: str | None = None, **headers: str) -> Answer:
        """One request. headers : underscores stand for dashes; without `host` the right one is sent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method or ("GET" if body is None else "POST"), path, body, given)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})
        finally:
            connection.close()


def serve(reader: Reader, options: GuardOptions, camera: DeviceCamera | None = None) -> Iterator[Address]:
    """Run the application under uvicorn in a thread while the generator lives."""
    from edge_digits.web.app import make_app
    from edge_digits.web.command import listen, make_server

    server, listener = make_server(make_app(reader, options, camera)), listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_WAIT_S
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield Address(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(START_WAIT_S)
        listener.close()


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's own folder, where hands and their samples are kept."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("EDGE_DIGITS_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def reader(home: Path) -> Reader:
    return Reader(threads=1, max_megapixels=2.0)


@pytest.fixture(scope="session")
def server(reader: Reader) -> Iterator[Address]:
    """A server as it is by default, with a small upload limit."""
    yield from serve(reader, GuardOptions(max_upload_bytes=SMALL_LIMIT))


@pytest.fixture(scope="session")
def guarded(reader: Reader) -> Iterator[Address]:
    """A server with a token."""
    yield from serve(reader, GuardOptions(token=TOKEN))
