"""Why a stream cannot be opened, asked of real sockets on the loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge_digits.sources import reaching
from edge_digits.sources.reaching import why_unreachable


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives one answer, whatever it is asked; what it was asked is kept."""
    asked: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            asked.append(connection.recv(4096))
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
    finally:
        thread.join()
        server.close()


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("401 Unauthorized", "wants a user and password"),
        ("404 Not Found", "no such stream (404)"),
        ("503 Busy", "is busy (503)"),
        ("200 OK", "what it sends is no video"),
        ("500 Oh", "500 Oh"),
    ],
)
def test_what_the_server_says_is_told(scheme: str, status: str, reason: str) -> None:
    protocol = {"http": "HTTP/1.0", "rtsp": "RTSP/1.0"}[scheme]
    with answering(f"{protocol} {status}\r\n\r\n".encode()) as (place, asked):
        told = why_unreachable(f"{scheme}://anna:top%20secret@{place}/cam?x=1")
    assert reason in told
    assert ";" in told or "(" in told
    assert "secret" not in told
    assert asked[0].startswith(b"GET /cam?x=1 HTTP/1.0" if scheme == "http" else f"DESCRIBE rtsp://{place}/cam?x=1 RTSP/1.0".encode())
    assert b"Authorization: Basic YW5uYTp0b3Agc2VjcmV0\r\n" in asked[0]


def test_a_server_of_another_kind_is_told() -> None:
    with answering(b"SSH-2.0-OpenSSH\r\n") as (place, _):
        assert "SSH-2.0-OpenSSH" in why_unreachable(f"http://{place}/")


def test_a_refused_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert why_unreachable(f"rtsp://127.0.0.1:{port}/1").startswith(f"127.0.0.1 refuses port {port}; check")


def test_a_host_that_keeps_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "ASK_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the connection, never answers
        assert "does not answer on port" in why_unreachable(f"http://127.0.0.1:{server.getsockname()[1]}/")


def test_an_unknown_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    assert why_unreachable("http://cam.invalid/").startswith("host 'cam.invalid' is not known")


def test_a_server_without_encryption() -> None:
    with answering(b"HTTP/1.0 400 Bad Request\r\n\r\n") as (place, _):
        assert "no secure connection" in why_unreachable(f"https://{place}/")


@pytest.mark.parametrize(
    ("url", "reason"), [("http://", "names no host"), ("http://[::1", "no valid URL"), ("http://h:99999/", "no valid URL")]
)
def test_what_is_no_url(url: str, reason: str) -> None:
    assert reason in why_unreachable(url)


def test_a_kind_that_has_no_server() -> None:
    assert "stream cannot be opened" in why_unreachable("udp://127.0.0.1:9")
