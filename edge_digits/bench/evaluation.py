"""Reads a folder of pages whose truth is known, and scores each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from edge_digits.bench import scoring, timing
from edge_digits.bench.truth import PageTruth
from edge_digits.errors import InputError
from edge_digits.reader import Reader
from edge_digits.reading.reading import Reading
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames


@dataclass(frozen=True, slots=True)
class EvaluatedPage:
    """One page, read and scored.

    reading, frame : None for a page that could not be read, which counts as read empty; error then says why.
    elapsed_ms : from opening the file to the finished reading, None without a reading.
    """

    truth: PageTruth
    source: str
    score: scoring.PageScore
    frame: Frame | None = None
    reading: Reading | None = None
    error: InputError | None = None
    elapsed_ms: float | None = None

    @property
    def lines(self) -> list[str]:
        """The lines as they were read."""
        return [] if self.reading is None else [line.text for line in self.reading.lines]

    def prediction(self) -> dict[str, Any]:
        """The JSON object that `read --format json` prints for this page."""
        if self.reading is None:
            return {"source": self.source, "error": {"type": type(self.error).__name__, "message": str(self.error)}}
        return self.reading.to_dict()


def evaluate(reader: Reader, folder: Path, truths: Sequence[PageTruth]) -> Iterator[EvaluatedPage]:
    """Read the pages one after the other; a page that fails is scored as empty.

    The first readable page is read once before its time is taken: a model's first run allocates.
    """
    warm = False
    for truth in truths:
        source = str(folder / truth.name)
        try:
            if not warm:
                reader.read(source)
                warm = True
            started = perf_counter()
            frame = next(open_frames(source, reader.options.source))
            reading = reader.read_frame(frame, source_ms=(perf_counter() - started) * 1000.0)
            elapsed_ms = (perf_counter() - started) * 1000.0
        except InputError as error:
            yield EvaluatedPage(truth, source, scoring.score_page(truth, []), error=error)
            continue
        score = scoring.score_page(truth, [line.text for line in reading.lines])
        yield EvaluatedPage(truth, source, score, frame, reading, None, elapsed_ms)


def page_times(pages: Sequence[EvaluatedPage]) -> dict[str, Any]:
    """Summary of milliseconds a page, whole and by stage; {} when no page was read."""
    read = [page for page in pages if page.reading is not None and page.elapsed_ms is not None]
    if not read:
        return {}
    readings = [page.reading for page in read if page.reading is not None]
    stages = {stage: timing.summarize([reading.elapsed_ms[stage] for reading in readings]) for stage in readings[0].elapsed_ms}
    return {"page": timing.summarize([page.elapsed_ms for page in read if page.elapsed_ms is not None]), "stages": stages}


def page_record(page: EvaluatedPage) -> dict[str, Any]:
    """The counts of one page for the results file; no transcription."""
    return {
        "page": page.truth.name,
        "kind": page.truth.kind,
        "half": page.truth.half,
        "digits": page.score.digits,
        "errors": page.score.errors,
        "named_errors": page.score.named_errors,
        "unsure": page.score.unsure,
        "ms": None if page.elapsed_ms is None else round(page.elapsed_ms, 3),
        "error": None if page.error is None else type(page.error).__name__,
    }
