"""Tells words from numbers: a digit-like stroke among letters is a letter.

The classifier sees one glyph at a time, and an l is a 1, an o is a 0. What stands close together on one line is one
word; where most of it is no digit, only what could hardly be a letter is kept (the 2 of 2x, the 3 of d3).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from edge_digits.recognition.decode import Candidate

LETTER_LIMIT: Final = 0.5
"""A glyph at least this probably "not one digit" is a letter or a sign."""
WORD_GAP: Final = 0.4
"""Glyphs closer than this share of the typical digit height stand in one word."""
LOWEST_LETTER: Final = 0.5
"""Only letters at least this share of the typical digit height high count: points, commas, dashes stand in numbers too."""
LETTER_SHARE: Final = 0.5
"""Words with more than this share of letters are text."""
SURE_IN_TEXT: Final = 0.95
LETTER_LIKE: Final = (0, 1)
"""Digits that cannot be told from letters by their shape."""


def is_letter(candidate: Candidate) -> bool:
    """Whether a glyph is more probably no digit."""
    return candidate.garbage_probability >= LETTER_LIMIT


def drop_words(candidates: list[Candidate], height: float) -> list[Candidate]:
    """The digits that do not stand in words.

    candidates : digits and other glyphs of a page. height : typical height of its digits, in page pixels.
    """
    kept: list[Candidate] = []
    for word in _words(candidates, height):
        digits = [c for c in word if not is_letter(c)]
        letters = sum(is_letter(c) and max(c.box[2], c.box[3]) >= LOWEST_LETTER * height for c in word)
        if letters > LETTER_SHARE * (letters + len(digits)) or (letters and letters == len(digits)):
            digits = [c for c in digits if c.digit_probability >= SURE_IN_TEXT and c.digit not in LETTER_LIKE]
        kept.extend(digits)
    return kept


def _words(candidates: list[Candidate], height: float) -> list[list[Candidate]]:
    """Glyphs grouped by closeness on one line."""
    ordered = sorted(candidates, key=lambda c: c.box[0])
    group = np.arange(len(ordered))
    for i, left in enumerate(ordered):
        for j in range(i + 1, len(ordered)):
            if ordered[j].box[0] > left.box[0] + left.box[2] + WORD_GAP * height:
                break
            if _on_one_line(left, ordered[j]):
                group[group == group[j]] = group[i]
    return [[ordered[i] for i in np.flatnonzero(group == g)] for g in np.unique(group)]


def _on_one_line(a: Candidate, b: Candidate) -> bool:
    shared = min(a.box[1] + a.box[3], b.box[1] + b.box[3]) - max(a.box[1], b.box[1])
    return shared > 0.3 * min(a.box[3], b.box[3])
