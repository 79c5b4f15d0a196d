"""Reads a folder of pages whose truth is known, and scores each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from edge_digits.bench import scoring, timing
from edge_digits.bench.disturbance import disturb
from edge_digits.bench.mistakes import PageMistakes, find_mistakes
from edge_digits.bench.peers import Peer, PeerFailedError
from edge_digits.bench.truth import PageTruth
from edge_digits.errors import InputError
from edge_digits.reader import Reader
from edge_digits.reading.reading import Reading
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames


@dataclass(frozen=True, slots=True)
class PeerPage:
    """What another system made of a page; one that it could not read counts as read empty.

    elapsed_ms : with opening the file, None without a reading.
    """

    score: scoring.PageScore
    elapsed_ms: float | None = None


@dataclass(frozen=True, slots=True)
class EvaluatedPage:
    """One page, read and scored.

    reading, frame : None for a page that could not be read, which counts as read empty; error then says why.
    elapsed_ms : from opening the file to the finished reading, None without a reading.
    mistakes : what went wrong, digit by digit; as many as score.errors.
    peers : what other systems made of it, by their names.
    """

    truth: PageTruth
    source: str
    score: scoring.PageScore
    frame: Frame | None = None
    reading: Reading | None = None
    error: InputError | None = None
    elapsed_ms: float | None = None
    mistakes: PageMistakes = field(default_factory=PageMistakes)
    peers: Mapping[str, PeerPage] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """The lines as they were read."""
        return [] if self.reading is None else [line.text for line in self.reading.lines]

    def prediction(self) -> dict[str, Any]:
        """The JSON object that `read --format json` prints for this page."""
        if self.reading is None:
            return {"source": self.source, "error": {"type": type(self.error).__name__, "message": str(self.error)}}
        return self.reading.to_dict()


def evaluate(
    reader: Reader, folder: Path, truths: Sequence[PageTruth], peers: Sequence[Peer] = (), disturbance: str | None = None
) -> Iterator[EvaluatedPage]:
    """Read the pages one after the other; a page that fails is scored as empty.

    The first readable page is read once before its time is taken: a model's first run allocates.
    peers : other systems, which take turns with the reader page by page, so that a slow moment of the machine falls on all.
    disturbance : what to do to every page first, a key of bench/disturbance.py; it costs the page no time.
    """
    warm = False
    for truth in truths:
        source = str(folder / truth.name)
        try:
            if not warm:
                reader.read(source)
            started = perf_counter()
            frame = next(open_frames(source, reader.options.source))
            opened_ms = (perf_counter() - started) * 1000.0
            frame = frame if disturbance is None else disturb(frame, disturbance)
            started = perf_counter()
            reading = reader.read_frame(frame, source_ms=opened_ms)
            elapsed_ms = opened_ms + (perf_counter() - started) * 1000.0
        except InputError as error:
            empty = scoring.score_page(truth, [])
            others = {peer.name: PeerPage(empty) for peer in peers}
            yield EvaluatedPage(truth, source, empty, error=error, mistakes=find_mistakes(truth, []), peers=others)
            continue
        lines = [line.text for line in reading.lines]
        score, mistakes = scoring.score_page(truth, lines), find_mistakes(truth, lines)
        others = {peer.name: _peer_page(peer, truth, frame, opened_ms, warm=warm) for peer in peers}
        yield EvaluatedPage(truth, source, score, frame, reading, None, elapsed_ms, mistakes, others)
        warm = True


def _peer_page(peer: Peer, truth: PageTruth, frame: Frame, opened_ms: float, *, warm: bool) -> PeerPage:
    try:
        if not warm:
            peer.read(frame.picture)
        started = perf_counter()
        lines = peer.read(frame.picture)
        elapsed_ms = (perf_counter() - started) * 1000.0 + opened_ms
    except PeerFailedError as error:
        print(f"edge-digits: {truth.name}: {error}", file=sys.stderr)
        return PeerPage(scoring.score_page(truth, []))
    return PeerPage(scoring.score_page(truth, lines), elapsed_ms)


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
    record = {
        "page": page.truth.name,
        "kind": page.truth.kind,
        "half": page.truth.half,
        "digits": page.score.digits,
        "errors": page.score.errors,
        "named_errors": page.score.named_errors,
        "unsure": page.score.unsure,
        "ms": _rounded(page.elapsed_ms),
        "error": None if page.error is None else type(page.error).__name__,
    }
    others = {name: {"errors": peer.score.errors, "ms": _rounded(peer.elapsed_ms)} for name, peer in page.peers.items()}
    return {**record, "peers": others} if others else record


def _rounded(elapsed_ms: float | None) -> float | None:
    return None if elapsed_ms is None else round(elapsed_ms, 3)
