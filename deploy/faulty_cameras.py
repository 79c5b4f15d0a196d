"""Two cameras that misbehave when told to: an HTTP server of MJPEG on this machine, and a program called `rpicam-vid`.

Both play the pictures of one folder, and look at the file `state` in it before each: "fair", or one of FAULTS. Needs
nothing but Python, since the program is started anew after every fault.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep, time
from typing import Final

FAULTS: Final = {"stall": 8.0, "cut": 0.3, "vanish": 6.0, "garbage": 2.0, "freeze": 8.0, "dark": 8.0}
"""Seconds that each lasts. stall: nothing comes, the line stays open. cut: it ends, and can be had again at once. vanish: it ends,
and nobody answers. garbage: bytes that are no picture. freeze: the same picture over and over. dark: pictures of a capped lens."""
PAGE_S: Final = 3.0
"""Time that each sheet lies before the camera."""
PART: Final = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
HEAD: Final = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


class Player:
    """Plays the folder's pictures by its state. They are named SHEET-NUMBER.jpg; the sheet "dark" shows nothing."""

    def __init__(self, folder: Path, rate: float) -> None:
        """rate : pictures a second."""
        self._folder, self._pause_s = folder, 1 / rate
        sheets: dict[str, list[bytes]] = {}
        for path in sorted(folder.glob("*.jpg")):
            sheets.setdefault(path.name.partition("-")[0], []).append(path.read_bytes())
        self._dark = sheets.pop("dark")
        self._sheets = list(sheets.values())

    @property
    def state(self) -> str:
        """What is to be played now."""
        return (self._folder / "state").read_text(encoding="ascii")

    def play(self, write: Callable[[bytes], None]) -> None:
        """Write one picture after the other until the state says to end. Raises OSError when nobody listens any more."""
        index, due = 0, monotonic()
        while (state := self.state) not in ("cut", "vanish"):
            due = max(due + self._pause_s, monotonic())
            sleep(max(0.0, due - monotonic()))
            sheet = self._dark if state == "dark" else self._sheets[int(time() / PAGE_S) % len(self._sheets)]
            if state == "garbage":
                write(random.randbytes(5000))  # noqa: S311
            elif state != "stall":
                index += state != "freeze"
                write(self._sheets[0][0] if state == "freeze" else sheet[index % len(sheet)])


class FaultyStream:
    """The HTTP server. Use it in a `with` block; `url` is where it is."""

    def __init__(self, player: Player) -> None:
        self._player, self._over = player, threading.Event()
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/stream"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> FaultyStream:  # noqa: PYI034 - typing.Self needs Python 3.11
        self._thread.start()
        return self

    def __exit__(self, *told: object) -> None:
        self._over.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._over.is_set():
            if self._player.state == "vanish":
                self._close()
                sleep(0.1)
                continue
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self._port))
            self._listener.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
        self._close()

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _answer(self, connection: socket.socket) -> None:
        def write(picture: bytes) -> None:
            if self._over.is_set():
                raise OSError("the server is over")
            connection.sendall(PART % len(picture) + picture + b"\r\n")

        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(HEAD)
            self._player.play(write)


def make_program(folder: Path, rate: float) -> Path:
    """Write an executable `rpicam-vid` that plays the folder; gives the folder to put in front of PATH."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "rpicam-vid"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{Path(__file__).resolve()}' '{folder}' {rate:g}\n", encoding="utf-8")
    program.chmod(0o755)
    return programs


def main() -> int:
    """What `rpicam-vid` does: FOLDER RATE."""
    player = Player(Path(sys.argv[1]), float(sys.argv[2]))
    if player.state == "vanish":
        print("ERROR: *** no cameras available ***", file=sys.stderr)
        return 255

    def write(picture: bytes) -> None:
        while picture:
            picture = picture[os.write(1, picture) :]

    with contextlib.suppress(BrokenPipeError):
        player.play(write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
