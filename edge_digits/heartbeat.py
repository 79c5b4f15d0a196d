"""Tells systemd that a service is up, and goes on telling it that it lives; without systemd nothing happens.

Protocol: sd_notify(3), datagrams to the socket that $NOTIFY_SOCKET names; WATCHDOG=1 is due within $WATCHDOG_USEC microseconds.
"""

from __future__ import annotations

import os
import socket
from time import monotonic
from typing import Final

BEATS_A_LIMIT: Final = 4
"""How often within its limit the watchdog is told; sd_watchdog_enabled(3) advises half of the time at the latest."""


class Heartbeat:
    """Call `beat` in every turn of the loop that must not hang. The first one says that the service is up."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        limit_us = os.environ.get("WATCHDOG_USEC", "")
        self._pause_s = int(limit_us) / 1e6 / BEATS_A_LIMIT if limit_us.isdigit() else None
        self._told_s: float | None = None

    def beat(self) -> None:
        """Cheap enough for every frame: most calls only look at the clock."""
        if not self._address:
            return
        now_s = monotonic()
        if self._told_s is None:
            self._tell("READY=1")
        elif self._pause_s is None or now_s - self._told_s < self._pause_s:
            return
        self._told_s = now_s
        if self._pause_s is not None:
            self._tell("WATCHDOG=1")

    def _tell(self, message: str) -> None:
        # A leading "@" stands for the null byte of Linux's abstract sockets.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.sendto(message.encode(), address)
        except OSError:
            self._address = ""  # the service manager is gone; reading goes on
