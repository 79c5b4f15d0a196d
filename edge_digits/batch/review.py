"""The doubtful digits of a table, one after the other: what a person says of each, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_digits.batch.corrections import Correction, load_corrections, store_corrections
from edge_digits.batch.page_pictures import PagePictures, cut
from edge_digits.batch.rows import is_doubtful
from edge_digits.errors import InputDecodeError
from edge_digits.personal.crops import cut_out
from edge_digits.personal.samples import count_samples, remove_sample, split_in_turn, store_sample
from edge_digits.sources.frame import Frame

SURE_DIGIT: Final = 0.98
"""Digits of a doubtful number that are surer are not asked for, unless none is less sure."""

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One digit to look at. place : its index in the number. digit : as the page's JSON object has it."""

    entry: Entry
    number: Mapping[str, Any]
    place: int

    @property
    def digit(self) -> Mapping[str, Any]:
        """The digit as the page's JSON object has it."""
        found: Mapping[str, Any] = self.number["digits"][self.place]
        return found

    def correction(self, digit: int | None) -> Correction:
        """What is said when it is this digit, or none."""
        return Correction(self.entry["source"], self.entry["page"], tuple(self.number["box"]), self.place, digit)


@dataclass(frozen=True, slots=True)
class Said:
    """One answer, for undoing. correction : None where the question was passed over. sample : the file that was stored."""

    place: int
    correction: Correction | None
    sample: Path | None


def questions(entries: Iterable[Entry], answered: Iterable[Correction] = ()) -> Iterator[Question]:
    """The digits of doubtful numbers that nobody answered yet, in the order of the table."""
    known = {(each.key, each.place) for each in answered}
    for entry in entries:
        for line in entry.get("lines", ()):
            for number in line["numbers"]:
                if is_doubtful(number):
                    for place in _unsure(number["digits"]):
                        question = Question(entry, number, place)
                        own = question.correction(None)
                        if (own.key, own.place) not in known:
                            yield question


def _unsure(digits: list[Mapping[str, Any]]) -> list[int]:
    """Places of the digits that make a number doubtful."""
    unnamed = [place for place, digit in enumerate(digits) if digit["digit"] is None]
    weak = [place for place, digit in enumerate(digits) if digit["confidence"] < SURE_DIGIT]
    if unnamed or weak:
        return unnamed or weak
    # All are clear and the number is doubted still: a check failed, so each of them may be the wrong one.
    return list(range(len(digits)))


class Review:
    """A table under review. Each answer is kept at once.

    table : its file. samples : folder into which answered digits go, None for none. at : the question that is asked.
    """

    def __init__(self, table: Path, entries: Iterable[Entry], samples: Path | None) -> None:
        """Take up where an earlier review ended. Raises UsageError."""
        self.table, self.samples = table, samples
        self.corrections = load_corrections(table)
        self.questions = list(questions(entries, self.corrections))
        self.at, self.pages = 0, PagePictures()
        self._said: list[Said] = []

    @property
    def question(self) -> Question | None:
        """What is asked now; None at the end."""
        return self.questions[self.at] if self.at < len(self.questions) else None

    @property
    def answered(self) -> int:
        """Answers of this review."""
        return sum(said.correction is not None for said in self._said)

    def answer(self, digit: int | None) -> None:
        """It is this digit; None: it is none. Raises UsageError where that cannot be kept."""
        question = self.question
        if question is None:
            return
        sample = None if digit is None else self._store(question, digit)
        correction = question.correction(digit)
        store_corrections(self.table, [*self.corrections, correction])
        self.corrections.append(correction)
        self._said.append(Said(self.at, correction, sample))
        self.at += 1

    def skip(self) -> None:
        """Leave it as it is."""
        if self.question is not None:
            self._said.append(Said(self.at, None, None))
            self.at += 1

    def undo(self) -> bool:
        """Take the last answer back, its sample too. False where there is none."""
        if not self._said:
            return False
        said = self._said.pop()
        if said.correction is not None:
            kept = list(self.corrections)
            kept.remove(said.correction)
            store_corrections(self.table, kept)
            self.corrections = kept
        if said.sample is not None and said.sample.exists():
            remove_sample(said.sample)
        self.at = said.place
        return True

    def crop(self, question: Question) -> tuple[NDArray[np.uint8], tuple[int, int]] | None:
        """The number's part of its page, uint8 (h, w[, 3]), and the digit's left and right edge in it; None where the page is gone."""
        picture = self.pages.picture(question.entry)
        if picture is None:
            return None
        x, _, _, height = question.number["box"]
        left = max(0, x - max(2, round(0.15 * height)))
        start, _, width, _ = question.digit["box"]
        return cut(picture, question.number["box"]), (start - left, start - left + width)

    def _store(self, question: Question, digit: int) -> Path | None:
        picture = None if self.samples is None else self.pages.picture(question.entry)
        if picture is None or self.samples is None:
            return None
        frame = Frame.from_array(picture, question.entry["source"], question.entry["page"])
        box = question.digit["box"]
        try:
            crop = cut_out(frame, (box[0], box[1], box[2], box[3]), question.digit["digit"])
        except InputDecodeError:
            return None
        return store_sample(self.samples, split_in_turn(count_samples(self.samples, digit)), digit, crop)
