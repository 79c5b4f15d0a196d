"""A small RTSP server on the loopback: sends one MPEG transport stream over and over, interleaved in the connection.

RFC 2326 (RTSP 1.0), section 10.12 (interleaved data); RFC 2250 (RTP payload 33, MPEG-2 transport stream).
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import IO

PACKET = 188 * 7
TRANSPORT_STREAM = 33
TICKS_PER_S = 90_000
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=film\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"


class RtspServer:
    """Answers each connection in a thread of its own. rounds, then_hang, user : as serve_rtsp takes them."""

    def __init__(self, data: bytes, rounds: int, user: str, *, then_hang: bool) -> None:
        self._data, self._rounds, self._then_hang, self._user = data, rounds, then_hang, user
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.05)

    def serve(self) -> None:
        while not self.over.is_set():
            with suppress(TimeoutError):
                connection, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as requests:
            while line := requests.readline():
                method, headers = line.decode().split(" ")[0], _headers(requests)
                if self._user and "authorization" not in headers:
                    _say(connection, headers, "401 Unauthorized", 'WWW-Authenticate: Basic realm="cam"\r\n')
                elif method == "DESCRIBE":
                    _say(connection, headers, "200 OK", "Content-Type: application/sdp\r\n", SDP)
                elif method == "SETUP":
                    _say(connection, headers, "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1;timeout=60\r\n")
                else:
                    _say(connection, headers, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\nSession: 1\r\n")
                if method == "PLAY":
                    self._play(connection)
                    return

    def _play(self, connection: socket.socket) -> None:
        started, sequence = monotonic(), 0
        for _ in range(self._rounds):
            for at in range(0, len(self._data), PACKET):
                part = self._data[at : at + PACKET]
                ticks = int((monotonic() - started) * TICKS_PER_S) & 0xFFFFFFFF
                header = struct.pack(">BBHII", 0x80, TRANSPORT_STREAM, sequence & 0xFFFF, ticks, 7)
                connection.sendall(struct.pack(">cBH", b"$", 0, len(header) + len(part)) + header + part)
                sequence += 1
                if self.over.wait(0.005):
                    return
        if self._then_hang:
            self.over.wait(60)


@contextmanager
def serve_rtsp(film: Path, *, rounds: int = 1000, then_hang: bool = False, user: str = "") -> Iterator[str]:
    """Serve a transport stream (.ts); gives the URL. rounds : how often it is played. user : no empty one asks for a login."""
    server = RtspServer(film.read_bytes(), rounds, user, then_hang=then_hang)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield f"rtsp://127.0.0.1:{server.listener.getsockname()[1]}/cam"
    finally:
        server.over.set()
        thread.join()
        server.listener.close()


def _headers(requests: IO[bytes]) -> dict[str, str]:
    headers = {}
    while header := requests.readline().decode().strip():
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _say(connection: socket.socket, headers: dict[str, str], status: str, more: str = "", body: str = "") -> None:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    connection.sendall(f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n{more}{length}\r\n{body}".encode())
