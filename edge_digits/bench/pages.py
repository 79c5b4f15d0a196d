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
from edge_digits.bench.tiles import load_precisions
from edge_digits.options import Options, Precision, Provider
from edge_digits.reader import Reader
from edge_digits.reading.reading import Reading
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.engine import CPU, CUDA

SAMPLE_PAGE: Final = Path(__file__).resolve().parent / "sample_page.jpg"
"""The photograph that comes with the package."""

SYNTHETIC_SIZE_PX: Final = (1600, 1200)
SYNTHETIC_DIGITS: Final = 60

LARGE_SIZE_PX: Final = (4000, 3000)
LARGE_DIGITS: Final = 300
"""A phone's 12-megapixel photograph of a sheet that is written full."""

FRAME_SIZE_PX: Final = (1280, 720)
FRAME_DIGITS: Final = 20
"""The size that `watch` asks of a camera."""

BLOCKS: Final = 5
"""Times that the thread counts take turns. OpenCV rebuilds its threads when their number changes, so a turn is several
reads long and its first one is not counted."""


Case = tuple[str, str, int]
"""Precision, provider obtained, threads."""

PRECISION_NAMES: Final[dict[str, Precision]] = {"int8": "int8", "float": "float"}
PROVIDER_NAMES: Final[dict[str, Provider]] = {CPU: "cpu", CUDA: "cuda"}


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
    """What is read when no picture is given: the photograph that comes with the package, a camera frame, and two synthetic pages."""
    sample = [BenchPage(SAMPLE_PAGE.name, str(SAMPLE_PAGE), "sample")] if SAMPLE_PAGE.is_file() else []
    return [*sample, camera_frame(model), synthetic_page(model), large_page(model)]


def camera_frame(model: str) -> BenchPage:
    """What a camera delivers as MJPG: its stage "source" is the decoding that capture does for every frame."""
    return replace(_sheet(model, FRAME_SIZE_PX, FRAME_DIGITS), name=f"camera frame with {FRAME_DIGITS} digits")


def synthetic_page(model: str) -> BenchPage:
    """A page of golden digits as a JPEG in memory: the same work on every machine, at a phone's moderate resolution."""
    return _sheet(model, SYNTHETIC_SIZE_PX, SYNTHETIC_DIGITS)


def large_page(model: str) -> BenchPage:
    """The same at a phone's full resolution with many digits."""
    return _sheet(model, LARGE_SIZE_PX, LARGE_DIGITS)


def _sheet(model: str, size_px: tuple[int, int], digits: int) -> BenchPage:
    name = f"white sheet with {digits} of the model's golden digits"
    return BenchPage(name, encode_jpeg(make_sheet(golden_digits(model), *size_px, digits)), "synthetic")


def page_cases(options: Options, threads: Sequence[int]) -> list[Case]:
    """Every precision and provider that can be had, or the one that is asked for, at every number of threads."""
    asked = options.recognition
    classifiers = load_precisions(asked) if asked.precision == "auto" else [Classifier(asked)]
    return [(classifier.precision, classifier.provider, count) for classifier in classifiers for count in threads]


def measure_page(page: BenchPage, options: Options, cases: Sequence[Case], effort: timing.Effort) -> dict[str, Any]:
    """Read one page again and again in each case, turn by turn.

    cases : of page_cases; threads for ONNX Runtime and OpenCV alike. Returns the page's facts and, under "cases", one entry
    a case with the summary in milliseconds of each stage and of the whole. Raises InputError.
    """
    readers = {case: Reader(options=_for_case(options, case)) for case in cases}
    samples: dict[Case, list[Reading]] = {case: [] for case in cases}
    blocks = min(BLOCKS, effort.rounds)
    block_rounds = -(-effort.rounds // blocks)

    def read_block(case: Case) -> None:
        with opencv_threads(case[2]):
            readers[case].read(page.source)
            samples[case].extend(readers[case].read(page.source) for _ in range(block_rounds))

    first = _warm(readers, page, effort.warm_up)
    turns = replace(effort, rounds=blocks, warm_up=0)
    timing.interleave({case: partial(read_block, case) for case in cases}, turns)
    return {
        "name": page.name,
        "origin": page.origin,
        "width": first.width,
        "height": first.height,
        "digits": len(first.digits),
        "cases": [case_entry(case, samples[case]) for case in cases],
    }


def case_entry(case: Case, readings: Sequence[Reading]) -> dict[str, Any]:
    """A case with its stages summed up, and the digits that were read a second."""
    precision, provider, threads = case
    ms = stage_summaries(readings)
    digits_per_second = round(len(readings[0].digits) / ms["total"]["p50"] * 1000.0, 1) if ms["total"]["p50"] else None
    return {"precision": precision, "provider": provider, "threads": threads, "ms": ms, "digits_per_second": digits_per_second}


def stage_summaries(readings: Sequence[Reading]) -> dict[str, dict[str, Any]]:
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


def _warm(readers: dict[Case, Reader], page: BenchPage, warm_up: int) -> Reading:
    first = next(iter(readers.values())).read(page.source)
    for case, reader in readers.items():
        with opencv_threads(case[2]):
            for _ in range(warm_up):
                reader.read(page.source)
    return first


def _for_case(options: Options, case: Case) -> Options:
    precision, provider, threads = case
    chosen = replace(options.recognition, precision=PRECISION_NAMES[precision], provider=PROVIDER_NAMES[provider], threads=threads)
    return replace(options, recognition=chosen)
