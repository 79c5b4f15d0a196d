"""What the pool asks of an engine: workers that can be started, told what to do, listened to, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge_digits.batch.schedule import Order
from edge_digits.batch.worker import Message


class Member(Protocol):
    """One worker, wherever it runs."""

    def send(self, order: Order) -> None:
        """Give it an order; orders are followed one after the other."""

    def messages(self) -> list[Message]:
        """What it has said since it was asked last."""

    def ended(self) -> str | None:
        """How it ended, such as "was ended by SIGKILL"; None while it runs. What it said before comes by `messages` first."""

    def finish(self) -> None:
        """Tell it to end when it has followed its orders."""

    def end(self, patience_s: float) -> None:
        """See that it has ended: by itself within so many seconds, or else by force. It may have ended before."""


class Crew(Protocol):
    """Where workers come from."""

    def size(self) -> int:
        """How many workers there should be at most."""

    def start(self) -> Member:
        """Begin to start a worker; it says ("ready", model) or ("failed", type, text) when it has."""

    def wait(self, members: Sequence[Member], seconds: float | None) -> None:
        """Return when one of them may have said something or ended, or after so long. None : as long as it takes."""

    def close(self) -> None:
        """Nothing more will be asked for."""
