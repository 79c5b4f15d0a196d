"""The pages of one opened file: how many there are, and each by its number, decoded when it is asked for."""

from __future__ import annotations

from typing import Protocol

from edge_digits.sources.frame import Frame


class Pages(Protocol):
    """What can be read of one file. Numbers begin at 1; any page may be asked for at any time, and again.

    One damaged page says nothing about the others: `frame` fails for it alone.
    """

    @property
    def count(self) -> int:
        """Pages of the file; 1 for a plain picture."""

    def frame(self, number: int) -> Frame:
        """One page. Raises InputDecodeError, InputTooLargeError, ValueError for a number that is none."""

    def close(self) -> None:
        """Let go of what was opened for it."""
