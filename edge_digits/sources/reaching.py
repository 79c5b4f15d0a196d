"""Why a stream cannot be opened: asks its server once more, in its own protocol, when FFmpeg has only said no."""

from __future__ import annotations

import base64
import errno
import socket
import ssl
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "rtmp": 1935}
ASK_S: Final = 3.0
"""Longest wait for an answer; opening itself has already been waited for."""
ANSWER_BYTES: Final = 4096

STATUS: Final = {
    "401": "its server wants a user and password; give http://USER:PASSWORD@... (or rtsp://...)",
    "403": "its server forbids it; check user, password and the rights of that user",
    "404": "its server runs, but has no such stream (404); check the path behind the host",
    "503": "its server is busy (503); it may allow few viewers at a time, close the others",
}


def why_unreachable(url: str) -> str:
    """What is wrong and what to do, in one line without the URL itself."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        return "is no valid URL; give it as http://HOST:PORT/PATH"
    if not host:
        return "names no host; give it as http://HOST:PORT/PATH"
    if scheme not in PORTS:
        return "stream cannot be opened; check the address, and that its sender runs"
    port = port or PORTS[scheme]
    try:
        with _connect(scheme, host, port) as connection:
            return _verdict(_ask(connection, parts, scheme))
    except OSError as error:
        return _why_no_answer(error, host, port)


def _why_no_answer(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"host '{host}' is not known; check its name and this machine's network"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection to {host}:{port} ({error.reason or error}); try http:// or rtsp:// instead"
    if isinstance(error, TimeoutError):
        return f"{host} does not answer on port {port}; check that it is switched on and in this network"
    if error.errno == errno.ECONNREFUSED:
        return f"{host} refuses port {port}; check the port, and that the camera's server runs"
    return f"{host}:{port} cannot be reached ({error.strerror or error}); check the network"


def _connect(scheme: str, host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), ASK_S)
    if scheme not in ("https", "rtsps"):
        return connection
    context = ssl.create_default_context()
    # FFmpeg does not check certificates either; the question here is only whether somebody speaks.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        return context.wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


def _ask(connection: socket.socket, parts: SplitResult, scheme: str) -> str:
    """First line of the server's answer."""
    login = ""
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    if scheme.startswith("rtsp"):
        request = f"DESCRIBE {scheme}://{host}{path} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n{login}\r\n"
    elif scheme.startswith("http"):
        request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\n{login}\r\n"
    else:
        return ""
    connection.sendall(request.encode("utf-8"))
    return connection.recv(ANSWER_BYTES).decode("latin-1").split("\r\n", 1)[0]


def _verdict(answer: str) -> str:
    words = answer.split()
    status = words[1] if len(words) > 1 and words[0].startswith(("HTTP/", "RTSP/")) else ""
    if status in STATUS:
        return STATUS[status]
    if status.startswith("2"):
        return "its server answers, but what it sends is no video; give the URL of the stream itself, not of a web page"
    return f"stream cannot be opened ({answer[:60] or 'its server says nothing'}); check the address, and that its server runs"
