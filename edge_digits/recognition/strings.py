"""Reads runs of ink whole: digits that touch need not be parted before they are read.

The string network names a label, or nothing new, for every few pixels across a strip. The best label of every column is
taken, repetitions once; how sure the sequence is follows from the sum over all ways of placing it (A. Graves et al.,
"Connectionist temporal classification", ICML 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.options import RecognitionOptions
from edge_digits.paper.strips import INK_HEIGHT_PX, LONGEST_PX, MARGIN_PX, make_strip
from edge_digits.recognition.companions import as_companion_input, open_companion
from edge_digits.recognition.engine import Engine
from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT, WEIGHTS_FOLDER, ModelFile

BLANK: Final = len(LABELS)
COLUMN_PX: Final = 4
"""Pixels of the strip that one column of the answer stands for."""
BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class ReadString:
    """What was read off one run of ink.

    labels : 0..9, or NOT_ONE_DIGIT once for each stretch of anything else, left to right. probability : that all are right, 0..1.
    middles : for each label where it stands, as a share of the run's width, 0 left to 1 right.
    probabilities : float32 (k, 11), for each label what else it might be.
    """

    labels: tuple[int, ...]
    probability: float
    middles: tuple[float, ...]
    probabilities: NDArray[np.float32]


class StringReader:
    """The string network, ready to read. Built once; calls are re-entrant."""

    def __init__(self, engine: Engine, file: ModelFile | None = None) -> None:
        """engine : of a model with input `strips` [n, 1, 32, w] and output `columns` [n, w / 4, 12].

        file : the published file that the engine runs.
        """
        self.engine, self.file = engine, file

    def read(self, pictures: Sequence[NDArray[np.uint8]]) -> list[ReadString]:
        """pictures : uint8 (h, w) each, ink 255, paper 0, cut to their ink."""
        strips = [make_strip(picture) for picture in pictures]
        answers: list[NDArray[np.float32] | None] = [None] * len(strips)
        by_width: dict[int, list[int]] = {}
        for index, strip in enumerate(strips):
            by_width.setdefault(strip.shape[1], []).append(index)
        for chosen in by_width.values():
            for start in range(0, len(chosen), BATCH):
                part = chosen[start : start + BATCH]
                inputs = as_companion_input(np.stack([strips[i] for i in part])[:, None])
                for index, answer in zip(part, self.engine.run("columns", inputs), strict=True):
                    answers[index] = answer
        return [self._decode(a, p) for a, p in zip(answers, pictures, strict=True) if a is not None]

    def _decode(self, columns: NDArray[np.float32], picture: NDArray[np.uint8]) -> ReadString:
        log = columns - columns.max(axis=1, keepdims=True)
        log = log - np.log(np.exp(log).sum(axis=1, keepdims=True))
        best = log.argmax(axis=1)
        places = _places(best, log)
        labels = tuple(int(best[p]) for p in places)
        rows = np.exp(log[list(places), :BLANK]) if places else np.zeros((0, BLANK), np.float32)
        rows = (rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)
        height, width = picture.shape
        across = min(width * INK_HEIGHT_PX / height, float(LONGEST_PX - 2 * MARGIN_PX))
        middles = tuple(float(np.clip(((p + 0.5) * COLUMN_PX - MARGIN_PX) / across, 0, 1)) for p in places)
        return ReadString(labels, min(1.0, float(np.exp(log_probability(log, labels)))), middles, rows)


def _places(best: NDArray[np.intp], log: NDArray[np.float32]) -> list[int]:
    """The surest column of each run of one label."""
    places: list[int] = []
    previous = BLANK
    for column, label in enumerate(best):
        if label == BLANK:
            previous = BLANK
            continue
        if label != previous:
            places.append(column)
        elif log[column, label] > log[places[-1], label]:
            places[-1] = column
        previous = int(label)
    return places


def log_probability(log: NDArray[np.float32], labels: Sequence[int]) -> float:
    """Log-probability of a sequence of labels, summed over all placements. log : float32 (columns, 12), log-probabilities."""
    states = [BLANK]
    for label in labels:
        states += [label, BLANK]
    path = np.array(states)
    skips = np.zeros(len(path), bool)
    skips[2:] = (path[2:] != BLANK) & (path[2:] != path[:-2])
    alpha = np.full(len(path), -np.inf)
    alpha[: min(2, len(path))] = log[0, path[: min(2, len(path))]]
    for column in log[1:]:
        stay = alpha
        step = np.concatenate([[-np.inf], alpha[:-1]])
        skip = np.where(skips, np.concatenate([[-np.inf, -np.inf], alpha[:-2]])[: len(path)], -np.inf)
        alpha = np.logaddexp(np.logaddexp(stay, step), skip) + column[path]
    return float(np.logaddexp(alpha[-1], alpha[-2]) if len(path) > 1 else alpha[-1])


def is_digits(read: ReadString) -> bool:
    """Whether nothing but digits was read."""
    return bool(read.labels) and NOT_ONE_DIGIT not in read.labels


def load_strings(options: RecognitionOptions | None = None, folder: Path = WEIGHTS_FOLDER) -> StringReader | None:
    """The string network of a folder of models, verified and self-tested; None where it holds none.

    Runs on the CPU in the precision that the options ask for. Raises ModelError, MissingExtraError.
    """
    companion = open_companion("strings", options, folder)
    return None if companion is None else StringReader(companion.engine, companion.file)
