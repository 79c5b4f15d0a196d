"""Connections that do not end: uvicorn waits for ever for the rest of a header, and for a caller who takes no answer.

Each such caller would hold a place. Here a header must be there in time, an answer must be taken in time, and one
address holds only a share of the places.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

HEADER_S: Final = 10.0
"""From connecting, or from the end of the request before, to the end of a request's header."""
ANSWER_S: Final = 30.0
"""Longest time in which a caller takes nothing of an answer."""
MOST_CONNECTIONS: Final = 256
MOST_FROM_ONE: Final = 64
"""Connections of one address; a browser opens six."""


def make_protocol(base: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """A class like uvicorn's H11Protocol, given as base, that ends connections which hold their place for nothing."""
    return type("BoundedProtocol", (_Bounded, base), {"held": Counter()})


class _Bounded(asyncio.Protocol):
    """Stands before the protocol that speaks HTTP. held : connections by address, of all connections of one server."""

    held: Counter[str]
    loop: asyncio.AbstractEventLoop
    cycle: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self._bounded = transport
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        self._header_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None
        self._await_header()
        self.held[self._address] += 1
        if self.held[self._address] > MOST_FROM_ONE:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_header_wait()
        self.resume_writing()
        self.held[self._address] -= 1
        if self.held[self._address] <= 0:
            del self.held[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._end_header_wait()
        else:
            self._await_header()

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc]
        if not self._is_answering():  # else a request that came in the same packet has begun already
            self._await_header()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._answer_timer = self._answer_timer or self.loop.call_later(ANSWER_S, self._bounded.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_header(self) -> None:
        self._header_timer = self._header_timer or self.loop.call_later(HEADER_S, self._bounded.abort)

    def _end_header_wait(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
