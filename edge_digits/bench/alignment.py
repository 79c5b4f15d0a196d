"""Tells of each digit and number that was read whether it stands there: by edit alignment with a transcription.

The readings are compared in the ways in which scoring.py compares them, the cheapest one counts. Every digit takes part
by its best guess, named or not, so that a confidence can be judged below the threshold too. Printed digits beside the
writing may be read or left out one by one. Among alignments of equal cost the first one found counts; it may blame
another digit of a repeated pair, never another number of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from edge_digits.bench.edits import OPTIONAL, PLAIN, UNREADABLE, edit_costs, edit_steps, swap_cost
from edge_digits.bench.scoring import MOST_LINES, MOST_NUMBERS, digits_of, load_assignment
from edge_digits.bench.truth import PageTruth
from edge_digits.reading.reading import Digit, Number, Reading

SIGN: Final = re.compile(r"[.,:/-]")


@dataclass(frozen=True, slots=True)
class JudgedDigit:
    """A digit that was read.

    right : whether its best guess stands there; None where a careful reader could not tell either.
    found : whether a digit to be read stands where it was read.
    """

    digit: Digit
    right: bool | None
    found: bool


@dataclass(frozen=True, slots=True)
class JudgedNumber:
    """A number that was read. right : whether just this number stands there; None where the truth cannot say."""

    number: Number
    right: bool | None


@dataclass(frozen=True, slots=True)
class JudgedPage:
    """A page's digits and numbers in reading order. true_digits : legible digits that stand on the page."""

    digits: tuple[JudgedDigit, ...]
    numbers: tuple[JudgedNumber, ...]
    true_digits: int


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the truth that holds digits. signs : those among them, in order; None where that is not told."""

    digits: str
    signs: str | None


@dataclass(frozen=True, slots=True)
class _True:
    """A digit of the truth. word : index of the word that it belongs to. place : its index among all of the page."""

    character: str
    word: int
    place: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A digit of the reading. place : its index among all of the page."""

    character: str
    number: int
    place: int


def tells_signs(pages: Sequence[PageTruth]) -> bool:
    """Whether the lines of a transcription hold decimal points, minus signs and their like; many hold digits alone."""
    return any(SIGN.search(line) for page in pages for line in page.lines)


def judge_page(truth: PageTruth, reading: Reading, *, with_signs: bool = False) -> JudgedPage:
    """Compare one reading with what stands there.

    with_signs : whether a number must have the signs of the lines to be right. Where the truth tells them apart from the
    lines it must in any case. Raises MissingExtraError without scipy.
    """
    words, true_lines = _truth(truth, with_signs=with_signs)
    pairs = _compare(truth, true_lines, _reading(reading))
    partner = {read.place: true for pair in pairs for true, read in _partners(*pair)}
    digits = tuple(_judged_digit(digit, partner.get(place)) for place, digit in enumerate(reading.digits))
    places = iter(range(len(digits)))
    numbers = []
    for number in reading.numbers:
        right = _whole_number(number, [partner.get(next(places)) for _ in number.digits], words)
        numbers.append(JudgedNumber(number, right if truth.grouping_clear else None))
    return JudgedPage(digits, tuple(numbers), sum(true.character in PLAIN.values() for line in true_lines for true in line))


def best_guess(digit: Digit) -> int | None:
    """The digit that it is most probably, named or not."""
    if digit.digit is not None or not digit.candidates:
        return digit.digit
    return digit.candidates[0][0]


def _judged_digit(digit: Digit, true: _True | None) -> JudgedDigit:
    if true is None:
        return JudgedDigit(digit, right=False, found=False)
    if true.character == UNREADABLE:
        return JudgedDigit(digit, right=None, found=False)
    return JudgedDigit(digit, right=swap_cost(true.character, _guessed(digit)) == 0, found=true.character not in PLAIN)


def _guessed(digit: Digit) -> str:
    guess = best_guess(digit)
    return UNREADABLE if guess is None else str(guess)


def _truth(truth: PageTruth, *, with_signs: bool) -> tuple[list[_Word], list[list[_True]]]:
    """The words that hold digits, and the digits line by line."""
    lines = [_words(line, with_signs=with_signs) for line in truth.lines]
    for at, written in enumerate(truth.written or ()):
        told = _words(written, with_signs=True)
        # "3+4x" in one word stands as "3 4" among the lines: the signs of such words belong to no number.
        if [word.digits for word in told] == [word.digits for word in lines[at]]:
            lines[at] = told
    if truth.label_digits:
        lines.append([_Word(word.translate(OPTIONAL), None) for word in truth.label_digits.split()])
    words: list[_Word] = []
    found: list[list[_True]] = []
    place = 0
    for line in lines:
        row = []
        for word in line:
            row += [_True(character, len(words), place + i) for i, character in enumerate(word.digits)]
            place += len(word.digits)
            words.append(word)
        found += [row] if row else []
    return words, found


def _words(line: str, *, with_signs: bool) -> list[_Word]:
    pairs = [(digits_of(word), "".join(SIGN.findall(word))) for word in line.split()]
    return [_Word(digits, signs if with_signs else None) for digits, signs in pairs if digits]


def _reading(reading: Reading) -> list[list[_Read]]:
    found: list[list[_Read]] = []
    place = number = 0
    for line in reading.lines:
        row = []
        for each in line.numbers:
            row += [_Read(_guessed(digit), number, place + i) for i, digit in enumerate(each.digits)]
            place, number = place + len(each.digits), number + 1
        found += [row] if row else []
    return found


Pair = tuple[list[_True], list[_Read]]


def _compare(truth: PageTruth, true_lines: list[list[_True]], read_lines: list[list[_Read]]) -> list[Pair]:
    """The sequences that are compared with each other where that costs least, [] for a missing partner."""
    true_all, read_all = [t for line in true_lines for t in line], [r for line in read_lines for r in line]
    ways: list[tuple[float, list[Pair]]] = []
    if max(len(true_lines), len(read_lines)) <= MOST_LINES:
        ways.append(_match(true_lines, read_lines))
    if truth.layout != "lines":
        words = [[t for t in true_all if t.word == word] for word in dict.fromkeys(t.word for t in true_all)]
        numbers = [[r for r in read_all if r.number == number] for number in dict.fromkeys(r.number for r in read_all)]
        if max(len(words), len(numbers)) <= MOST_NUMBERS:
            ways.append(_match(words, numbers))
    ways.append((_distance(_text(true_all), _text(read_all)), [(true_all, read_all)]))
    return min(ways, key=lambda way: way[0])[1]


def _match(true_rows: list[list[_True]], read_rows: list[list[_Read]]) -> tuple[float, list[Pair]]:
    size = max(len(true_rows), len(read_rows))
    if size == 0:
        return 0.0, []
    wanted: list[list[_True]] = [*true_rows, *[[] for _ in range(size - len(true_rows))]]
    found: list[list[_Read]] = [*read_rows, *[[] for _ in range(size - len(read_rows))]]
    texts = [_text(row) for row in found]
    cost = np.array([[_distance(text, other) for other in texts] for text in map(_text, wanted)])
    rows, columns = load_assignment()(cost)
    return float(cost[rows, columns].sum()), [(wanted[i], found[j]) for i, j in zip(rows, columns, strict=True)]


def _partners(truth: list[_True], read: list[_Read]) -> Iterator[tuple[_True, _Read]]:
    for i, j in edit_steps(_text(truth), _text(read)):
        if i is not None and j is not None:
            yield truth[i], read[j]


def _text(row: Sequence[_True] | Sequence[_Read]) -> str:
    return "".join(item.character for item in row)


@lru_cache(maxsize=20000)
def _distance(truth: str, read: str) -> int:
    return edit_costs(truth, read)[-1][-1]


def _whole_number(number: Number, partners: list[_True | None], words: list[_Word]) -> bool | None:
    """Whether the digits of a number are all those of one word, and no others. partners : of its digits, in order."""
    known = [true for true in partners if true is not None]
    if len(known) < len(partners) or not known:
        return False
    places = [true.place for true in known]
    word = words[known[0].word]
    one_word = {true.word for true in known} == {known[0].word} and len(known) == len(word.digits)
    if not one_word or places != list(range(places[0], places[0] + len(places))):
        return False
    if any(swap_cost(true.character, _guessed(digit)) for true, digit in zip(known, number.digits, strict=True)):
        return False
    if UNREADABLE in word.digits:
        return None
    return word.signs is None or word.signs == "".join(SIGN.findall(number.text))
