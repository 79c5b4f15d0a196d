"""Everything a generated sheet is made from, loaded once a process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from export.pages.digit_source import DigitSet, Split, load_digits
from export.pages.lettering import Lettering, load_lettering
from export.pages.string_source import WrittenString, load_strings
from export.pages.written_text import WordSet, load_words


@dataclass(frozen=True, slots=True)
class SheetSources:
    """Digits, whole numbers from cheques, words of text pages (both maybe none) and letters of one split."""

    digits: tuple[DigitSet, ...]
    strings: tuple[WrittenString, ...]
    words: tuple[WordSet, ...]
    lettering: Lettering


def load_sheet_sources(folder: Path, fonts: Path | None = None, split: Split = "train") -> SheetSources:
    """Loads the sources of sheets.

    folder : data folder that holds mnist/ at least. fonts : folder of .ttf, .otf or .woff fonts, handwritten and printed; without
    it words are strung from the letters of the data folder, and nothing is printed. split : which digits may be written.
    Raises DataError, MissingExtraError.
    """
    return SheetSources(
        load_digits(folder, split), load_strings(folder, split), load_words(folder, split), load_lettering(folder, fonts, split)
    )
