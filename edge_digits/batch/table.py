"""The table of one batch: what the journal's entries go through on their way into it, and what is said of it at the end.

An entry is one JSON object a page or failure, in the order of the files and their pages. Of a page it is the object of
`read --format json`, less "elapsed_ms"; of a failure {"source", "error": {"type", "message"}}, and "page" where it is of
one page. Values of a list are assigned first, then comes what a person said in a review, then what holds over all sheets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_digits.batch.assigning import Assignment
from edge_digits.batch.batch import Tally
from edge_digits.batch.corrections import Correction, corrected, load_corrections
from edge_digits.batch.journal import Journal
from edge_digits.batch.options import TableFormat
from edge_digits.batch.progress import shown
from edge_digits.batch.sheet_order import SheetOrder
from edge_digits.batch.tables import write_table
from edge_digits.reading.values import ValueList

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be written. out : as the user named it. assign, known : name and values of a list to assign, or None."""

    out: Path
    form: TableFormat
    assign: str | None = None
    known: ValueList | None = None

    def write(self, journal: Journal, files: Sequence[tuple[str, int | None]], tally: Tally) -> None:
        """Write it, and count what stands in it. files : source and number of each, in order. Raises UsageError."""
        journal.list_files(files, {"format": self.form, "assign": self.assign})
        self.rewrite(journal, tally)

    def rewrite(self, journal: Journal, tally: Tally) -> None:
        """Write it once more, of the files that the journal has listed. Raises UsageError."""
        read, corrections = self._reader(journal), load_corrections(self.out.resolve())
        order = SheetOrder(corrected(read(), corrections))
        entries = (order.doubted(index, entry) for index, entry in enumerate(corrected(read(), corrections)))
        write_table(self.out.resolve(), self.form, counted(shown(entries, self.out), tally))

    def doubted(self, journal: Journal, corrections: Sequence[Correction]) -> Iterator[Entry]:
        """The entries as they were read, before anybody said anything of them, with all doubts that are left. Raises UsageError."""
        read = self._reader(journal)
        order = SheetOrder(corrected(read(), corrections))
        return (order.doubted(index, entry) for index, entry in enumerate(read()))

    def _reader(self, journal: Journal) -> Callable[[], Iterator[dict[str, Any]]]:
        """Gives the journal's entries, each time anew, with values assigned."""
        if self.known is None:
            return lambda: _noted(journal)
        change = Assignment(f"assign:{self.assign}", self.known, _noted(journal))
        return lambda: map(change, _noted(journal))

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


def counted(entries: Iterable[Entry], tally: Tally) -> Iterator[Entry]:
    """The entries, counted as they pass."""
    for entry in entries:
        if "error" in entry:
            tally.failed += 1
        else:
            numbers = [number for line in entry["lines"] for number in line["numbers"]]
            tally.pages += 1
            tally.numbers += len(numbers)
            tally.unsure += sum(number["value"] is None for number in numbers)
        yield entry


def _noted(journal: Journal) -> Iterator[dict[str, Any]]:
    """The entries of the files that are listed."""
    for source, number in journal.listed():
        found = False
        for entry in journal.entries(source, number):
            found = True
            yield entry
        if not found and number is None:
            message = f"{source}: not read yet, since only what failed was read; give the same command without --only-failed"
            yield {"source": source, "error": {"type": "InputError", "message": message}}
