"""Letters and words that are no digits: traced from handwriting fonts and real letters, and printed text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_digits.errors import MissingExtraError
from export.data.folder import crop_to_ink, is_held_out, open_npz
from export.data.lookalikes import CYRILLIC_LOOKALIKES, LATIN_LOOKALIKES, OMNIGLOT_LOOKALIKES
from export.data.negative_sets import HELD_OUT_DRAWERS
from export.pages.digit_source import Split
from export.pages.hand_fonts import HandFont, ScriptFont, draw_text
from export.pages.strokes import TracedSign, trace_sign

_HAND_FONT_WORDS: Final = """
because breip dkg ecolier humor kristi delphine steve dancing caveat indie patrick shadows reenie homemade cedarville rock hand
script write kalam gloria covered neucha marck bad nanum sue waiting gaegu architects zeyada over handlee crafty coming
schoolbell just nothing daughter walter annie loved permanent swanky sedgwick mansalva fuzzy rancho short sriracha the-girl crayon
delius
"""
HAND_FONT_WORDS: Final = tuple(_HAND_FONT_WORDS.split())
"""A font whose file name holds one of these is handwriting; the others print."""
HAND_FOLDER: Final = "handwriting"
SCRIPT_FOLDER: Final = "handwriting-other-scripts"
"""All fonts in folders of these names are handwriting, those of the second in another script than the Latin."""
ENOUGH_TO_PART: Final = 20
"""From so many handwriting fonts on every tenth is kept for validation pages."""

_Font = TypeVar("_Font", bound=HandFont)


@dataclass(slots=True)
class PrintFont:
    """A printer's font; faces by size."""

    path: Path
    _faces: dict[int, Any] = field(default_factory=dict)

    def draw(self, text: str, size_px: int) -> tuple[NDArray[np.uint8], int, int] | None:
        """See draw_text."""
        from PIL import ImageFont

        if size_px not in self._faces:
            self._faces[size_px] = ImageFont.truetype(str(self.path), size_px)
        return draw_text(text, self._faces[size_px])


@dataclass(slots=True)
class LetterSet:
    """Real letters of one script.

    glyphs : uint8 (h, w) each, cropped to the ink, ink 255. alone : whether each may stand alone, looking like no digit.
    """

    name: str
    glyphs: list[NDArray[np.uint8]]
    alone: list[bool]
    _traced: dict[int, TracedSign | None] = field(default_factory=dict)

    def traced(self, index: int) -> TracedSign | None:
        """Strokes of one letter."""
        if index not in self._traced:
            self._traced[index] = trace_sign(self.glyphs[index])
        return self._traced[index]


@dataclass(frozen=True, slots=True)
class Lettering:
    """All that letters are taken from; any of them may be empty. script_fonts : handwriting in other scripts than the Latin."""

    hand_fonts: tuple[HandFont, ...]
    print_fonts: tuple[PrintFont, ...]
    letters: tuple[LetterSet, ...]
    script_fonts: tuple[ScriptFont, ...] = ()


def load_lettering(folder: Path, fonts: Path | None, split: Split) -> Lettering:
    """Letters of a data folder and of a folder of fonts.

    Of handwriting fonts and letters every tenth is kept for validation pages. Raises MissingExtraError without Pillow.
    """
    hands: list[HandFont] = []
    scripts: list[ScriptFont] = []
    prints: list[PrintFont] = []
    if fonts is not None:
        _need_pillow()
        for path in sorted(path for path in fonts.rglob("*") if path.suffix.lower() in {".ttf", ".otf", ".woff"}):
            folders = fonts.name, *path.relative_to(fonts).parts
            if SCRIPT_FOLDER in folders:
                scripts.append(ScriptFont(path))
            elif HAND_FOLDER in folders or any(word in path.stem.lower() for word in HAND_FONT_WORDS):
                hands.append(HandFont(path))
            else:
                prints.append(PrintFont(path))
    sets = [load(folder) for name, load in _LETTER_SETS if (folder / name).is_dir()]
    letters = tuple(_of_split(each, split) for each in sets)
    return Lettering(_fonts_of_split(hands, split), tuple(prints), letters, _fonts_of_split(scripts, split))


def _need_pillow() -> None:
    try:
        import PIL  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("letters from fonts need Pillow; run: pip install pillow, or leave --fonts out") from error


def _fonts_of_split(fonts: list[_Font], split: Split) -> tuple[_Font, ...]:
    if len(fonts) < ENOUGH_TO_PART:
        return tuple(fonts)
    return tuple(font for index, font in enumerate(fonts) if _kept_aside(index) == (split == "validation"))


def _kept_aside(index: int) -> bool:
    return index % 10 == 3


def _of_split(letters: LetterSet, split: Split) -> LetterSet:
    keep = [index for index in range(len(letters.glyphs)) if _kept_aside(index) == (split == "validation")]
    return LetterSet(letters.name, [letters.glyphs[i] for i in keep], [letters.alone[i] for i in keep])


# Held-out letters and drawers stay out, as they do of the negatives that train the classifier.


def _load_latin(folder: Path) -> LetterSet:
    arrays = open_npz(folder / "letters_emnist_subset" / "letters_ABCDFT.npz")
    keep = [i for i, image in enumerate(arrays["images"]) if not is_held_out(image)]
    alone = [bool(arrays["labels"][i] not in LATIN_LOOKALIKES) for i in keep]
    return LetterSet("latin", [crop_to_ink(arrays["images"][i]) for i in keep], alone)


def _load_cyrillic(folder: Path) -> LetterSet:
    arrays = open_npz(folder / "cyrillic_letters" / "cyrillic64.npz")
    ink = 255 - arrays["images"]
    keep = [i for i, image in enumerate(ink) if not is_held_out(image)]
    alone = [bool(arrays["labels"][i] not in CYRILLIC_LOOKALIKES) for i in keep]
    return LetterSet("cyrillic", [crop_to_ink(ink[i]) for i in keep], alone)


def _load_omniglot(folder: Path) -> LetterSet:
    arrays = open_npz(folder / "omniglot_small" / "omniglot_small.npz")
    shape = tuple(int(side) for side in arrays["shape"])
    images = (np.unpackbits(arrays["bits"])[: int(np.prod(shape))].reshape(shape) * 255).astype(np.uint8)
    names = np.char.add(np.char.add(arrays["alphabet"], "/"), arrays["character"])
    keep = np.flatnonzero(~np.isin(arrays["drawer"], HELD_OUT_DRAWERS))
    alone = [bool(names[i] not in OMNIGLOT_LOOKALIKES) for i in keep]
    thick = np.ones((2, 2), np.uint8)
    return LetterSet("omniglot", [crop_to_ink(np.asarray(cv2.dilate(images[i], thick), np.uint8)) for i in keep], alone)


_LETTER_SETS: Final = (
    ("letters_emnist_subset", _load_latin),
    ("cyrillic_letters", _load_cyrillic),
    ("omniglot_small", _load_omniglot),
)
