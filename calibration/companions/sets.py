"""What a companion is calibrated and judged on, as `python -m export.companion_sets` writes it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration.errors import CalibrationError
from edge_digits.paper.overview import MULTIPLE as OVERVIEW_STEP_PX
from edge_digits.paper.strips import STRIP_HEIGHT_PX, WIDTH_STEP_PX
from edge_digits.paper.surroundings import PATCH_SHAPE
from edge_digits.recognition.weights import COMPANIONS, LABELS

BATCH: Final = 64
NO_LABEL: Final = 255
"""Fills up the rows of a table of labels."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Inputs, and what stands on them.

    groups : uint8 (k, channels, h, w) each, inputs of one width together. labels : of every input in the order of the
    groups: one label for a glyph, all labels for a run of ink, 0..10; none for a part of a page. said : float32 (n, 11),
    log-probabilities of the tile classifier; None for runs of ink and parts of pages. strokes : uint8 (n, h, w) of parts of pages,
    1 on the ink of written digits, 255 where nobody can say; else None.
    """

    groups: tuple[NDArray[np.uint8], ...]
    labels: tuple[tuple[int, ...], ...]
    said: NDArray[np.float32] | None = None
    strokes: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self) -> Iterator[NDArray[np.uint8]]:
        """All inputs in their order, at most 64 at once."""
        for group in self.groups:
            for start in range(0, len(group), BATCH):
                yield group[start : start + BATCH]


@dataclass(frozen=True, slots=True)
class CompanionSets:
    """kind : of the network. calibration : of training data. held_out : never trained on. sha256 : of the file."""

    kind: str
    calibration: Examples
    held_out: Examples
    sha256: str


def load_companion_sets(path: Path) -> CompanionSets:
    """Read and check a file of sets. Raises CalibrationError naming what is wrong with it."""
    try:
        data = path.read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise CalibrationError(f"{path}: no sets file ({error}); write one with `python -m export.companion_sets`") from error
    kind = str(arrays.get("kind", "none"))
    if kind not in COMPANIONS:
        raise CalibrationError(f"{path}: sets of kind '{kind}'; wanted one of {', '.join(COMPANIONS)}")
    read = {"context": _glyphs, "strings": _runs, "finder": _parts_of_pages}[kind]
    try:
        calibration, held_out = read(arrays, "calibration"), read(arrays, "held_out")
    except (KeyError, ValueError, IndexError) as error:
        raise CalibrationError(f"{path}: {error}; write it again with `python -m export.companion_sets`") from error
    return CompanionSets(kind, calibration, held_out, hashlib.sha256(data).hexdigest())


def _glyphs(arrays: Mapping[str, NDArray[Any]], part: str) -> Examples:
    inputs, said, labels = (arrays[f"{part}_{name}"] for name in ("inputs", "log_probabilities", "labels"))
    count = len(labels)
    if count == 0 or inputs.dtype != np.uint8 or inputs.shape != (count, 2, *PATCH_SHAPE) or said.shape != (count, len(LABELS)):
        raise ValueError(
            f"{part}: inputs {inputs.dtype} {inputs.shape}, log-probabilities {said.shape}, labels {labels.shape}; "
            f"wanted uint8 (n, 2, {PATCH_SHAPE[0]}, {PATCH_SHAPE[1]}), (n, {len(LABELS)}), (n,), n > 0"
        )
    return Examples((inputs,), tuple((label,) for label in _checked(part, labels.reshape(count))), said.astype(np.float32))


def _runs(arrays: Mapping[str, NDArray[Any]], part: str) -> Examples:
    pixels, widths, table = (arrays[f"{part}_{name}"] for name in ("pixels", "widths", "labels"))
    widths = widths.astype(np.int64)
    if len(widths) == 0 or len(table) != len(widths) or pixels.dtype != np.uint8 or pixels.size != STRIP_HEIGHT_PX * widths.sum():
        raise ValueError(f"{part}: {pixels.size} pixels, {len(widths)} widths, {len(table)} rows of labels do not belong together")
    if (widths < WIDTH_STEP_PX).any() or (widths % WIDTH_STEP_PX).any():
        raise ValueError(f"{part}: widths {sorted(set(widths.tolist()))}; wanted multiples of {WIDTH_STEP_PX}")
    ends = np.cumsum(widths * STRIP_HEIGHT_PX)
    strips = [
        pixels[end - width * STRIP_HEIGHT_PX : end].reshape(1, STRIP_HEIGHT_PX, width) for end, width in zip(ends, widths, strict=True)
    ]
    order = [np.flatnonzero(widths == width) for width in np.unique(widths)]
    labels = [tuple(_checked(part, row[row != NO_LABEL])) for row in table]
    return Examples(
        tuple(np.stack([strips[index] for index in same]) for same in order), tuple(labels[index] for same in order for index in same)
    )


def _parts_of_pages(arrays: Mapping[str, NDArray[Any]], part: str) -> Examples:
    inputs, strokes = (arrays[f"{part}_{name}"] for name in ("inputs", "strokes"))
    count = len(inputs)
    if count == 0 or inputs.dtype != np.uint8 or inputs.ndim != 4 or inputs.shape[1] != 1 or strokes.shape != (count, *inputs.shape[2:]):
        raise ValueError(
            f"{part}: inputs {inputs.dtype} {inputs.shape}, strokes {strokes.shape}; wanted uint8 (n, 1, h, w), (n, h, w), n > 0"
        )
    if any(side % OVERVIEW_STEP_PX for side in inputs.shape[2:]):
        raise ValueError(f"{part}: parts of {inputs.shape[2:]} pixels; wanted multiples of {OVERVIEW_STEP_PX}")
    return Examples((inputs,), ((),) * count, strokes=strokes.astype(np.uint8))


def _checked(part: str, labels: NDArray[Any]) -> list[int]:
    if not np.issubdtype(labels.dtype, np.integer) or (labels < 0).any() or (labels >= len(LABELS)).any():
        raise ValueError(f"{part}: labels out of 0..{len(LABELS) - 1}")
    return [int(label) for label in labels]
