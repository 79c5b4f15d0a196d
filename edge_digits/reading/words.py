"""Tells words from numbers: a digit-like stroke among letters is a letter.

The classifier sees one glyph at a time, and an l is a 1, an o is a 0. What stands close together on one line is one
word; where most of it is no digit, only what could hardly be a letter is kept (the 2 of 2x, the 3 of d3).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from edge_digits.recognition.decode import Candidate
from edge_digits.recognition.weights import NOT_ONE_DIGIT

LETTER_LIMIT: Final = 0.5
"""A glyph at least this probably "not one digit" is a letter or a sign."""
WORD_GAP: Final = 0.7
"""Glyphs closer than this share of the typical digit height stand in one word."""
ON_ONE_LINE: Final = 0.3
"""Glyphs stand on one line when they have more than this share of the lower one's height in common."""
LOWEST_LETTER: Final = 0.5
"""Only letters at least this share of the typical digit height high count: points, commas, dashes stand in numbers too."""
FLATTEST_LETTER: Final = 0.25
"""What is lower is a dash, a bar of a fraction, a rule's end."""
LETTER_SHARE: Final = 0.5
"""Words with this share of letters and more are text; 0.34 while no network saw a whole page."""
SURE_IN_TEXT: Final = 0.98
LEAST_IN_TEXT: Final = 2
MEAN_IN_TEXT: Final = 0.9
"""On a page of text, digits that stand together are a number from so many on, when their mean probability reaches this."""
LETTERS_OF_TEXT: Final = 12
TEXT_SHARE: Final = 0.55
"""A page with at least so many letters, and this share of them among its glyphs, is text with numbers in it."""
STEEPEST_ONE_DEG: Final = 38.0
SURE_ONE: Final = 0.98
"""A 1 that leans further and is less sure is a slash. With a long upstroke a 1 leans as far: of the strings of cheques 82 % were read
without a mistake when no 1 might lean so, 85 % since."""
POSSIBLE_ONE: Final = 0.1
"""A stroke that was left out is looked at again from this probability of a 1 on."""
SURE_COMPANY: Final = 0.9
LEAST_COMPANY: Final = 3
COMPANY_REACH: Final = 6.0
LIKE_HEIGHT: Final = 0.65
"""It is a 1 when so many sure digits, none of them a 1, stand on its line, at most so many digit heights away, the lower of the two
at least this share of the taller one high."""
NEAR_LETTER: Final = 1.0
"""No letter may stand closer than so many digit heights."""
RESTORED: Final = 0.8
"""Its probability then."""
LETTER_LIKE: Final = (0, 1)
"""Digits that cannot be told from letters by their shape."""


def is_letter(candidate: Candidate) -> bool:
    """Whether a glyph is more probably no digit."""
    return candidate.garbage_probability >= LETTER_LIMIT


def drop_words(candidates: list[Candidate], height: float) -> list[Candidate]:
    """The digits that do not stand in words.

    candidates : digits and other glyphs of a page. height : typical height of its digits, in page pixels.
    """
    words = _words(candidates, height)
    letters = [sum(_counts(c, height) for c in word) for word in words]
    digits = [[c for c in word if not is_letter(c) and not is_slash(c)] for word in words]
    of_letters = sum(_is_text_word(count, len(word)) for count, word in zip(letters, digits, strict=True))
    of_digits = sum(bool(word) for word in digits) - sum(_is_text_word(c, len(w)) and bool(w) for c, w in zip(letters, digits, strict=True))
    is_text = sum(letters) >= LETTERS_OF_TEXT and of_letters > TEXT_SHARE * (of_letters + of_digits)
    kept: list[Candidate] = []
    for count, word in zip(letters, digits, strict=True):
        if _is_text_word(count, len(word)):
            kept.extend(c for c in word if c.digit_probability >= SURE_IN_TEXT and c.digit not in LETTER_LIKE)
        elif not is_text or _is_number(word):
            kept.extend(word)
    return kept


def _is_text_word(letters: int, digits: int) -> bool:
    return letters > 0 and letters >= LETTER_SHARE * (letters + digits)


def restore_ones(kept: list[Candidate], candidates: list[Candidate], height: float) -> list[Candidate]:
    """The digits kept, and upright strokes in a row with them that are as high and stand among no letters: 1s.

    kept, candidates : of one page. height : typical height of its digits, in page pixels.
    """
    sure = [c for c in kept if c.digit != 1 and c.digit_probability >= SURE_COMPANY]
    chosen = {c.box for c in kept}
    letters = [c for c in candidates if is_letter(c) and c.digit != 1 and _counts(c, height)]
    found = []
    for c in candidates:
        if c.digit != 1 or c.box in chosen or c.digit_probability < POSSIBLE_ONE or c.lean_deg > STEEPEST_ONE_DEG:
            continue
        company = [d for d in sure if _in_row(c, d, height)]
        if len(company) >= LEAST_COMPANY and not any(_in_row(c, d, height, NEAR_LETTER) for d in letters):
            probabilities = np.zeros_like(c.probabilities)
            probabilities[1], probabilities[NOT_ONE_DIGIT] = RESTORED, 1.0 - RESTORED
            found.append(replace(c, probabilities=probabilities))
    return [*kept, *found]


def _in_row(one: Candidate, other: Candidate, height: float, reach: float = COMPANY_REACH) -> bool:
    """Whether both stand on one line, are nearly as high, and no further apart than `reach` heights."""
    gap = max(one.box[0], other.box[0]) - min(one.box[0] + one.box[2], other.box[0] + other.box[2])
    shared = min(one.box[1] + one.box[3], other.box[1] + other.box[3]) - max(one.box[1], other.box[1])
    lower, taller = sorted((one.box[3], other.box[3]))
    return gap <= reach * height and shared >= 0.6 * lower and lower >= LIKE_HEIGHT * taller


def is_slash(candidate: Candidate) -> bool:
    """Whether a 1 leans so far, and looks so little like one, that it is a stroke between numbers."""
    return candidate.digit == 1 and candidate.lean_deg > STEEPEST_ONE_DEG and candidate.digit_probability < SURE_ONE


def _counts(candidate: Candidate, height: float) -> bool:
    _, _, w, h = candidate.box
    return is_letter(candidate) and max(w, h) >= LOWEST_LETTER * height and h >= FLATTEST_LETTER * height


def _is_number(word: list[Candidate]) -> bool:
    """What is a number even on a page of text: several digits, all sure, and not of strokes alone that a letter has too."""
    if len(word) < LEAST_IN_TEXT or not any(c.digit not in LETTER_LIKE for c in word):
        return False
    return float(np.mean([c.digit_probability for c in word])) >= MEAN_IN_TEXT


def _words(candidates: list[Candidate], height: float) -> list[list[Candidate]]:
    """Glyphs grouped by closeness on one line."""
    ordered = sorted(candidates, key=lambda c: c.box[0])
    group = np.arange(len(ordered))
    left, top, width, tall = np.array([c.box for c in ordered], np.float64).reshape(-1, 4).T
    close = left[None] <= (left + width + WORD_GAP * height)[:, None]
    shared = np.minimum((top + tall)[:, None], (top + tall)[None]) - np.maximum(top[:, None], top[None])
    for i, j in np.argwhere(np.triu(close & (shared > ON_ONE_LINE * np.minimum(tall[:, None], tall[None])), 1)):
        group[group == group[j]] = group[i]
    return [[ordered[i] for i in np.flatnonzero(group == g)] for g in np.unique(group)]
