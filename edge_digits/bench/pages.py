"""Latency of reading whole pages, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2

from edge_digits.bench import timing
from edge_digits.bench.sample import encode_jpeg, golden_digits, make_sheet
from edge_digits.options import Options
from edge_digits.reader import Reader
from edge_digits.reading.reading import Reading

SAMPLE_PAGE: Final = Path(__file__).resolve().parent / "sample_page.jpg"
"""The photograph that comes with the package."""

SYNTHETIC_SIZE_PX: Final = (1600, 1200)
SYNTHETIC_DIGITS: Final = 60

LARGE_SIZE_PX: Final = (4000, 3000)
LARGE_DIGITS: Final = 300
"""A phone's 12-megapixel photograph of a sheet that is written full."""

BLOCKS: Final = 5
"""Times that the thread counts take turns. OpenCV rebuilds its threads when their number changes, so a turn is several
reads long and its first one is not counted."""


@dataclass(frozen=True, slots=True)
class BenchPage:
    """One picture to be read again and again.

    name : as it is reported. source : what a Reader takes. origin : "given", "sample" (comes with the package) or
        "synthetic".
    """

    name: str
    source: str | bytes
    origin: str


def given_pages(pictures: Sequence[str]) -> list[BenchPage]:
    """The user's own pictures."""
    return [BenchPage(Path(picture).name, picture, "given") for picture in pictures]


def default_pages(model: str) -> list[BenchPage]:
    """What is read when no picture is given: the photograph that comes with the package, and two synthetic pages."""
    sample = [BenchPage(SAMPLE_PAGE.name, str(SAMPLE_PAGE), "sample")] if SAMPLE_PAGE.is_file() else []
    return [*sample, synthetic_page(model), large_page(model)]


def synthetic_page(model: str) -> BenchPage:
    """A page of golden digits as a JPEG in memory: the same work on every machine, at a phone's moderate resolution."""
    return _sheet(model, SYNTHETIC_SIZE_PX, SYNTHETIC_DIGITS)


def large_page(model: str) -> BenchPage:
    """The same at a phone's full resolution with many digits."""
    return _sheet(model, LARGE_SIZE_PX, LARGE_DIGITS)


def _sheet(model: str, size_px: tuple[int, int], digits: int) -> BenchPage:
    name = f"white sheet with {digits} of the model's golden digits"
    return BenchPage(name, encode_jpeg(make_sheet(golden_digits(model), *size_px, digits)), "synthetic")


def measure_page(page: BenchPage, options: Options, threads: Sequence[int], effort: timing.Effort) -> dict[str, Any]:
    """Read one page again and again at each number of threads, turn by turn.

    threads : numbers for ONNX Runtime and OpenCV alike. Returns the page's facts and, under "threads", one entry a
    number with the summary in milliseconds of each stage and of the whole. Raises InputError.
    """
    readers = {count: Reader(options=_with_threads(options, count)) for count in threads}
    samples: dict[int, list[Reading]] = {count: [] for count in threads}
    blocks = min(BLOCKS, effort.rounds)
    block_rounds = -(-effort.rounds // blocks)

    def read_block(count: int) -> None:
        with opencv_threads(count):
            readers[count].read(page.source)
            samples[count].extend(readers[count].read(page.source) for _ in range(block_rounds))

    first = _warm(readers, page, effort.warm_up)
    turns = replace(effort, rounds=blocks, warm_up=0)
    timing.interleave({count: partial(read_block, count) for count in threads}, turns)
    return {
        "name": page.name,
        "origin": page.origin,
        "width": first.width,
        "height": first.height,
        "digits": len(first.digits),
        "threads": [{"threads": count, "ms": stage_summaries(samples[count])} for count in threads],
    }


def stage_summaries(readings: Sequence[Reading]) -> dict[str, dict[str, float | int]]:
    """Summary of the milliseconds of each stage, in the order they ran; the whole is "total"."""
    stages = list(readings[0].elapsed_ms)
    return {stage: timing.summarize([reading.elapsed_ms[stage] for reading in readings]) for stage in stages}


@contextmanager
def opencv_threads(count: int) -> Iterator[None]:
    """Holds OpenCV to so many threads, and gives back what was before; 0 changes nothing."""
    before = cv2.getNumThreads()
    if count and count != before:
        cv2.setNumThreads(count)
    try:
        yield
    finally:
        if count and count != before:
            cv2.setNumThreads(before)


def _warm(readers: dict[int, Reader], page: BenchPage, warm_up: int) -> Reading:
    first = next(iter(readers.values())).read(page.source)
    for count, reader in readers.items():
        with opencv_threads(count):
            for _ in range(warm_up):
                reader.read(page.source)
    return first


def _with_threads(options: Options, count: int) -> Options:
    return replace(options, recognition=replace(options.recognition, threads=count))
