"""The table of one batch: where it goes, what is done to its entries, and what is said of it at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_digits.batch.assigning import Assignment
from edge_digits.batch.batch import Tally
from edge_digits.batch.options import TableFormat
from edge_digits.batch.tables import write_table
from edge_digits.reading.values import ValueList

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be written. out : as the user named it. assign, known : name and values of a list to assign, or None."""

    out: Path
    form: TableFormat
    assign: str | None = None
    known: ValueList | None = None

    def write(self, noted: Callable[[], Iterator[Entry]], tally: Tally) -> None:
        """Write it, and count what stands in it. noted : gives the journal's entries in order, each time anew. Raises UsageError."""
        change = None if self.known is None else Assignment(f"assign:{self.assign}", self.known, noted())
        write_table(self.out.resolve(), self.form, counted(noted(), tally, change))

    def summary(self, tally: Tally) -> str:
        """What was done, and where to look, in one line."""
        pages_a_minute = 60 * tally.read_pages / tally.seconds if tally.seconds > 0 else 0.0
        took = f"{tally.seconds:.1f} s" + (f", {pages_a_minute:.0f} pages a minute" if tally.read_pages else ", nothing was left to read")
        words = [
            f"{tally.files} files, {tally.pages} pages, {tally.numbers} numbers, {tally.unsure} of them unsure (text has '?')",
            f"{tally.failed} failed" + (" (column error); --only-failed reads them again" if tally.failed else ""),
            took,
            f"table: {self.out}",
        ]
        return "; ".join(words)


def counted(entries: Iterator[Entry], tally: Tally, change: Callable[[Entry], Entry] | None = None) -> Iterator[Entry]:
    """The entries, changed, and counted as they pass."""
    for entry in entries:
        changed = entry if change is None else change(entry)
        if "error" in changed:
            tally.failed += 1
        else:
            numbers = [number for line in changed["lines"] for number in line["numbers"]]
            tally.pages += 1
            tally.numbers += len(numbers)
            tally.unsure += sum(number["value"] is None for number in numbers)
        yield changed
