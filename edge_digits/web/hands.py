"""The hands that this server reads and learns: a reader for each adapted model, a learner for each hand that is corrected.

A hand is named by letters and digits alone; its samples lie in a folder of that name, in the layout of `edge-digits collect`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import ModelError, ModelNotFoundError, UsageError
from edge_digits.personal.learning import Learner
from edge_digits.personal.own_model import check_free
from edge_digits.personal.prompts import missing_prompts
from edge_digits.personal.samples import DIGITS, SPLITS, Split, count_samples, remove_sample
from edge_digits.reader import Reader
from edge_digits.reading.reading import Box
from edge_digits.recognition.adapted import (
    adapted_names,
    adapted_path,
    data_folder,
    find_adapted,
    former_versions,
    remove_adapted,
    roll_back,
)
from edge_digits.web.judging import open_upload

MOST_OPEN: Final = 4
"""Hands whose readers are kept in memory, about 20 MB each; the one that rested longest goes first."""
MOST_SAMPLES: Final = 2000
"""Of one hand; more would not be learned better, and nobody shall fill the disk."""
MOST_HANDS: Final = 50


@dataclass
class _Open:
    """A hand in memory. written : when the model's file was written that the reader was made of, 0 without one."""

    reader: Reader
    written: int
    learner: Learner | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class _Stored:
    path: Path
    split: Split


class Hands:
    """Readers and learners by name. Safe to use from several threads.

    reader : for whoever names no hand. folder : of the samples, one folder a hand; default: `samples` in the user's own folder.
    """

    def __init__(self, reader: Reader, folder: Path | None = None) -> None:
        self._reader, self._folder = reader, folder or data_folder() / "samples"
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._stored: dict[str, list[_Stored]] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def reader(self, model: str) -> Reader:
        """The reader of an adapted model, or of a hand that is being learned; "" is the server's own.

        Raises ModelNotFoundError for any other name, ModelError.
        """
        if not model:
            return self._reader
        with self._lock:
            if model not in self._open and model not in adapted_names():
                raise ModelNotFoundError(f"no adapted model '{model}'; there are: {', '.join(adapted_names()) or 'none'}")
            return self._opened(model).reader

    def listed(self) -> list[dict[str, Any]]:
        """Every hand that can be read with: those with a file ("saved"), as `adapt --list` tells them, and those only learned.

        "former" : how many versions before this one can be gone back to.
        """
        entries = []
        for name in adapted_names():
            try:
                head = find_adapted(name)
            except ModelError:
                continue  # a damaged file is told by `adapt --list`; the page offers what works
            if head is not None:
                figures = head.metadata.get("figures", {})
                entries.append({"name": name, "saved": True, "former": len(former_versions(name)), "figures": figures})
        with self._lock:
            learned = [name for name, hand in self._open.items() if hand.learner is not None and hand.learner.samples]
        saved = {entry["name"] for entry in entries}
        return [*entries, *({"name": name, "saved": False, "former": 0, "figures": {}} for name in learned if name not in saved)]

    def samples(self, hand: str) -> dict[str, Any]:
        """What is stored of a hand, and what is still asked for. Raises UsageError for a name that cannot be one."""
        folder = self._folder_of(hand)
        counts = {split: [count_samples(folder, digit, split) for digit in DIGITS] for split in SPLITS}
        return {"hand": hand, "counts": counts, "prompts": [{"digit": p.digit, "split": p.split} for p in missing_prompts(folder)]}

    def store(self, hand: str, digit: int, split: str, data: bytes) -> dict[str, Any]:
        """Store a picture of one digit, and learn it unless it is for the test. Raises UsageError, InputError, ModelError."""
        chosen = next((known for known in SPLITS if known == split), None)
        if chosen is None:
            raise UsageError(f"split is '{split[:20]}'; give {' or '.join(SPLITS)}")
        learner = self._learner_with_room(hand)
        correction = learner.add(open_upload(learner.reader, data).picture, digit, chosen)
        self._remember(hand, correction.path, chosen)
        return {**self.samples(hand), "before": correction.before, "after": correction.after}

    def correct(self, hand: str, digit: int, read: int | None, box: Box, data: bytes) -> dict[str, Any]:
        """Store what was cut out of a page under its right label, and learn it at once.

        box : of the digit in the picture, x, y, width, height. read : what had been read. Raises as store does.
        """
        learner = self._learner_with_room(hand)
        correction = learner.correct(open_upload(learner.reader, data), box, digit, read)
        self._remember(hand, correction.path, "train")
        return {**self.samples(hand), "before": correction.before, "after": correction.after}

    def undo(self, hand: str) -> dict[str, Any]:
        """Take back what was stored last of a hand since the server started. Raises UsageError when there is nothing."""
        self._folder_of(hand)
        with self._lock:
            last = self._stored[hand].pop() if self._stored.get(hand) else None
            learner = self._open[hand].learner if hand in self._open else None
        if last is None:
            raise UsageError(f"nothing of '{hand}' was stored since the server started that could be taken back")
        if last.split != "train" or learner is None or learner.undo() is None:
            remove_sample(last.path)
            self._close(hand)  # a learner that was made since has learned it from the folder
        return self.samples(hand)

    def adapt(self, hand: str) -> dict[str, Any]:
        """Adapt the model to all samples of a hand, as `edge-digits adapt` does, and read with it from now on.

        Raises UsageError, InputError without samples, ModelError, AdaptationRefusedError with the figures.
        """
        with self._writing:
            model = self._learner(hand).keep(hand)
            self._close(hand)
        return model.to_dict()

    def roll_back(self, hand: str) -> None:
        """Put the version before the last adaptation back, as `adapt --rollback` does. Raises ModelNotFoundError, UsageError."""
        with self._writing:
            roll_back(hand)
            self._close(hand)

    def remove(self, hand: str) -> None:
        """Delete an adapted model and its former versions; the samples stay. Raises ModelNotFoundError, UsageError."""
        with self._writing:
            remove_adapted(hand)
            self._close(hand)

    def _folder_of(self, hand: str) -> Path:
        check_free(hand)
        return self._folder / hand

    def _learner_with_room(self, hand: str) -> Learner:
        """The learner of a hand that more may be stored of. Raises UsageError."""
        folder = self._folder_of(hand)
        if not folder.is_dir() and self._folder.is_dir() and sum(1 for _ in self._folder.iterdir()) >= MOST_HANDS:
            raise UsageError(f"there are samples of {MOST_HANDS} hands already; remove some in {self._folder.name}")
        if sum(count_samples(folder, digit) for digit in DIGITS) >= MOST_SAMPLES:
            raise UsageError(f"'{hand}' has {MOST_SAMPLES} samples, which is the most")
        return self._learner(hand)

    def _learner(self, hand: str) -> Learner:
        folder = self._folder_of(hand)
        with self._lock:
            opened = self._opened(hand)
        with opened.lock:
            if opened.learner is None:
                opened.learner = Learner(opened.reader, folder)
            return opened.learner

    def _opened(self, name: str) -> _Open:
        """The hand in memory, made anew when its file has changed. Under the lock."""
        path = adapted_path(name)
        written = path.stat().st_mtime_ns if path.exists() else 0
        opened = self._open.pop(name, None)
        if opened is None or opened.written != written:
            opened = _Open(self._make_reader(name if written else self._base_model()), written)
        self._open[name] = opened
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return opened

    def _make_reader(self, model: str) -> Reader:
        options = self._reader.options
        return Reader(options=replace(options, recognition=replace(options.recognition, model=model)))

    def _base_model(self) -> str:
        adapted = self._reader.classifier.adapted
        return self._reader.options.recognition.model if adapted is None else adapted.base_model

    def _remember(self, hand: str, path: Path, split: Split) -> None:
        with self._lock:
            self._stored.setdefault(hand, []).append(_Stored(path, split))

    def _close(self, hand: str) -> None:
        with self._lock:
            self._open.pop(hand, None)
