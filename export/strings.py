"""Makes runs of ink: strings of digits that touch or nearly do, and letters among them, as strips with their labels.

What a reader of whole runs learns from. The digits of a run come from one set and are written with one pen; each is placed
by the distance between its ink and its neighbour's, row by row, so that slanted digits nest as they do on paper.

    python -m export.strings --data DIR --fonts DIR --mined mined.npz --count 400000 --out runs/strings.npz
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.paper.strips import make_strip
from edge_digits.paper.tiles import stroke_width
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from export.data.collect import find_data, load_training
from export.data.folder import DataError
from export.data.glyphs import GlyphSet

Grey = NDArray[np.uint8]

HEIGHT_PX: Final = 44
LENGTHS: Final = (1, 2, 3, 4, 5, 6, 7)
LENGTH_SHARES: Final = (0.08, 0.48, 0.20, 0.12, 0.06, 0.04, 0.02)
LETTER_RUNS: Final = 0.14
"""Runs of letters and signs alone."""
MIXED_RUNS: Final = 0.08
"""Runs in which one glyph is no digit."""
SET_SHARES: Final = {"mnist_train": 0.4, "chen_train": 0.15, "usps_train": 0.12, "optdigits_tra": 0.08, "orand_train": 0.25}
ZEROS_SHARE: Final = 0.12
"""Runs that end in zeros, which are joined in one stroke more often than anything else."""
LONGEST_STRIP_PX: Final = 160
STRIPS_A_TASK: Final = 500
MOST_LABELS: Final = 8
NO_LABEL: Final = 255


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What runs are made of: sets of digits, and of all that is no digit."""

    digits: Sequence[GlyphSet]
    by_label: Sequence[Sequence[NDArray[np.intp]]]
    shares: NDArray[np.float64]
    others: GlyphSet


def load_glyphs(data: Path, fonts: Path | None, mined: Path | None) -> Glyphs:
    """Training glyphs of a data folder. Raises DataError."""
    sets = load_training(find_data(data), fonts, mined)
    shares = np.array([SET_SHARES.get(each.name, 0.1) for each in sets.digits])
    by_label = [[np.flatnonzero(each.labels == digit) for digit in range(10)] for each in sets.digits]
    glyphs = [glyph for each in sets.negatives for glyph in each.glyphs]
    if not glyphs:
        raise DataError(f"{data}: holds nothing that is no digit; give a folder with letters (export/README.md), --fonts or --mined")
    others = GlyphSet("others", glyphs, np.full(len(glyphs), NOT_ONE_DIGIT, np.uint8))
    return Glyphs(sets.digits, by_label, shares / shares.sum(), others)


def make_run(glyphs: Glyphs, rng: np.random.Generator) -> tuple[Grey, list[int]]:
    """One strip, uint8 (32, w), and what stands on it: digits, and NOT_ONE_DIGIT once for each stretch of anything else."""
    length = int(rng.choice(LENGTHS, p=LENGTH_SHARES))
    chosen = int(rng.choice(len(glyphs.digits), p=glyphs.shares))
    kind = rng.random()
    labels = [int(d) for d in rng.integers(0, 10, length)]
    if rng.random() < ZEROS_SHARE and length > 2:
        first = int(rng.integers(1, length))
        labels[first:] = [0] * (length - first)
    if kind < LETTER_RUNS:
        labels = [NOT_ONE_DIGIT] * length
    elif kind < LETTER_RUNS + MIXED_RUNS:
        labels[int(rng.integers(length))] = NOT_ONE_DIGIT
    pen = float(rng.uniform(2.2, 6.5)) if rng.random() < 0.7 else None
    slant, lean = float(rng.normal(0, 0.14)), float(rng.normal(0, 0.05))
    pictures = [_written(_draw(glyphs, chosen, label, rng), label, pen, slant, rng) for label in labels]
    ink = _side_by_side(pictures, rng, lean)
    return make_strip(_finished(ink, rng)), merged_labels(labels)


def merged_labels(labels: Sequence[int]) -> list[int]:
    """Neighbouring NOT_ONE_DIGITs as one: nobody can count the letters of a ligature."""
    return [label for at, label in enumerate(labels) if not (at and label == labels[at - 1] == NOT_ONE_DIGIT)]


def _draw(glyphs: Glyphs, chosen: int, label: int, rng: np.random.Generator) -> Grey:
    if label == NOT_ONE_DIGIT:
        return glyphs.others.glyphs[int(rng.integers(len(glyphs.others)))]
    candidates = glyphs.by_label[chosen][label]
    if not len(candidates):
        candidates, chosen = glyphs.by_label[0][label], 0
    return glyphs.digits[chosen].glyphs[int(rng.choice(candidates))]


def _written(glyph: Grey, label: int, pen: float | None, slant: float, rng: np.random.Generator) -> Grey:
    """One glyph at its height on the line, slanted and with the run's pen; uint8, cut to its ink."""
    tall = HEIGHT_PX * float(rng.uniform(0.82, 1.15)) * (float(rng.uniform(0.5, 1.0)) if label == NOT_ONE_DIGIT else 1.0)
    stretch = float(np.exp(rng.normal(0, 0.1)))
    h, w = glyph.shape
    scale = tall / h if h >= 0.5 * w else tall / w
    wide, high = max(2, round(w * scale * stretch)), max(2, round(h * scale))
    shear = slant + float(rng.normal(0, 0.05))
    room = int(abs(shear) * high) + 4
    warp = np.array([[scale * stretch, -shear * scale, room / 2 + shear * high / 2 + 1], [0, scale, 2]], np.float64)
    large = cv2.warpAffine(glyph, warp, (wide + room + 2, high + 4), flags=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    if scale > 1.4:
        # Enlarged bitmaps get smooth outlines: blurred and cut at half their height.
        large = cv2.GaussianBlur(large, (0, 0), 0.4 * scale)
        large = cv2.convertScaleAbs(cv2.subtract(large, 80.0), alpha=2.8)
    large = np.asarray(large, np.uint8)
    if pen is not None:
        large = _with_pen(large, pen)
    rows, columns = np.flatnonzero(large.max(axis=1) > 60), np.flatnonzero(large.max(axis=0) > 60)
    if not len(rows) or not len(columns):
        return np.asarray(large, np.uint8)
    return np.ascontiguousarray(large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _with_pen(ink: Grey, pen: float) -> Grey:
    growth = pen - stroke_width(ink)
    if growth >= 1:
        side = min(5, 1 + int(growth))
        padded = cv2.copyMakeBorder(ink, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=0)
        return np.asarray(cv2.dilate(padded, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.uint8)
    if growth <= -1.2 and pen > 2.5:
        return np.asarray(cv2.erode(ink, cv2.getStructuringElement(cv2.MORPH_CROSS, (2, 2))), np.uint8)
    return ink


def _side_by_side(pictures: Sequence[Grey], rng: np.random.Generator, lean: float) -> Grey:
    """All glyphs on one line, each as close to the last as it touches, nearly touches, or overlaps."""
    tall = 2 * HEIGHT_PX + max(p.shape[0] for p in pictures)
    canvas = np.zeros((tall, sum(p.shape[1] for p in pictures) + 60 * len(pictures)), np.uint8)
    end = 0
    for at, picture in enumerate(pictures):
        h, w = picture.shape
        foot = HEIGHT_PX * 1.7 + float(rng.normal(0, 0.06)) * HEIGHT_PX + lean * end
        top = int(np.clip(foot - h + (float(rng.uniform(-0.4, 0.1)) * HEIGHT_PX if h < 0.6 * HEIGHT_PX else 0), 0, tall - h))
        x = 20 if at == 0 else _place(canvas[top : top + h], picture, end, rng)
        window = canvas[top : top + h, x : x + w]
        np.maximum(window, picture, out=window)
        end = max(end, x + w)
    rows, columns = np.flatnonzero(canvas.max(axis=1) > 60), np.flatnonzero(canvas.max(axis=0) > 60)
    if not len(rows) or not len(columns):
        return np.full((8, 8), 255, np.uint8)
    return np.ascontiguousarray(canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _place(written: Grey, picture: Grey, end: int, rng: np.random.Generator) -> int:
    """Where the next glyph begins. written : the rows of the canvas on which it will stand."""
    ink, new = written > 100, picture > 100
    rows = np.flatnonzero(ink.any(axis=1) & new.any(axis=1))
    touching = end
    if len(rows):
        last = written.shape[1] - 1 - ink[rows, ::-1].argmax(axis=1)
        touching = int((last - new[rows].argmax(axis=1)).max()) + 1
    kind = rng.random()
    gap = rng.uniform(-1, 1) if kind < 0.45 else -rng.uniform(0, 0.14) * HEIGHT_PX if kind < 0.8 else rng.uniform(0, 0.25) * HEIGHT_PX
    # However well two glyphs nest, nobody writes one into the other.
    return max(int(touching + gap), end - int(0.4 * picture.shape[1]), 2)


def _finished(ink: Grey, rng: np.random.Generator) -> Grey:
    """Camera, threshold and left-over ruled lines, as ink is found on paper: strong ink 255, weak ink at least 96, paper 0."""
    chance = rng.random(4)
    if chance[0] < 0.12:
        y = int(rng.integers(ink.shape[0]))
        start, stop = sorted(int(x) for x in rng.integers(0, ink.shape[1], 2))
        cv2.line(ink, (start, y), (stop, y + int(rng.integers(-1, 2))), 255, int(rng.integers(1, 3)))
    if chance[1] < 0.1:
        for _ in range(int(rng.integers(1, 3))):
            y = int(rng.integers(ink.shape[0]))
            cv2.line(ink, (0, y), (ink.shape[1], y), 0, int(rng.integers(1, 3)))
    shrink = float(rng.uniform(0.35, 1.0))
    size = max(2, round(ink.shape[1] * shrink)), max(2, round(ink.shape[0] * shrink))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 1.0)))
    if chance[2] < 0.4:
        small += rng.normal(0, float(rng.uniform(2, 25)), small.shape).astype(np.float32)
    cut = float(rng.uniform(0.3, 0.5)) * max(1.0, float(np.percentile(small, 97)))
    strong = np.clip(small * (255 / max(1.0, float(np.percentile(small, 95)))), 96, 255)
    found = np.where(small > cut, strong, 0).astype(np.uint8)
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    if not len(rows):
        return np.full((8, 8), 255, np.uint8)
    return np.ascontiguousarray(found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


_worker: dict[str, Any] = {}


def _start_worker(data: Path, fonts: Path | None, mined: Path | None) -> None:
    cv2.setNumThreads(1)
    _worker.clear()
    try:
        _worker["glyphs"] = load_glyphs(data, fonts, mined)
    except EdgeDigitsError as error:
        # Raised with the first strips: a worker whose start fails is started again without end.
        _worker["error"] = error


def _make(task: int, seed: int) -> tuple[list[Grey], list[list[int]]]:
    if "error" in _worker:
        raise _worker["error"]
    rng = np.random.default_rng((seed, task))
    runs = [make_run(_worker["glyphs"], rng) for _ in range(STRIPS_A_TASK)]
    kept = [run for run in runs if run[0].shape[1] <= LONGEST_STRIP_PX]
    return [strip for strip, _ in kept], [labels for _, labels in kept]


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m export.strings", description="Make strips of digits that touch, with their labels.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="local data folder")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="folder of handwriting fonts")
    parser.add_argument("--mined", type=Path, metavar="FILE", help="npz of `python -m export.mine`")
    parser.add_argument("--count", type=int, default=400_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="worker processes")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .npz file to write")
    options = parser.parse_args(arguments)
    for name, least in (("count", 1), ("jobs", 1), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    try:
        strips, labels = make_runs(options)
        save_strips(options.out, strips, labels)
    except EdgeDigitsError as error:
        print(f"export.strings: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{options.out}: {len(strips)} strips", file=sys.stderr)
    return ExitCode.OK


def make_runs(options: argparse.Namespace) -> tuple[list[Grey], list[list[int]]]:
    """All strips, in an order that does not depend on the number of processes."""
    tasks = range(-(-options.count // STRIPS_A_TASK))
    strips: list[Grey] = []
    labels: list[list[int]] = []
    arguments = (options.data, options.fonts, options.mined)
    with get_context("spawn").Pool(options.jobs, _start_worker, arguments) as pool:
        for made, meant in tqdm(pool.imap(partial(_make, seed=options.seed), tasks), total=len(tasks), file=sys.stderr, mininterval=2.0):
            strips += made
            labels += meant
    return strips, labels


def save_strips(path: Path, strips: Sequence[Grey], labels: Sequence[Sequence[int]]) -> None:
    """`pixels` uint8, all strips one after the other; `widths` int32 (n,); `labels` uint8 (n, 8), filled up with 255.

    Written whole or not at all. Raises UsageError.
    """
    table = np.full((len(labels), MOST_LABELS), NO_LABEL, np.uint8)
    for row, meant in zip(table, labels, strict=True):
        row[: len(meant)] = meant
    pixels = np.concatenate([strip.ravel() for strip in strips])
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            np.savez(file, pixels=pixels, widths=np.array([s.shape[1] for s in strips], np.int32), labels=table)
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another --out") from error


if __name__ == "__main__":
    sys.exit(main())
