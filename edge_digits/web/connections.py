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


def make_protocol(base: Any) -> Any:
    """A class like uvicorn's H11Protocol, given as base, that ends connections which hold their place for nothing."""
    held: Counter[str] = Counter()

    class PatientForAWhile(base):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._address = str((transport.get_extra_info("peername") or ("",))[0])
            self._answer_timer: asyncio.TimerHandle | None = None
            held[self._address] += 1
            self._header_timer: asyncio.TimerHandle | None = self.loop.call_later(HEADER_S, transport.abort)
            if held[self._address] > MOST_FROM_ONE:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop("_header_timer")
            self._stop("_answer_timer")
            held[self._address] -= 1
            if held[self._address] <= 0:
                del held[self._address]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop("_header_timer")
            elif self._header_timer is None:
                self._header_timer = self.loop.call_later(HEADER_S, self.transport.abort)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # A request that came in the same packet has begun already; any other one gets its time anew.
            if self.cycle.response_complete and self._header_timer is None:
                self._header_timer = self.loop.call_later(HEADER_S, self.transport.abort)

        def pause_writing(self) -> None:
            super().pause_writing()
            if self._answer_timer is None:
                self._answer_timer = self.loop.call_later(ANSWER_S, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._stop("_answer_timer")

        def _stop(self, name: str) -> None:
            timer = getattr(self, name)
            if timer is not None:
                timer.cancel()
                setattr(self, name, None)

    return PatientForAWhile
