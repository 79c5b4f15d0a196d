"""Learning while correcting: each correction is stored, and the head in use knows it before the next page is read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import InputDecodeError
from edge_digits.paper.tiles import as_model_input, make_tiles
from edge_digits.personal.adaptation import outputs_of
from edge_digits.personal.crops import Crop, cut_out
from edge_digits.personal.head import Difference, Outputs
from edge_digits.personal.methods import Kept, Method
from edge_digits.personal.own_model import OwnModel, as_head, make_own_model
from edge_digits.personal.reserve import load_reserve
from edge_digits.personal.samples import Split, find_samples, glyph_of, read_samples, remove_sample, store_sample
from edge_digits.reader import Reader
from edge_digits.reading.reading import Box
from edge_digits.recognition.adapted import DIGITS
from edge_digits.sources.frame import Frame

METHOD: Final = Method("both", 0.003, 16.0)
"""Too few digits to choose by cross-validation: the more careful of the two that learn most."""


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
        self._kept = Kept(self._outputs(as_model_input(reserve.tiles)), reserve.labels)
        self._learned: Difference | None = None
        self._own: list[Outputs] | None = None
        self._labels: list[int] = []
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
            outputs = self._outputs(make_tiles([glyph]))
            before = self._sees(outputs)
            if split == "train":
                own.append(outputs)
                self._labels.append(digit)
                self._stored.append(path)
                self._learn()
            return Correction(path, digit, before, self._sees(outputs))

    def undo(self) -> Path | None:
        """Take the last correction back, its file too; None when there is none."""
        with self._lock:
            if not self._stored:
                return None
            path = self._stored.pop()
            remove_sample(path)
            self._so_far().pop()
            self._labels.pop()
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

    def _so_far(self) -> list[Outputs]:
        if self._own is None:
            samples = read_samples(find_samples(self.folder)) if self.folder.is_dir() and any(self.folder.iterdir()) else None
            self._own = []
            if samples is not None and len(samples):
                outputs = self._outputs(make_tiles(samples.glyphs))
                self._own = [outputs.take(np.array([index])) for index in range(len(outputs))]
                self._labels = [int(label) for label in samples.labels]
        return self._own

    def _outputs(self, tiles: NDArray[np.float32]) -> Outputs:
        """What the model says that the reader began with: the learned difference is added to it."""
        outputs = outputs_of(self.reader.classifier, tiles)
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
        nothing = self._kept.outputs.take(np.zeros(0, np.int64))
        together = Outputs(np.concatenate([o.logits for o in own]), np.concatenate([o.features for o in own])) if own else nothing
        temperature = self.reader.classifier.card.temperature
        self._learned = learned = METHOD.fit(together, np.array(self._labels, np.int64), self._kept, temperature)
        began = self._began_with
        total = learned if began is None else Difference(learned.weights + began.weights, learned.bias + began.bias)
        classifier, model = self.reader.classifier, self.reader.options.recognition.model
        name = classifier.name if began is None else began.name
        classifier.adapted = as_head(name, total, classifier, model, {"learned_from": len(self._labels)})
