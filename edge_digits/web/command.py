"""`edge-digits serve`: a web page on this machine that reads drawings and photos, and a small HTTP API.

Exit codes: 2 wrong usage, the extra missing, or the port taken; 3 model; 5 provider; 130 ended by Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final

from edge_digits.arguments import add_reader_arguments, reader_options
from edge_digits.errors import ExitCode, MissingExtraError, UsageError
from edge_digits.reader import Reader
from edge_digits.web.answers import INSTALL_COMMAND, load_starlette
from edge_digits.web.app import make_app
from edge_digits.web.connections import MOST_CONNECTIONS, make_protocol
from edge_digits.web.device_camera import DeviceCamera
from edge_digits.web.guard import App, GuardOptions
from edge_digits.web.hands import Hands

DEFAULT_PORT: Final = 8765
DEFAULT_UPLOAD_MB: Final = 25.0
DEFAULT_MEGAPIXELS: Final = 50.0
"""Half of what the command line reads: several people may send pictures at once."""
TOKEN_VARIABLE: Final = "EDGE_DIGITS_TOKEN"  # noqa: S105 - the name of a variable, no secret
DEFAULT_REQUESTS_PER_S: Final = 100.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--host, --port, --token, --samples, --camera, --max-upload-mb, --requests-per-s and the reader's."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s: this machine alone)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one (default %(default)s)")
    parser.add_argument("--token", default=None, help=f"what callers must know; also taken from ${TOKEN_VARIABLE}")
    parser.add_argument("--samples", type=Path, metavar="DIR", help="where the hands' samples are kept (default: the user's own folder)")
    parser.add_argument("--camera", metavar="SOURCE", help="show this machine's camera too: a number, device or URL as for `watch`")
    parser.add_argument(
        "--requests-per-s", type=float, default=DEFAULT_REQUESTS_PER_S, metavar="N", help="most of one address (default %(default)s)"
    )
    parser.add_argument("--max-upload-mb", type=float, default=DEFAULT_UPLOAD_MB, metavar="MB", help="largest upload (default %(default)s)")
    add_reader_arguments(parser)
    parser.set_defaults(max_megapixels=DEFAULT_MEGAPIXELS)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Serve until interrupted."""
    token = os.environ.get(TOKEN_VARIABLE, "") if arguments.token is None else arguments.token
    options = GuardOptions(arguments.host, token, round(arguments.max_upload_mb * 1e6), arguments.requests_per_s)
    load_starlette()
    load_uvicorn()
    reader = Reader(options=reader_options(arguments))
    listener = listen(arguments.host, arguments.port)
    camera = DeviceCamera(arguments.camera, reader) if arguments.camera else None
    question = f"?token={token}" if token else ""
    print(f"edge-digits: reading at {address(listener)}/{question} (Ctrl-C ends)", file=sys.stderr, flush=True)
    try:
        make_server(make_app(reader, options, camera, Hands(reader, arguments.samples))).run(sockets=[listener])
    finally:
        if camera is not None:
            camera.close()
    return ExitCode.OK


def load_uvicorn() -> Any:
    """The uvicorn package. Raises MissingExtraError with the install command."""
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError(f"the web page needs an extra ({error}); run: {INSTALL_COMMAND}") from error
    return uvicorn


def make_server(app: App) -> Any:
    """A uvicorn server for the application: no access log, which would hold the token, and no websockets."""
    uvicorn = load_uvicorn()
    from uvicorn.protocols.http.h11_impl import H11Protocol

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        http=make_protocol(H11Protocol),
        loop="asyncio",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises UsageError when the address is not ours or the port is taken."""
    if not 0 <= port <= 65535:
        raise UsageError(f"port is {port}; give a number from 0 to 65535")
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            # From here on callers wait instead of being turned away: the address may be told.
            listener.listen(MOST_CONNECTIONS)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise UsageError(f"cannot listen on {host} port {port} ({error.strerror}); choose another --port or --host") from error
    return listener


def address(listener: socket.socket) -> str:
    """The URL of a listening socket, without a slash at its end."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
