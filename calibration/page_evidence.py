"""Reads pages whose truth is known, and keeps of each digit and number how sure the networks were and whether it was right."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from calibration.confidence_maps import Observations
from calibration.errors import CalibrationError
from edge_digits.bench.alignment import JudgedPage, judge_page, tells_signs
from edge_digits.bench.truth import PageTruth, load_truth
from edge_digits.errors import InputError, UsageError
from edge_digits.reader import Reader
from edge_digits.recognition.confidence_curve import ConfidenceMap

TRUTH_NAME: Final = "truth.json"
CONFIRMING: Final = "check"
"""The half of a set of pages that confirms what was chosen on the others; nothing is fitted on it."""


@dataclass(frozen=True, slots=True)
class PageFolder:
    """Pages to fit on. truth : None for truth.json in the folder. half : None for a truth without halves."""

    folder: Path
    truth: Path | None = None
    half: str | None = None

    def pages(self) -> list[PageTruth]:
        """The pages that are meant. Raises UsageError when there are none, or when the half that confirms is among them."""
        path = self.truth or self.folder / TRUTH_NAME
        truths = load_truth(path)
        halves = sorted({truth.half for truth in truths if truth.half})
        if self.half == CONFIRMING:
            raise UsageError(f"half '{CONFIRMING}' confirms what was fitted, nothing is fitted on it; choose another: {', '.join(halves)}")
        if self.half is None and CONFIRMING in halves:
            raise UsageError(f"{path}: half '{CONFIRMING}' is not fitted on; name the one to take with --half: {', '.join(halves)}")
        wanted = [truth for truth in truths if self.half in (None, truth.half)]
        if not wanted:
            raise UsageError(f"{path}: no page of half '{self.half}'; halves: {', '.join(halves) or 'none'}")
        return wanted


@dataclass(frozen=True, slots=True)
class Evidence:
    """Every page of every folder, judged; in order. facts : of each folder, counts and the end of its path."""

    folders: tuple[tuple[JudgedPage, ...], ...]
    facts: tuple[dict[str, Any], ...]

    def digits(self) -> Observations:
        """All digits of which the truth can say whether they are right."""
        return _observations(
            [
                (d.digit.confidence, d.right, page, folder)
                for folder, page, judged in self._pages()
                for d in judged.digits
                if d.right is not None
            ]
        )

    def numbers(self, digit_map: ConfidenceMap) -> Observations:
        """All such numbers; given is the product of their digits' mapped confidences."""
        rows = []
        for folder, page, judged in self._pages():
            for number in judged.numbers:
                if number.right is not None:
                    product = math.prod(digit_map([digit.confidence for digit in number.number.digits]).tolist())
                    rows.append((product, number.right, page, folder))
        return _observations(rows)

    def _pages(self) -> list[tuple[int, int, JudgedPage]]:
        """Folder, page counted over all folders, page."""
        every = [(folder, judged) for folder, pages in enumerate(self.folders) for judged in pages]
        return [(folder, page, judged) for page, (folder, judged) in enumerate(every)]


def read_folders(reader: Reader, folders: Sequence[PageFolder]) -> Evidence:
    """Read and judge all pages; one that cannot be read is told and left out. reader : one without a confidence curve.

    Raises UsageError, CalibrationError, MissingExtraError.
    """
    if reader.curve is not None:
        raise CalibrationError("the reader's confidence is mapped already; build it with ReadingOptions(calibrated=False)")
    wanted = [(folder, folder.pages()) for folder in folders]
    judged, facts = [], []
    with tqdm(total=sum(len(truths) for _, truths in wanted), desc="pages", unit="page", file=sys.stderr, disable=None) as bar:
        for folder, truths in wanted:
            with_signs, pages = tells_signs(truths), []
            for truth in truths:
                try:
                    pages.append(judge_page(truth, reader.read(folder.folder / truth.name), with_signs=with_signs))
                except InputError as error:
                    bar.write(f"calibration.confidence: left out: {error}", file=sys.stderr)
                bar.update()
            judged.append(tuple(pages))
            facts.append(_facts(folder, pages))
    return Evidence(tuple(judged), tuple(facts))


def _facts(folder: PageFolder, pages: Sequence[JudgedPage]) -> dict[str, Any]:
    digits = [digit.right for page in pages for digit in page.digits if digit.right is not None]
    numbers = [number.right for page in pages for number in page.numbers if number.right is not None]
    return {
        "folder": "/".join(folder.folder.resolve().parts[-2:]),
        "half": folder.half,
        "pages": len(pages),
        "true_digits": sum(page.true_digits for page in pages),
        "digits": len(digits),
        "wrong_digits": digits.count(False),
        "numbers": len(numbers),
        "wrong_numbers": numbers.count(False),
    }


def _observations(rows: Sequence[tuple[float, bool, int, int]]) -> Observations:
    given, right, page, folder = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Observations(np.array(given, np.float64), np.array(right, bool), np.array(page, np.int64), np.array(folder, np.int64))
