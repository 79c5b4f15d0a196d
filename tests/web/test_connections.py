"""Callers who hold a connection for nothing, and what a camera shows when it fails."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from edge_digits import Reader
from edge_digits.errors import CameraError
from edge_digits.web import connections
from edge_digits.web.device_camera import DeviceCamera
from edge_digits.web.guard import GuardOptions
from tests.web.conftest import Address, serve

pytest.importorskip("starlette", reason='the extra "web" is not installed')
pytest.importorskip("uvicorn", reason='the extra "web" is not installed')
pytest.importorskip("python_multipart", reason='the extra "web" is not installed')


def ends(link: socket.socket) -> bool:
    """Whether the other side ends the connection; what it still says before that is passed over."""
    link.settimeout(20)
    try:
        while link.recv(1000):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_header_that_does_not_come_ends_the_connection(server: Address, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connections, "HEADER_S", 0.2)
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.sendall(sent)
        assert ends(link)


def test_the_second_header_of_a_connection_has_its_time_too(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_S", 0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as link:
        link.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert link.recv(10_000).startswith(b"HTTP/1.1 200")
        link.sendall(b"GET /health HTTP/1.1\r\n")
        assert ends(link)


def test_one_address_holds_only_its_share(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_FROM_ONE", 2)
    links = [socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.9", 0)) for _ in range(4)]
    assert ends(links[-1])
    assert server("/health").status == 200
    for link in links:
        link.close()


def test_who_asks_too_often_is_told_to_wait(reader: Reader) -> None:
    running = serve(reader, GuardOptions(requests_per_s=0.01))
    slow = next(running)
    assert slow("/health").status == 200
    answer = slow("/health")
    assert (answer.status, answer.error) == (429, "TooManyRequests")
    assert 1 <= int(answer.headers["retry-after"]) <= 100
    running.close()


class Broken:
    """A camera that cannot be opened."""

    ended = False

    def __init__(self, name: str) -> None:
        raise CameraError(f"{name}: no such camera; check that it is connected")


@pytest.fixture(scope="module")
def without_camera(reader: Reader) -> Iterator[Address]:
    yield from serve(reader, GuardOptions(), DeviceCamera("7", reader, Broken))


def test_a_camera_that_fails_is_told(without_camera: Address, server: Address) -> None:
    answer = without_camera("/camera")
    assert (answer.status, answer.error) == (503, "CameraError")
    assert "no such camera" in answer.value["error"]["message"]
    assert without_camera("/health").value["camera"] == "7"
    assert server("/camera").status == 503
    assert server("/health").value["camera"] is None
