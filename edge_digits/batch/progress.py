"""What a person sees of a batch while it runs: a bar where somebody looks on, and the first failures, one line each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edge_digits.batch.batch import Progress
from edge_digits.batch.schedule import Error

MOST_ERRORS_TOLD: Final = 20
"""Failures that are also told on stderr, one line each; the table has them all."""


def shown(entries: Iterator[Mapping[str, Any]], table: Path) -> Iterator[Mapping[str, Any]]:
    """The entries that a table is written from, with a bar on stderr where that takes long: crops are cut from all pages again."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield from entries
        return
    yield from tqdm(entries, unit=" pages", desc=f"writing {table.name}", delay=2.0, leave=False, file=sys.stderr, disable=None)


class TerminalProgress(Progress):
    """Progress on stderr. Use as a context; the bar needs tqdm and a terminal, the lines need nothing."""

    def __init__(self) -> None:
        """No bar yet: how many files there are is told by `begin`."""
        self._bar: Any = None
        self._pages = self._told = 0

    def __enter__(self) -> TerminalProgress:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, files: int, left: int) -> None:
        """Show the bar, at the files that are done."""
        try:
            from tqdm import tqdm
        except ImportError:
            return
        # disable=None: no bar where stderr is no terminal.
        self._bar = tqdm(total=files, initial=files - left, unit="file", file=sys.stderr, disable=None)

    def page(self) -> None:
        """Count a page: a document of 900 is one file."""
        self._pages += 1
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._pages} pages", refresh=False)
            self._bar.update(0)

    def file(self) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update()

    def failure(self, error: Error) -> None:
        """Tell the first failures."""
        self._told += 1
        if self._told > MOST_ERRORS_TOLD + 1:
            return
        line = f"edge-digits: {error['message'] if self._told <= MOST_ERRORS_TOLD else 'more failed; the table has them'}"
        print(line, file=sys.stderr) if self._bar is None else self._bar.write(line, file=sys.stderr)
