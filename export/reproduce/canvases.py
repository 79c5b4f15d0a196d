"""One writer's digits on canvases: 512 x 512, white on black, train/0..9 and test/0..9, as people draw them with a mouse.

Digits that were written on paper are brought into the same form: the glyph is found, blown up and set in the middle.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputError, UsageError
from edge_digits.options import SourceOptions
from edge_digits.paper.tiles import TILE_SIDE_PX, Glyph, make_tile
from edge_digits.personal.canvas import SIDE_PX
from edge_digits.personal.samples import DIGITS, find_samples, read_samples
from edge_digits.sources.images import open_frames
from export.data.folder import crop_to_ink

INK_SHARE: Final = 0.7
"""Longest side of a glyph as a share of the canvas: somebody asked to draw a large digit leaves about such a rim."""
BRIGHTEST_GROUND: Final = 127
"""Median level of a canvas' rim from which on it is no white on black."""


@dataclass(frozen=True, slots=True)
class Canvases:
    """One writer. images : uint8 (n, 512, 512) or as drawn, ink 255, ground 0. labels : uint8 (n,), 0..9."""

    name: str
    train_images: list[NDArray[np.uint8]]
    train_labels: NDArray[np.uint8]
    test_images: list[NDArray[np.uint8]]
    test_labels: NDArray[np.uint8]


def load_drawn(folder: Path) -> Canvases:
    """Canvases as they were drawn, from train/0..9 and test/0..9.

    Raises UsageError when a part is missing or a picture is not white on black.
    """
    parts: dict[str, tuple[list[NDArray[np.uint8]], NDArray[np.uint8]]] = {}
    for part in ("train", "test"):
        samples = find_samples(folder, "train" if part == "train" else "test")
        if not samples:
            raise UsageError(f"{folder / part}: no pictures in folders 0 to 9; draw some, or leave out the split into train and test")
        parts[part] = [_drawn(sample.path) for sample in samples], np.array([sample.label for sample in samples], np.uint8)
    return Canvases(folder.name, *parts["train"], *parts["test"])


def place_written(folder: Path, train_each: int, test_each: int, chances: Iterable[np.random.Generator]) -> Iterator[Canvases]:
    """Written digits of a folder 0..9, of any picture size and polarity, set on canvases; one random split for each generator.

    train_each, test_each : of each digit; where there are fewer together, two in three of what is there train.
    Raises UsageError when a digit has fewer than two usable pictures.
    """
    samples = read_samples(find_samples(folder))
    for reason in samples.skipped:
        print(f"left out: {reason}", file=sys.stderr)
    found = {digit: np.flatnonzero(samples.labels == digit) for digit in DIGITS}
    for digit, indices in found.items():
        if len(indices) < 2:
            raise UsageError(f"{folder / str(digit)}: {len(indices)} usable pictures; give at least 2 of each digit, one trains, one tests")
    for chance in chances:
        chosen: dict[str, list[int]] = {"train": [], "test": []}
        for indices in found.values():
            train, test = counts(len(indices), train_each, test_each)
            order = chance.permutation(indices).tolist()
            chosen["train"] += order[:train]
            chosen["test"] += order[train : train + test]
        parts: list[Any] = []
        for picked in chosen.values():
            parts += [[place(samples.glyphs[index]) for index in picked], samples.labels[picked].astype(np.uint8)]
        yield Canvases(folder.name, *parts)


def counts(found: int, train_each: int, test_each: int) -> tuple[int, int]:
    """How many of `found` >= 2 pictures of a digit train and test; in the ratio 2 to 1 where there are too few for both."""
    if found >= train_each + test_each:
        return train_each, test_each
    test = min(test_each, max(1, found // 3))
    return min(train_each, found - test), test


def place(glyph: Glyph) -> NDArray[np.uint8]:
    """A glyph, uint8 (h, w), ink 255, in the middle of a canvas uint8 (512, 512)."""
    ink = crop_to_ink(glyph)
    scale = INK_SHARE * SIDE_PX / max(ink.shape)
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    large = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC)
    canvas = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    y, x = (SIDE_PX - large.shape[0]) // 2, (SIDE_PX - large.shape[1]) // 2
    canvas[y : y + large.shape[0], x : x + large.shape[1]] = large
    return canvas


def resize_naively(images: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Canvases squashed to uint8 (n, 28, 28) by OpenCV's default, bilinear without averaging: no box, no centre of mass."""
    small = [cv2.resize(image, (TILE_SIDE_PX, TILE_SIDE_PX)) for image in images]
    return np.array(small, np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)


def by_tile_rule(images: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The same canvases as tiles of this project, uint8 (n, 28, 28)."""
    return np.array([make_tile(image) for image in images], np.uint8).reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)


def _drawn(path: Path) -> NDArray[np.uint8]:
    try:
        frame = next(open_frames(path, SourceOptions()), None)
    except InputError as error:
        raise UsageError(f"{error}; remove it from the samples") from error
    if frame is None:
        raise UsageError(f"{path}: holds no picture; remove it from the samples")
    grey = frame.grey()
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if float(np.median(rim)) > BRIGHTEST_GROUND:
        raise UsageError(f"{path}: is no white on black; give written digits in folders 0 to 9 without train and test")
    return grey
