"""Sources of sheets small enough for tests: digits drawn with OpenCV, no fonts, no letters."""

from __future__ import annotations

import numpy as np

from export.data.folder import crop_to_ink
from export.pages.digit_source import DigitSet, lean
from export.pages.lettering import Lettering, LetterSet
from export.pages.sources import SheetSources
from export.pages.string_source import WrittenString
from export.pages.written_text import WordSet
from tests.export.conftest import draw_digit

EACH = 6


def drawn_set(name: str = "mnist") -> DigitSet:
    rng = np.random.default_rng(3)
    glyphs = [crop_to_ink(draw_digit(digit, rng)) for digit in range(10) for _ in range(EACH)]
    by_digit = tuple(np.arange(digit * EACH, (digit + 1) * EACH) for digit in range(10))
    return DigitSet(name, glyphs, by_digit, np.array([lean(glyph) for glyph in glyphs], np.float32))


def drawn_letters() -> LetterSet:
    bars = [np.zeros((20, 14), np.uint8) for _ in range(3)]
    for index, bar in enumerate(bars):
        bar[:, 5:8] = 255
        bar[6 * index + 2 : 6 * index + 5] = 255
    return LetterSet("bars", [crop_to_ink(bar) for bar in bars], [True, True, True])


def drawn_string() -> WrittenString:
    ink = np.zeros((30, 70), np.uint8)
    ink[4:26, 6:10] = 255
    ink[4:26, 30:34] = 255
    return WrittenString(ink, ((1, (6.0, 4.0, 4.0, 22.0)), (1, (30.0, 4.0, 4.0, 22.0))))


def drawn_words() -> WordSet:
    word = np.zeros((24, 60), np.uint8)
    word[10:14] = 255
    word[4:22, ::12] = 255
    return WordSet((word,), 24.0)


def drawn_sources() -> SheetSources:
    return SheetSources((drawn_set(),), (drawn_string(),), (drawn_words(),), Lettering((), (), (drawn_letters(),)))
