"""Learning while correcting: each correction is stored, and the head in use knows it before the next page is read."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.paper.tiles import Glyph, as_model_input, make_tile
from edge_digits.personal.adaptation import outputs_of, own_digits
from edge_digits.personal.crops import Crop, cut_out
from edge_digits.personal.head import Difference, Outputs
from edge_digits.personal.jitter import JITTERS
from edge_digits.personal.methods import Kept, Method, Own, join
from edge_digits.personal.own_model import OwnModel, as_head, make_own_model
from edge_digits.personal.reserve import load_reserve
from edge_digits.personal.samples import Split, find_samples, glyph_of, read_samples, remove_sample, store_sample
from edge_digits.reader import Reader
from edge_digits.reading.reading import Box
from edge_digits.recognition.adapted import DIGITS
from edge_digits.sources.frame import Frame

METHOD: Final = Method("regression", 0.00003, 32.0)
"""Too few digits to choose by cross-validation: the one that harms other hands least."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction that was stored. before, after : what the head saw in the crop before it was learned, and after."""

    path: Path
    digit: int
    before: int
    after: int


def store_correction(folder: Path, frame: Frame, box: Box, digit: int, read: int | None = None, split: Split = "train") -> Path:
    """Cut a digit out of its frame and store it under its right label, in the layout that `collect` writes. Returns its path.

    box : x, y, width, height in pixels of the frame. read : what the reader had seen, None for "?".
    Raises InputDecodeError for a box outside of the frame, UsageError for another digit or a folder that cannot be written.
    """
    return store_sample(folder, split, digit, cut_out(frame, box, read))


class Learner:
    """Stores corrections and updates the head of a reader at once. Safe to use from several threads.

    What `folder` already holds is learned when the first correction comes. Nothing lasts beyond the reader unless `keep` is called.
    """

    def __init__(self, reader: Reader, folder: Path) -> None:
        """reader : whose digits are corrected; from the first correction on it reads with what was learned.

        Raises ModelContractError for a model that cannot be adapted, ModelError without a reserve.
        """
        self.reader, self.folder = reader, folder
        self._lock = threading.Lock()
        self._began_with = reader.classifier.adapted
        reserve = load_reserve()
        self._kept = Kept(self._began(outputs_of(reader.classifier, as_model_input(reserve.tiles))), reserve.labels)
        self._learned: Difference | None = None
        self._own: list[Own] | None = None
        self._stored: list[Path] = []

    def correct(self, frame: Frame, box: Box, digit: int, read: int | None = None) -> Correction:
        """Store one digit of a page under its right label, and learn it. Digits that were read right may be given as well.

        Arguments and errors as for store_correction; InputDecodeError, too, where the box holds no ink.
        """
        return self.add(cut_out(frame, box, read), digit)

    def add(self, crop: Crop | NDArray[np.uint8], digit: int, split: Split = "train") -> Correction:
        """Store one crop, or one drawing, under its label; learn it unless it is for the test.

        crop : a Crop, or its picture alone, uint8 (h, w) grey or (h, w, 3) BGR. Raises as correct does.
        """
        crop = crop if isinstance(crop, Crop) else Crop(crop)
        glyph = glyph_of(crop)
        if not glyph.any():
            raise InputDecodeError(f"{crop.origin.source or 'sample'}: no ink found in the box of digit {digit}; nothing was stored")
        with self._lock:
            own = self._so_far()
            path = store_sample(self.folder, split, digit, crop)
            seen = self._seen([glyph], [digit], len(JITTERS))
            before = self._sees(seen.outputs)
            if split == "train":
                own.append(seen)
                self._stored.append(path)
                self._learn()
            return Correction(path, digit, before, self._sees(seen.outputs))

    def undo(self) -> Path | None:
        """Take the last correction back, its file too; None when there is none."""
        with self._lock:
            if not self._stored:
                return None
            path = self._stored.pop()
            remove_sample(path)
            self._so_far().pop()
            self._learn()
            return path

    def keep(self, name: str) -> OwnModel:
        """Adapt the shipped model to all stored samples, behind the guard, and write it for `--model NAME`.

        Raises as make_own_model does.
        """
        options = self.reader.options.recognition
        return make_own_model(
            self.folder, name, options if self._began_with is None else replace(options, model=self._began_with.base_model)
        )

    @property
    def samples(self) -> int:
        """Number of digits learned from."""
        with self._lock:
            return len(self._so_far())

    def _so_far(self) -> list[Own]:
        if self._own is None:
            samples = read_samples(find_samples(self.folder)) if self.folder.is_dir() and any(self.folder.iterdir()) else None
            self._own = []
            if samples is not None and len(samples):
                stored = self._seen(samples.glyphs, samples.labels)
                self._own = [stored.take(np.array([index])) for index in range(len(stored))]
        return self._own

    def _seen(self, glyphs: Sequence[Glyph], labels: Sequence[int] | NDArray[np.int64], copies: int | None = None) -> Own:
        """Digits of this hand and their copies, as the model sees them that the reader began with."""
        tiles = np.array([make_tile(glyph) for glyph in glyphs])
        seen = own_digits(self.reader.classifier, tiles, np.array(labels, np.int64), copies)
        return Own(self._began(seen.outputs), seen.labels, tuple(map(self._began, seen.copies)))

    def _began(self, outputs: Outputs) -> Outputs:
        """What the model says that the reader began with: the learned difference is added to it."""
        if self._began_with is None:
            return outputs
        logits = outputs.logits.copy()
        logits[:, :DIGITS] += outputs.features @ self._began_with.weights + self._began_with.bias
        return Outputs(logits, outputs.features)

    def _sees(self, outputs: Outputs) -> int:
        """The digit that the head now in use sees, 0..9. outputs : of one tile."""
        logits = outputs.logits[:, :DIGITS] if self._learned is None else self._learned.apply(outputs)
        return int(logits[0, :DIGITS].argmax())

    def _learn(self) -> None:
        """Fit the head to all that was corrected, and hand it to the reader in one step."""
        own = self._so_far()
        together = Own(self._kept.outputs.take(np.zeros(0, np.int64)), np.zeros(0, np.int64))
        if own:
            copies = zip(*(digit.copies for digit in own), strict=False)  # as many as there are of every digit
            together = Own(
                join([digit.outputs for digit in own]), np.concatenate([digit.labels for digit in own]), tuple(map(join, copies))
            )
        self._learned = learned = METHOD.fit(together, self._kept, self.reader.classifier.card.temperature)
        began = self._began_with
        total = learned if began is None else Difference(learned.weights + began.weights, learned.bias + began.bias)
        classifier, model = self.reader.classifier, self.reader.options.recognition.model
        name = classifier.name if began is None else began.name
        classifier.adapted = as_head(name, total, classifier, model, {"learned_from": len(own)})
