"""Proposals, strips and parts of pages that a network learns in seconds: a mark for every label, at a place of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_digits.errors import ExitCode
from edge_digits.paper.strips import make_strip
from edge_digits.paper.surroundings import PATCH_SHAPE
from export.pages.crops import CELL_PX, NO_DIGIT, SIDE_PX, Crops
from export.pages.proposals import Proposals, no_strips, save_shard
from export.strings import save_strips


def check_start_from_another(call: Callable[..., ExitCode], examples: Path, runs: Path, capsys: Any) -> None:
    """A run that starts from another begins below where that one began; weights of another network are refused.

    call : a training, of examples, a run folder and options.
    """
    assert call(examples, runs / "first", epochs=4) == ExitCode.OK
    assert call(examples, runs / "second", "--start-from", str(runs / "first"), epochs=1) == ExitCode.OK
    first, second = (json.loads((runs / name / "record.json").read_text())["history"] for name in ("first", "second"))
    assert second[0]["loss"] < first[0]["loss"]
    torch.save({"average": {"alien": torch.zeros(1)}, "settings": {}}, runs / "first" / "checkpoint.pt")
    assert call(examples, runs / "third", "--start-from", str(runs / "first")) == ExitCode.USAGE
    assert "another network" in capsys.readouterr().err.splitlines()[-1]


def marked_proposals(count: int, page: int = 0) -> Proposals:
    """Labels 0..10 in turn; the tile classifier knows nothing of them, the mark in the patch tells all."""
    rng = np.random.default_rng(page)
    labels = (np.arange(count) % 11).astype(np.uint8)
    patches = rng.integers(0, 40, (count, 2, *PATCH_SHAPE)).astype(np.uint8)
    for patch, label in zip(patches, labels, strict=True):
        y, x = divmod(int(label), 4)
        patch[:, 4 + 14 * y : 14 + 14 * y, 4 + 15 * x : 14 + 15 * x] = 250
    said = np.log(np.full((count, 11), 1 / 11)).astype(np.float16)
    return Proposals(np.zeros((count, 28, 28), np.uint8), patches, said, labels, np.full(count, page, np.int32), *no_strips())


def save_proposals(folder: Path, count: int = 66, shards: int = 2) -> Path:
    """Shards of so many proposals each."""
    folder.mkdir(parents=True)
    for page in range(shards):
        save_shard(folder / f"{page:04d}.npz", [marked_proposals(count, page)])
    return folder


def save_marked_strips(path: Path, count: int = 64, labels: tuple[int, ...] = (1, 7, 10)) -> Path:
    """Runs of one to three bars, whose height tells their label."""
    rng = np.random.default_rng(5)
    strips, meant = [], []
    for index in range(count):
        named = [labels[int(at)] for at in rng.integers(0, len(labels) - 1, 1 + index % 3)] if index % 4 else [labels[-1]]
        picture = np.zeros((28, 20 * len(named) + 1), np.uint8)
        picture[-2:, [0, -1]] = 255
        for at, label in enumerate(named):
            picture[: 6 + 2 * label, 20 * at + 8 : 20 * at + 14] = 255
        strips.append(make_strip(picture))
        meant.append(named)
    save_strips(path, strips, meant)
    return path


def marked_crops(count: int, seed: int = 0) -> Crops:
    """A black bar, which is a 1, and a grey one, which is nothing, on each."""
    rng = np.random.default_rng(seed)
    side = SIDE_PX // CELL_PX
    pictures, strokes = np.zeros((count, SIDE_PX, SIDE_PX), np.uint8), np.zeros((count, SIDE_PX, SIDE_PX), np.uint8)
    cells, sizes = np.full((count, side, side), NO_DIGIT, np.uint8), np.zeros((count, 2, side, side), np.uint8)
    for at in range(count):
        y, x = (int(v) * CELL_PX for v in rng.integers(2, side - 8, 2))
        pictures[at, y : y + 20, x : x + 4], strokes[at, y : y + 20, x : x + 4] = 230, 1
        cells[at, y // CELL_PX + 2, x // CELL_PX], sizes[at, :, y // CELL_PX + 2, x // CELL_PX] = 1, (20, 4)
        pictures[at, y : y + 20, (x + 60) % (SIDE_PX - 8) :][:, :6] = 90
    return Crops(pictures, strokes, cells, sizes)


def save_crops(folder: Path, count: int = 24, seed: int = 0) -> Path:
    """One shard."""
    folder.mkdir(parents=True)
    crops = marked_crops(count, seed)
    np.savez(folder / "0000.npz", **{name: getattr(crops, name) for name in Crops.__slots__})
    return folder
