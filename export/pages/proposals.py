"""Proposals of generated pages, labelled: what the context network, and the tile network with it, learn from.

Each page goes through the very rooms that read it later. Every proposal that the tile classifier does not refuse outright is
kept with its tile, its surroundings, what the classifier said, and what it really is.

    python -m export.pages.proposals --data DIR --fonts DIR --count 6000 --seed 1 --out runs/proposals
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from edge_digits.options import RecognitionOptions
from edge_digits.paper.glyphs import Glyphs, enclosing, find_glyphs, put_together
from edge_digits.paper.ink import find_ink
from edge_digits.paper.page import find_page
from edge_digits.paper.strips import make_strip
from edge_digits.paper.surroundings import PATCH_SHAPE, make_surroundings
from edge_digits.paper.tiles import make_tile
from edge_digits.recognition.classifier import Classifier
from edge_digits.recognition.context import HOPELESS
from edge_digits.recognition.runs import runs_to_read
from edge_digits.recognition.weights import NOT_ONE_DIGIT
from edge_digits.sources.frame import Frame
from export.pages.labels import NOT_SAME, NOT_SAME_BY_HAND, UNDECIDED, label_boxes, label_cluster
from export.pages.page_source import add_page_options, check_page_options, save_arrays, write_shards
from export.pages.sheet import Box
from export.pages.view import Photograph
from export.strings import MOST_LABELS, NO_LABEL

PAGES_A_SHARD: Final = 100
OTHERS_KEPT: Final = 0.35
"""Share of the runs without digits that are kept as strips: a page of text has many."""
MOST_A_PAGE: Final = 160
"""Of pages with more proposals a random part: one crowded page must not outweigh twenty others."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """Labelled proposals of one page or many.

    tiles : uint8 (n, 28, 28). patches : uint8 (n, 2, 48, 64), see paper/surroundings.py.
    log_probabilities : float16 (n, 11), what the tile classifier said. labels : uint8 (n,), 0..10.
    pages : int32 (n,), index of the page. strip_pixels, strip_widths, strip_labels : runs of ink that may hold several digits, as
    export/strings.py stores them.
    """

    tiles: NDArray[np.uint8]
    patches: NDArray[np.uint8]
    log_probabilities: NDArray[np.float16]
    labels: NDArray[np.uint8]
    pages: NDArray[np.int32]
    strip_pixels: NDArray[np.uint8]
    strip_widths: NDArray[np.int32]
    strip_labels: NDArray[np.uint8]


def page_proposals(
    photograph: Photograph, classifier: Classifier, index: int, rng: np.random.Generator, not_same: float = NOT_SAME
) -> Proposals:
    """The labelled proposals of one photograph, none of one that lies on its side. not_same : see labels.label_boxes."""
    if photograph.rotate:
        return no_proposals()
    frame = Frame(photograph.picture, f"page {index}", 1)
    glyphs = find_glyphs(find_ink(find_page(frame)))
    tiles = np.zeros((len(glyphs.hypotheses), 28, 28), np.uint8)
    for tile, hypothesis in zip(tiles, glyphs.hypotheses, strict=True):
        tile[...] = make_tile(hypothesis.picture)
    rows = classifier.predict((tiles[:, None] / np.float32(255)).astype(np.float32)).probabilities
    boxes = boxes_on_page([d.box for d in photograph.digits], glyphs.ink.page.to_frame)
    labels = label_boxes([h.box for h in glyphs.hypotheses], boxes, [d.digit for d in photograph.digits], not_same)
    kept = np.flatnonzero((labels != UNDECIDED) & ((rows[:, NOT_ONE_DIGIT] < HOPELESS) | (labels < NOT_ONE_DIGIT)))
    if len(kept) > MOST_A_PAGE:
        kept = np.sort(rng.choice(kept, MOST_A_PAGE, replace=False))
    patches = make_surroundings(glyphs.ink, [glyphs.hypotheses[i] for i in kept], glyphs.typical_height)
    said = np.log(np.maximum(rows[kept], 1e-6)).astype(np.float16)
    strips = label_strips(glyphs, boxes, [d.digit for d in photograph.digits], rng, letters=not_same == NOT_SAME)
    return Proposals(tiles[kept], patches, said, labels[kept], np.full(len(kept), index, np.int32), *strips)


def label_strips(
    glyphs: Glyphs, boxes: NDArray[np.float64], digits: list[int], rng: np.random.Generator, *, letters: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint8]]:
    """Strips of all clusters that may hold several digits, and what stands on them; of those without digits only some."""
    strips: list[NDArray[np.uint8]] = []
    meant: list[list[int]] = []
    for index in runs_to_read(glyphs):
        picture = put_together(glyphs.clusters[index])
        left, top, _, _ = enclosing(glyphs.clusters[index])
        labels = label_cluster(picture, (left, top), boxes, digits, letters=letters)
        if labels is None or len(labels) > MOST_LABELS or (labels == [NOT_ONE_DIGIT] and rng.random() > OTHERS_KEPT):
            continue
        strips.append(make_strip(picture))
        meant.append(labels)
    table = np.full((len(meant), MOST_LABELS), NO_LABEL, np.uint8)
    for row, labels in zip(table, meant, strict=True):
        row[: len(labels)] = labels
    pixels = np.concatenate([strip.ravel() for strip in strips] or [np.zeros(0, np.uint8)])
    return pixels, np.array([strip.shape[1] for strip in strips], np.int32), table


def no_proposals() -> Proposals:
    """What a page without proposals gives."""
    tiles, patches = np.zeros((0, 28, 28), np.uint8), np.zeros((0, 2, *PATCH_SHAPE), np.uint8)
    return Proposals(tiles, patches, np.zeros((0, 11), np.float16), np.zeros(0, np.uint8), np.zeros(0, np.int32), *no_strips())


def no_strips() -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint8]]:
    """Strips of a page without any."""
    return np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros((0, MOST_LABELS), np.uint8)


def boxes_on_page(boxes: Sequence[Box], to_frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes of a picture in page pixels: float64 (k, 4), x, y, width, height."""
    if not boxes:
        return np.zeros((0, 4))
    x, y, w, h = np.array(boxes, np.float64).T
    corners = np.stack([np.stack([x, y], 1), np.stack([x + w, y], 1), np.stack([x + w, y + h], 1), np.stack([x, y + h], 1)], 1)
    there = cv2.perspectiveTransform(corners.reshape(-1, 1, 2), np.linalg.inv(to_frame)).reshape(-1, 4, 2)
    least = there.min(axis=1)
    return np.hstack([least, there.max(axis=1) - least])


_classifiers: dict[str, Classifier] = {}


def _make(photograph: Photograph, index: int, options: argparse.Namespace) -> Proposals:
    if options.model not in _classifiers:
        _classifiers[options.model] = Classifier(RecognitionOptions(model=options.model, provider="cpu", threads=1))
    rng = np.random.default_rng((options.seed, index))
    return page_proposals(photograph, _classifiers[options.model], index, rng, NOT_SAME_BY_HAND if options.real else NOT_SAME)


def make_shards(options: argparse.Namespace) -> None:
    """Write the shards that are not there yet. Raises UsageError, and what loading the data raises."""
    write_shards(partial(_make, options=options), save_shard, options, PAGES_A_SHARD)


def save_shard(path: Path, pages: Sequence[Proposals]) -> None:
    """One file for some pages; written whole or not at all."""
    save_arrays(path, {name: np.concatenate([getattr(page, name) for page in pages]) for name in Proposals.__slots__})


def load_shards(folder: Path, most: int | None = None) -> Proposals:
    """All shards of a folder, or the first ones; those without strips have none. Raises UsageError."""
    paths = sorted(folder.glob("*.npz"))[:most]
    if not paths:
        raise UsageError(f"{folder}: no shards; make them with `python -m export.pages.proposals --out {folder}`")
    absent = dict(zip(("strip_pixels", "strip_widths", "strip_labels"), no_strips(), strict=True))
    loaded = [absent | _load_shard(path) for path in paths]
    return Proposals(**{name: np.concatenate([shard[name] for shard in loaded]) for name in Proposals.__slots__})


def _load_shard(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            shard = {name: file[name] for name in Proposals.__slots__ if name in file or not name.startswith("strip_")}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise UsageError(f"{path}: no shard of proposals ({error}); delete it and make it again") from error
    return shard


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m export.pages.proposals", description="Labelled proposals of generated pages.")
    add_page_options(parser, count=6000)
    parser.add_argument("--model", default="default", help="tile classifier: a name or the path of an .onnx file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the shards; those there are kept")
    options = parser.parse_args(arguments)
    check_page_options(parser, options)
    try:
        make_shards(options)
    except EdgeDigitsError as error:
        print(f"export.pages.proposals: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
