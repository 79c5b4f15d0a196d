"""The pages of a run, made in worker processes: generated ones, or real cheque fields and pages of text; and what is made of
them, written in shards."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, UsageError
from export.pages.real_pages import TEXT_SHARE, load_real_pages, make_real_page
from export.pages.sheet import SHEET_KINDS
from export.pages.view import Photograph, load_sources, make_page

T = TypeVar("T")

_worker: dict[str, Any] = {}


def make_in_workers(make: Callable[[Photograph, int], T], options: argparse.Namespace, indices: Iterable[int]) -> Iterator[T]:
    """make(photograph, index) of each page, in order.

    make : a function that other processes can import. options : data, fonts, split, real, text_share, only, seed and jobs of the command
    line. Raises what loading the sources raises.
    """
    with get_context("spawn").Pool(options.jobs, _start, (options,)) as pool:
        yield from pool.imap(partial(_make, make), indices, chunksize=4)


def add_page_options(parser: argparse.ArgumentParser, count: int) -> None:
    """The options that say which pages are made. count : how many, if nothing else is said."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="local data folder")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="folder of handwriting fonts")
    parser.add_argument("--split", choices=("train", "validation"), default="train")
    parser.add_argument("--real", action="store_true", help="cheque fields and pages of text in place of generated pages")
    parser.add_argument("--text-share", type=float, default=TEXT_SHARE, metavar="P", help="with --real: share of pages of text")
    parser.add_argument("--only", choices=SHEET_KINDS, metavar="KIND", help="generated pages of one kind: " + ", ".join(SHEET_KINDS))
    parser.add_argument("--count", type=int, default=count, metavar="N", help="pages, in whole shards")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="worker processes")


def check_page_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends the command with usage when an option makes no sense."""
    for name, least in (("count", 1), ("jobs", 1), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    if not 0 <= options.text_share <= 1:
        parser.error(f"--text-share is {options.text_share}; give a number of 0 to 1")


def _start(options: argparse.Namespace) -> None:
    cv2.setNumThreads(1)
    _worker.clear()
    try:
        _worker["real"] = load_real_pages(options.data, options.split) if options.real else None
        _worker["sources"] = None if options.real else load_sources(options.data, options.fonts, options.split)
    except EdgeDigitsError as error:
        # Raised with the first page: a worker whose start fails is started again without end.
        _worker["error"] = error
    _worker["options"] = options


def _make(make: Callable[[Photograph, int], T], index: int) -> T:
    if "error" in _worker:
        raise _worker["error"]
    options, real = _worker["options"], _worker["real"]
    if real is None:
        photograph = make_page(_worker["sources"], options.seed, index, written=True, only=options.only)
    else:
        photograph = make_real_page(real, options.seed, index, options.text_share)
    return make(photograph, index)


def write_shards(
    make: Callable[[Photograph, int], T], save: Callable[[Path, Sequence[T]], None], options: argparse.Namespace, pages_a_shard: int
) -> None:
    """Write the shards that are not there yet, 0000.npz and so on, into the folder of options.out.

    make : see make_in_workers. save : what was made of the pages of a shard, to a path. options : also count and out.
    Raises UsageError, and what loading the sources raises.
    """
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{options.out}: cannot be a folder ({error.strerror}); give another --out") from error
    wanted = [s for s in range(-(-options.count // pages_a_shard)) if not (options.out / f"{s:04d}.npz").exists()]
    indices = [index for shard in wanted for index in range(shard * pages_a_shard, (shard + 1) * pages_a_shard)]
    pages: list[T] = []
    made = make_in_workers(make, options, indices)
    for index, page in zip(indices, tqdm(made, total=len(indices), unit="page", file=sys.stderr, mininterval=2.0), strict=True):
        pages.append(page)
        if len(pages) == pages_a_shard:
            save(options.out / f"{index // pages_a_shard:04d}.npz", pages)
            pages = []


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """One .npz file, written whole or not at all."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)
    unfinished.replace(path)
